"""Prepared windows on disk, so that the next run with the same audio and lines need not wait.

One file a clip, named by all that its windows depend on: the audio, the lines it is heard over,
when windows are due, and the version of the features. A file of another version is not found; it
is never read.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np

from emotion_service.calls.leg import FIRST_WORDS, SCORE_HOP
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.fitting.windows import ClipWindows, Shown
from emotion_service.types import FEATURE_VERSION, FloatArray, Prosody


def place(folder: Path, samples: FloatArray, name: str, recipe: Recipe) -> Path:
    """Where the windows of a clip's audio, float32 (n,), belong; its name is its seed."""
    heard = [name, recipe.lines_per_clip, asdict(recipe.lines), SCORE_HOP, *FIRST_WORDS]
    text = json.dumps(heard, sort_keys=True)
    digest = hashlib.sha256(text.encode() + samples.tobytes()).hexdigest()
    return folder / f"features-{FEATURE_VERSION}" / digest[:2] / f"{digest[2:34]}.npz"


def write(path: Path, variants: Sequence[ClipWindows]) -> None:
    """All or nothing: whoever is interrupted leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {}
    for number, variant in enumerate(variants):
        arrays[f"values_{number}"] = variant.values
        arrays[f"voice_{number}"] = variant.voice
        arrays[f"windows_{number}"] = np.array([_row(shown) for shown in variant.windows])
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def read(path: Path) -> tuple[ClipWindows, ...] | None:
    """What was written, to the last bit; None if nothing readable is there."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            return tuple(
                ClipWindows(
                    file[f"values_{number}"],
                    file[f"voice_{number}"],
                    tuple(_shown(row) for row in file[f"windows_{number}"].tolist()),
                )
                for number in range(len(file.files) // 3)
            )
    except (FileNotFoundError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def _row(shown: Shown) -> tuple[float, ...]:
    """NaN stands for what is unset."""
    prosody = (np.nan if value is None else value for value in astuple(shown.prosody))
    return shown.first, shown.last, shown.new_speech, *prosody


def _shown(row: Sequence[float]) -> Shown:
    first, last, new_speech, speech, pitch, pitch_range, pace, tilt, roughness = row
    return Shown(
        int(first),
        int(last),
        Prosody(int(speech), _set(pitch), _set(pitch_range), pace, _set(tilt), _set(roughness)),
        int(new_speech),
    )


def _set(value: float) -> float | None:
    return None if np.isnan(value) else value
