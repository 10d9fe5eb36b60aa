"""Leave-one-speaker-out cross-validation: every figure of a model's card comes from here."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console

from emotion_service.errors import CorpusError
from emotion_service.training.corpus import Clip
from emotion_service.training.evaluate import (
    Judged,
    calibration_error,
    fit_temperature,
    judge_cold,
    recalls,
    uar,
    uar_interval,
)
from emotion_service.training.export import Provenance, export
from emotion_service.training.fit import Recipe, fit
from emotion_service.training.network import EmotionNetwork
from emotion_service.training.prepare import Example, prepare, typical_of


@dataclass(frozen=True, slots=True)
class Fold:
    """One speaker kept out: what the model of the others makes of him."""

    speaker: str
    judged: tuple[Judged, ...]


def crossval(
    clips: Sequence[Clip], recipe: Recipe, out: Path, processes: int, console: Console
) -> dict[str, object]:
    """Trains a model without each speaker in turn, and judges it on that speaker.

    Writes out/crossval.json (returned), and for each speaker a model folder that never heard
    him. Folds that are already in `out` are kept: an interrupted run goes on.

    Raises:
        CorpusError: `out` was begun with other clips or another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    _keep_to(recipe, out / "recipe.json")
    examples = _prepared(clips, out / "windows.pickle", processes)
    speakers = sorted({example.clip.speaker for example in examples if example.plain.usable})
    left = [speaker for speaker in speakers if not (out / speaker / "fold.json").is_file()]
    if left:
        _run(left, recipe, out, processes, console)
    folds = [_read_fold(out / speaker / "fold.json") for speaker in speakers]
    report = summarise(folds, recipe)
    _export(examples, folds, out)
    (out / "crossval.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def summarise(folds: Sequence[Fold], recipe: Recipe) -> dict[str, object]:
    """The figures of all folds together; calibration as each speaker would find it."""
    judged = [j for fold in folds for j in fold.judged]
    low, high = uar_interval(judged)
    calibrated = [
        calibration_error(fold.judged, temperature_without(folds, fold.speaker)) for fold in folds
    ]
    sizes = [len(fold.judged) for fold in folds]
    return {
        "protocol": "leave one speaker out, each clip cold, G.711 µ-law at 8 kHz",
        "uar": uar(judged),
        "uar_ci95": [low, high],
        "recall": recalls(judged),
        "ece": calibration_error(judged, fit_temperature(judged)),
        "ece_mean_of_speakers": sum(e * n for e, n in zip(calibrated, sizes, strict=True))
        / sum(sizes),
        "temperature": fit_temperature(judged),
        "n_clips": len(judged),
        "n_speakers": len(folds),
        "speakers": {fold.speaker: uar(fold.judged) for fold in folds},
        "recipe": asdict(recipe),
    }


def temperature_without(folds: Sequence[Fold], speaker: str) -> float:
    """Fitted to what the folds of the other speakers said."""
    return fit_temperature([j for fold in folds if fold.speaker != speaker for j in fold.judged])


def _keep_to(recipe: Recipe, path: Path) -> None:
    text = json.dumps(asdict(recipe), indent=1)
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise CorpusError(f"{path.parent} was begun with another recipe: give another --out")
    _write(path, text.encode())


def _prepared(clips: Sequence[Clip], cache: Path, processes: int) -> list[Example]:
    """Our own cache: read only from the folder this command writes."""
    if not cache.is_file():
        _write(cache, pickle.dumps(prepare(clips, processes)))
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
    speakers: Sequence[str], recipe: Recipe, out: Path, processes: int, console: Console
) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn) as pool:
        running = [pool.submit(_fold, speaker, recipe, out) for speaker in speakers]
        for done, future in enumerate(as_completed(running), 1):
            fold = future.result()
            console.print(f"{done}/{len(speakers)} {fold.speaker}: UAR {uar(fold.judged):.3f}")


def _fold(speaker: str, recipe: Recipe, out: Path) -> Fold:
    torch.set_num_threads(1)
    examples: list[Example] = pickle.loads((out / "windows.pickle").read_bytes())
    others = [example for example in examples if example.clip.speaker != speaker]
    own = [example for example in examples if example.clip.speaker == speaker]
    folder = out / speaker
    folder.mkdir(exist_ok=True)
    typical = typical_of(others)
    with (folder / "fit.log").open("w", encoding="utf-8", buffering=1) as log:
        network = fit(others, typical, recipe, lambda e, loss: print(e, f"{loss:.4f}", file=log))
    fold = Fold(speaker, tuple(judge_cold(network, own, typical)))
    torch.save(network.state_dict(), folder / "network.pt")
    _write(folder / "fold.json", json.dumps(asdict(fold), indent=1).encode())
    return fold


def _read_fold(path: Path) -> Fold:
    content = json.loads(path.read_text(encoding="utf-8"))
    judged = tuple(Judged(**{**j, "logits": tuple(j["logits"])}) for j in content["judged"])
    return Fold(content["speaker"], judged)


def _export(examples: Sequence[Example], folds: Sequence[Fold], out: Path) -> None:
    for fold in folds:
        others = [example for example in examples if example.clip.speaker != fold.speaker]
        network = EmotionNetwork()
        network.load_state_dict(torch.load(out / fold.speaker / "network.pt", weights_only=True))
        origin = Provenance(
            name=f"without-{fold.speaker}",
            version="crossval",
            licence="for evaluation only",
            data=tuple(sorted({example.clip.corpus for example in others})),
            training_speakers=tuple(sorted({example.clip.speaker for example in others})),
            temperature=temperature_without(folds, fold.speaker),
        )
        export(network.eval(), typical_of(others), origin, out / fold.speaker)
