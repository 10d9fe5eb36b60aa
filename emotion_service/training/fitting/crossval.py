"""Cross-validation over speakers: every figure of a model's card comes from here."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import LABELS, NON_SPEECH
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.corpora.folds import MEANING, FoldProtocol, folder_of, kept_out
from emotion_service.training.fitting.export import Origin, export
from emotion_service.training.fitting.fit import fit
from emotion_service.training.fitting.fitted import fitted_to, load, save
from emotion_service.training.fitting.prepare import (
    Example,
    Material,
    prepare,
    prepared,
    typical_of,
)
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.judging.evaluate import (
    Judged,
    as_served,
    auc,
    calibration_error,
    fit_temperature,
    judge_cold,
    recalls,
    uar,
    uar_interval,
)
from emotion_service.training.workers import workers


@dataclass(frozen=True, slots=True)
class Fold:
    """Some speakers kept out: what the model of the others makes of them."""

    name: str
    speakers: tuple[str, ...]
    judged: tuple[Judged, ...]


def crossval(
    materials: Sequence[Material],
    recipe: Recipe,
    protocol: FoldProtocol,
    out: Path,
    cached: Path,
    processes: int,
    console: Console,
) -> dict[str, object]:
    """Trains a model without each fold's speakers in turn, and judges it on them.

    Writes out/crossval.json (returned), and for each fold a model folder that never heard its
    speakers. An interrupted run goes on: folds that are already in `out` are kept, and others
    continue with the epoch at which they were. Prepared windows are kept in the folder `cached`.

    Raises:
        CorpusError: `out` was begun with other clips or another recipe, or see folds.kept_out.
    """
    out.mkdir(parents=True, exist_ok=True)
    _keep_to("recipe", asdict(recipe), out)
    _keep_to("clips", [_label(material.clip) for material in materials], out)
    examples = prepare(materials, recipe, processes, cached)
    usable = [example.clip for example in examples if _is_judged(example)]
    plan = kept_out(usable, protocol, recipe.seed)
    left = {name: held for name, held in plan.items() if not _path(out, name).is_file()}
    if left:
        _run(_Data(tuple(materials), recipe, cached), left, out, processes, console)
    folds = [_read_fold(_path(out, name), held) for name, held in plan.items()]
    report = summarise(folds, recipe, protocol, {clip.speaker: clip for clip in usable})
    _export(folds, out)
    (out / "crossval.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def summarise(
    folds: Sequence[Fold], recipe: Recipe, protocol: FoldProtocol, a_clip_of: Mapping[str, Clip]
) -> dict[str, object]:
    """The figures of all folds together; calibration as each fold's speakers would find it.

    `a_clip_of` each speaker tells corpus and sex.
    """
    heard = [fold for fold in folds if fold.judged]  # of others, all was taken for no speech
    if len(heard) < 2:
        raise CorpusError(
            f"{len(heard)} of {len(folds)} folds have a clip that was taken for speech: nothing "
            "can be said with fewer than two; train for longer, or lower non_speech_share"
        )
    served = [as_served(fold.judged, temperature_without(folds, fold.name)) for fold in heard]
    judged = [j for own in served for j in own]
    by_corpus: dict[str, list[Judged]] = {}
    for j in judged:
        by_corpus.setdefault(a_clip_of[j.speaker].corpus, []).append(j)
    fitted = [j for fold in heard for j in fold.judged]
    temperature = fit_temperature(fitted)
    return {
        "protocol": f"{MEANING[protocol]}, each clip cold, G.711 µ-law at 8 kHz",
        **_figures(judged),
        "ece": calibration_error(fitted, temperature),
        "ece_mean_of_folds": sum(calibration_error(own, 1.0) * len(own) for own in served)
        / len(judged),
        "temperature": temperature,
        "corpora": {corpus: _figures(own) for corpus, own in sorted(by_corpus.items())},
        "folds": {fold.name: uar(fold.judged) if fold.judged else None for fold in folds},
        "speakers": {
            name: {"corpus": clip.corpus, "sex": clip.sex} for name, clip in a_clip_of.items()
        },
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


def _keep_to(what: str, content: object, out: Path) -> None:
    """Figures of other clips or recipes must not be mixed."""
    path, text = out / f"{what}.json", json.dumps(content, indent=1)
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise CorpusError(f"{out} was begun with different {what}: give another --out")
    _write(path, text.encode())


def _label(clip: Clip) -> tuple[str, ...]:
    return clip.corpus, clip.path.name, clip.speaker, clip.emotion


def _write(path: Path, content: bytes) -> None:
    """All or nothing: whoever is interrupted leaves no half file to go on with."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def _is_judged(example: Example) -> bool:
    """Sounds are learned from in every fold: none of them is ever judged."""
    return bool(example.plain.usable) and example.clip.emotion != NON_SPEECH


@dataclass(frozen=True, slots=True)
class _Data:
    """What each fold's process prepares for itself, from the cache."""

    materials: tuple[Material, ...]
    recipe: Recipe
    cached: Path


def _run(
    data: _Data,
    plan: Mapping[str, frozenset[str]],
    out: Path,
    processes: int,
    console: Console,
) -> None:
    with workers(processes) as pool:
        running = [pool.submit(_fold, name, held, data, out) for name, held in plan.items()]
        for done, future in enumerate(as_completed(running), 1):
            fold = future.result()
            said = f"UAR {uar(fold.judged):.3f}" if fold.judged else "all taken for no speech"
            console.print(f"{done}/{len(plan)} {fold.name}: {said}", markup=False)


def _fold(name: str, held: frozenset[str], data: _Data, out: Path) -> Fold:
    heard, own = _parted(prepared(data.materials, data.recipe, data.cached), held)
    folder = folder_of(out, name)
    folder.mkdir(exist_ok=True)
    typical = typical_of(heard)
    with (folder / "fit.log").open("a", encoding="utf-8", buffering=1) as log:
        network = fit(
            heard,
            typical,
            data.recipe,
            lambda epoch, loss: print(epoch, f"{loss:.4f}", file=log),
            folder / "checkpoint.pt",
        )
    fold = Fold(name, tuple(sorted(held)), tuple(judge_cold(network, own, typical)))
    save(fitted_to(network, typical, heard), folder)
    _write(_path(out, name), json.dumps(asdict(fold), indent=1).encode())
    (folder / "checkpoint.pt").unlink()
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
    return folder_of(out, fold) / "fold.json"


def _read_fold(path: Path, held: frozenset[str]) -> Fold:
    content = json.loads(path.read_text(encoding="utf-8"))
    if set(content["speakers"]) != held:
        raise CorpusError(f"{path.parents[1]} was begun with other folds: give another --out")
    judged = tuple(Judged(**{**j, "logits": tuple(j["logits"])}) for j in content["judged"])
    return Fold(content["name"], tuple(content["speakers"]), judged)


def _export(folds: Sequence[Fold], out: Path) -> None:
    for fold in folds:
        origin = Origin(
            name=f"without-{fold.name}",
            version="crossval",
            licence="for evaluation only",
            temperature=temperature_without(folds, fold.name),
        )
        folder = folder_of(out, fold.name)
        export(load(folder), origin, folder)
