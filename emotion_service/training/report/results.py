"""What `crossval` and `evaluate --json` left behind, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.folds import folder_of
from emotion_service.training.judging.evaluate import Judged, as_served, fit_temperature
from emotion_service.training.judging.scorecard import Figures

RUN_KEYS = ("protocol", "corpora", "folds", "speakers", "recipe", "temperature", "uar", "uar_ci95")
EVALUATION_KEYS = (
    "model",
    "licence",
    "protocol",
    "codec",
    "corpora",
    "pooled",
    "by",
    "clips",
    "seed",
)


@dataclass(frozen=True, slots=True)
class Voice:
    """Where a speaker is from; `sex` as the corpus writes it."""

    corpus: str
    sex: str


@dataclass(frozen=True, slots=True)
class Run:
    """A finished cross-validation: its crossval.json, and every clip as its fold judged it."""

    name: str  # the folder's
    figures: Figures
    folds: Mapping[str, tuple[Judged, ...]]
    voices: Mapping[str, Voice]  # by speaker

    @property
    def meaning(self) -> str:
        """The protocol in words, such as "leave one corpus out"."""
        return str(self.figures["protocol"]).partition(",")[0]

    def calibrated(self) -> list[Judged]:
        """All clips, each fold's as served with the temperature that the other folds would give it:
        as confident as a model is of speakers that it never heard."""
        found: list[Judged] = []
        for name, judged in self.folds.items():
            others = [j for other, own in self.folds.items() if other != name for j in own]
            found += as_served(judged, fit_temperature(others))
        return found


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `evaluate --json` printed; docs/training.md describes it."""

    name: str  # the file's
    figures: Figures

    @property
    def clips(self) -> str:
        """Equal for evaluations of the same clips: how many were found and left out, and why."""
        counts = self.figures["clips"]
        kept = ("found", "other_emotions", "trained_speakers")
        return json.dumps({c: [counts[c].get(key) for key in kept] for c in sorted(counts)})


def read_run(folder: Path) -> Run:
    """Raises CorpusError: not the folder of a cross-validation, or of one that is not finished."""
    path = folder / "crossval.json"
    if not path.is_file():
        begun = (folder / "recipe.json").is_file() or any(folder.glob("*/fold.json"))
        raise CorpusError(
            f"the cross-validation in {folder} is not finished: run its command again, it goes on"
            if begun
            else f"{folder} holds no crossval.json: give the folder that "
            "`emotion-service crossval --out` wrote"
        )
    figures = _read_object(path, "crossval --out", RUN_KEYS)
    return Run(
        name=folder.resolve().name,
        figures=figures,
        folds={
            name: _read_fold(folder_of(folder, name) / "fold.json") for name in figures["folds"]
        },
        voices=_voices(figures["speakers"], path),
    )


def read_evaluation(path: Path) -> Evaluation:
    """Raises CorpusError: not what `evaluate --json` prints."""
    return Evaluation(path.name, _read_object(path, "evaluate --json", EVALUATION_KEYS))


def _read_object(path: Path, command: str, keys: tuple[str, ...]) -> Figures:
    remedy = f"give what `emotion-service {command}` of this version wrote"
    content = _read_json(path, remedy)
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        raise CorpusError(f"{path} lacks {', '.join(missing)}: {remedy}")
    figures: Figures = content
    return figures


def _read_json(path: Path, remedy: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path} cannot be read ({error}): {remedy}") from error


def _read_fold(path: Path) -> tuple[Judged, ...]:
    remedy = "run the command of the cross-validation again, it goes on"
    content = _read_json(path, remedy)
    try:
        rows = [{each.name: row[each.name] for each in fields(Judged)} for row in content["judged"]]
        return tuple(Judged(**{**row, "logits": tuple(row["logits"])}) for row in rows)
    except (KeyError, TypeError) as error:
        raise CorpusError(f"{path} holds no judged clips ({error}): {remedy}") from error


def _voices(speakers: Any, path: Path) -> dict[str, Voice]:
    try:
        return {name: Voice(of["corpus"], of["sex"]) for name, of in speakers.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise CorpusError(
            f"{path} does not say whose corpus and sex: run its command again with this version; "
            "folds that are done are kept"
        ) from error
