"""Cross-validation over speakers: every figure of a model's card comes from here."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import LABELS
from emotion_service.training.corpus import Clip
from emotion_service.training.evaluate import (
    Judged,
    auc,
    calibration_error,
    fit_temperature,
    judge_cold,
    recalls,
    uar,
    uar_interval,
)
from emotion_service.training.export import Provenance, export
from emotion_service.training.fit import fit
from emotion_service.training.folds import MEANING, FoldProtocol, kept_out
from emotion_service.training.network import EmotionNetwork
from emotion_service.training.prepare import Example, prepare, typical_of
from emotion_service.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Fold:
    """Some speakers kept out: what the model of the others makes of them."""

    name: str
    speakers: tuple[str, ...]
    judged: tuple[Judged, ...]


def crossval(
    clips: Sequence[Clip],
    recipe: Recipe,
    protocol: FoldProtocol,
    out: Path,
    processes: int,
    console: Console,
) -> dict[str, object]:
    """Trains a model without each fold's speakers in turn, and judges it on them.

    Writes out/crossval.json (returned), and for each fold a model folder that never heard its
    speakers. Folds that are already in `out` are kept: an interrupted run goes on.

    Raises:
        CorpusError: `out` was begun with other clips or another recipe, or see folds.kept_out.
    """
    out.mkdir(parents=True, exist_ok=True)
    _keep_to(recipe, out / "recipe.json")
    examples = _prepared(clips, recipe, out / "windows.pickle", processes)
    usable = [example.clip for example in examples if example.plain.usable]
    plan = kept_out(usable, protocol, recipe.seed)
    left = {name: held for name, held in plan.items() if not _path(out, name).is_file()}
    if left:
        _run(left, recipe, out, processes, console)
    folds = [_read_fold(_path(out, name), held) for name, held in plan.items()]
    report = summarise(folds, recipe, protocol, {clip.speaker: clip.corpus for clip in usable})
    _export(examples, folds, out)
    (out / "crossval.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def summarise(
    folds: Sequence[Fold], recipe: Recipe, protocol: FoldProtocol, corpus_of: Mapping[str, str]
) -> dict[str, object]:
    """The figures of all folds together; calibration as each fold's speakers would find it."""
    judged = [j for fold in folds for j in fold.judged]
    by_corpus: dict[str, list[Judged]] = {}
    for j in judged:
        by_corpus.setdefault(corpus_of[j.speaker], []).append(j)
    calibrated = [
        calibration_error(fold.judged, temperature_without(folds, fold.name)) for fold in folds
    ]
    sizes = [len(fold.judged) for fold in folds]
    return {
        "protocol": f"{MEANING[protocol]}, each clip cold, G.711 µ-law at 8 kHz",
        **_figures(judged),
        "ece": calibration_error(judged, fit_temperature(judged)),
        "ece_mean_of_folds": sum(e * n for e, n in zip(calibrated, sizes, strict=True))
        / sum(sizes),
        "temperature": fit_temperature(judged),
        "corpora": {corpus: _figures(own) for corpus, own in sorted(by_corpus.items())},
        "folds": {fold.name: uar(fold.judged) for fold in folds},
        "recipe": asdict(recipe),
    }


def _figures(judged: Sequence[Judged]) -> dict[str, object]:
    angry = [j.logits[LABELS.index("anger")] for j in judged]
    return {
        "uar": uar(judged),
        "uar_ci95": list(uar_interval(judged)),
        "recall": recalls(judged),
        "auc_anger": auc(angry, [j.emotion == "anger" for j in judged]),
        "n_clips": len(judged),
        "n_speakers": len({j.speaker for j in judged}),
    }


def temperature_without(folds: Sequence[Fold], name: str) -> float:
    """Fitted to what the other folds said."""
    return fit_temperature([j for fold in folds if fold.name != name for j in fold.judged])


def _keep_to(recipe: Recipe, path: Path) -> None:
    text = json.dumps(asdict(recipe), indent=1)
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise CorpusError(f"{path.parent} was begun with another recipe: give another --out")
    _write(path, text.encode())


def _prepared(clips: Sequence[Clip], recipe: Recipe, cache: Path, processes: int) -> list[Example]:
    """Our own cache: read only from the folder this command writes."""
    if not cache.is_file():
        _write(cache, pickle.dumps(prepare(clips, recipe, processes)))
    examples: list[Example] = pickle.loads(cache.read_bytes())
    if [_label(example.clip) for example in examples] != [_label(clip) for clip in clips]:
        raise CorpusError(f"{cache.parent} was begun with other clips: give another --out")
    return examples


def _label(clip: Clip) -> tuple[str, ...]:
    return clip.corpus, clip.path.name, clip.speaker, clip.emotion


def _write(path: Path, content: bytes) -> None:
    """All or nothing: whoever is interrupted leaves no half file to go on with."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def _run(
    plan: Mapping[str, frozenset[str]],
    recipe: Recipe,
    out: Path,
    processes: int,
    console: Console,
) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn) as pool:
        running = [pool.submit(_fold, name, held, recipe, out) for name, held in plan.items()]
        for done, future in enumerate(as_completed(running), 1):
            fold = future.result()
            console.print(f"{done}/{len(plan)} {fold.name}: UAR {uar(fold.judged):.3f}")


def _fold(name: str, held: frozenset[str], recipe: Recipe, out: Path) -> Fold:
    torch.set_num_threads(1)
    examples: list[Example] = pickle.loads((out / "windows.pickle").read_bytes())
    heard, own = _parted(examples, held)
    folder = out / name
    folder.mkdir(exist_ok=True)
    typical = typical_of(heard)
    with (folder / "fit.log").open("w", encoding="utf-8", buffering=1) as log:
        network = fit(heard, typical, recipe, lambda e, loss: print(e, f"{loss:.4f}", file=log))
    fold = Fold(name, tuple(sorted(held)), tuple(judge_cold(network, own, typical)))
    torch.save(network.state_dict(), folder / "network.pt")
    _write(_path(out, name), json.dumps(asdict(fold), indent=1).encode())
    return fold


def _parted(
    examples: Sequence[Example], held: Collection[str]
) -> tuple[list[Example], list[Example]]:
    """Those to learn from, and those to judge."""
    return (
        [example for example in examples if example.clip.speaker not in held],
        [example for example in examples if example.clip.speaker in held],
    )


def _path(out: Path, fold: str) -> Path:
    return out / fold / "fold.json"


def _read_fold(path: Path, held: frozenset[str]) -> Fold:
    content = json.loads(path.read_text(encoding="utf-8"))
    if set(content["speakers"]) != held:
        raise CorpusError(f"{path.parents[1]} was begun with other folds: give another --out")
    judged = tuple(Judged(**{**j, "logits": tuple(j["logits"])}) for j in content["judged"])
    return Fold(content["name"], tuple(content["speakers"]), judged)


def _export(examples: Sequence[Example], folds: Sequence[Fold], out: Path) -> None:
    for fold in folds:
        heard, _ = _parted(examples, fold.speakers)
        network = EmotionNetwork()
        network.load_state_dict(torch.load(out / fold.name / "network.pt", weights_only=True))
        origin = Provenance(
            name=f"without-{fold.name}",
            version="crossval",
            licence="for evaluation only",
            data=tuple(sorted({example.clip.corpus for example in heard})),
            training_speakers=tuple(sorted({example.clip.speaker for example in heard})),
            temperature=temperature_without(folds, fold.name),
        )
        export(network.eval(), typical_of(heard), origin, out / fold.name)
