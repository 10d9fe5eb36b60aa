"""Labelled corpora: folders with an index.csv and mono 8 kHz audio."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import LABELS
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

COLUMNS = ("file", "speaker", "sex", "language", "emotion")
ACTIVE_LEVEL_DB = -26.0  # dBov, the level telephony is planned for
ACTIVE_MARGIN_DB = 15.9  # ITU-T P.56: speech is active down to this below its own active level


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled utterance of one speaker."""

    corpus: str
    path: Path
    speaker: str
    sex: str
    language: str
    emotion: str


def read_corpus(folder: Path) -> list[Clip]:
    """The clips of a corpus in the order of its index.

    Raises:
        CorpusError: no index.csv, or one that is damaged, lacks a column or part of a row, or names
            a file that does not exist.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise CorpusError(f"{index} does not exist: a corpus is a folder with an index.csv")
    rows = _rows(index)
    missing = [column for column in COLUMNS if not rows or column not in rows[0]]
    if missing:
        raise CorpusError(f"{index} lacks {', '.join(missing)}: it needs {', '.join(COLUMNS)}")
    short = next((i for i, row in enumerate(rows, 1) if None in map(row.get, COLUMNS)), None)
    if short:
        raise CorpusError(f"row {short} of {index} is incomplete: fill it in, or take it out")
    clips = [
        Clip(folder.name, folder / r["file"], r["speaker"], r["sex"], r["language"], r["emotion"])
        for r in rows
    ]
    gone = [clip.path.name for clip in clips if not clip.path.is_file()]
    if gone:
        raise CorpusError(f"{index} names {len(gone)} files that do not exist, first {gone[0]}")
    return clips


def _rows(index: Path) -> list[dict[str, str]]:
    try:
        with index.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(
            f"{index} cannot be read ({error}): save it as comma-separated values in UTF-8"
        ) from error


def with_known_emotion(clips: Iterable[Clip]) -> list[Clip]:
    """The clips whose emotion is one of the model's."""
    return [clip for clip in clips if clip.emotion in LABELS]


def read_audio(path: Path) -> FloatArray:
    """A clip's samples, float32 (n,), at ACTIVE_LEVEL_DB.

    Raises:
        CorpusError: damaged, not mono at 8 kHz, or silent.
    """
    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CorpusError(
            f"{path} cannot be decoded ({error.error_string}): restore it, or remove it from the "
            "index"
        ) from error
    count = channels.shape[1]
    if rate != SAMPLE_RATE_HERTZ or count != 1:
        raise CorpusError(
            f"{path} has {count} channels at {rate} Hz: convert it to mono at 8000 Hz"
        )
    samples = channels[:, 0]
    level_db = active_level_db(samples)
    if not np.isfinite(level_db):
        raise CorpusError(f"{path} is silent: remove it from the index")
    gain = 10.0 ** ((ACTIVE_LEVEL_DB - level_db) / 20)
    levelled: FloatArray = np.clip(samples * np.float32(gain), -1.0, 1.0)
    return levelled


def active_level_db(samples: FloatArray) -> float:
    """The level of the active speech in dBov, -inf for silence.

    After ITU-T P.56: the mean power of those 20 ms frames that lie at most 15.9 dB below the
    result, found by iteration (frames in place of the recommendation's envelope).
    """
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    power = (frames**2).mean(axis=1)
    level = power.mean() if len(power) else 0.0
    for _ in range(20):
        active = power[power >= level * 10 ** (-ACTIVE_MARGIN_DB / 10)]
        if level == 0.0 or active.mean() == level:
            break
        level = active.mean()
    return float(10 * np.log10(level)) if level > 0 else float("-inf")
