"""Labelled corpora: folders with mono 8 kHz audio and an index.csv, or audformat databases."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import LABELS
from emotion_service.training.corpora import audformat
from emotion_service.training.corpora.emotions import refuse_unknown
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

INDEX = "index.csv"
COLUMNS = ("file", "speaker", "sex", "language", "emotion")
NEEDED = ("file", "speaker", "emotion")  # of those, what no row may leave empty
ACTIVE_LEVEL_DB = -26.0  # dBov, the level telephony is planned for
SILENT = float("-inf")  # dBov
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


def read_corpora(folders: Iterable[Path]) -> list[Clip]:
    """The clips of several corpora whose emotion is one of the model's.

    Raises:
        CorpusError: see read_corpus; two corpora have one name; or see refuse_lone_speaker.
    """
    named: dict[str, list[Clip]] = {}
    for folder in folders:
        clips = read_corpus(folder)
        if clips[0].corpus in named:
            raise CorpusError(
                f"two corpora are called {clips[0].corpus}: give each once, or rename a folder"
            )
        named[clips[0].corpus] = with_known_emotion(clips)
    known = [clip for clips in named.values() for clip in clips]
    refuse_lone_speaker(known)
    return known


def read_corpus(folder: Path) -> list[Clip]:
    """The clips of a corpus in the order of its index, at least one. Its name is the folder's.

    Raises:
        EmotionServiceError: it is an audformat database, and the extra [train] is not installed.
        CorpusError: there is no index; it is empty or damaged, lacks a column or part of a row,
            names a file twice or one that does not exist, or has an unknown emotion.
    """
    source = folder / INDEX
    if source.is_file():
        rows = rows_of(source)
    elif (folder / audformat.HEADER).is_file():
        source = folder / audformat.HEADER
        rows = audformat.database_rows(folder)
    else:
        raise CorpusError(
            f"{source} does not exist: a corpus is a folder with an {INDEX}, or with the "
            f"{audformat.HEADER} of an audformat database"
        )
    if not rows:
        raise CorpusError(f"{source} lists no clip: list at least one, or leave this corpus out")
    _refuse_files(source, [row["file"] for row in rows])
    refuse_unknown(source, (row["emotion"] for row in rows))
    name = folder.resolve().name
    return [
        Clip(name, folder / r["file"], r["speaker"], r["sex"], r["language"], r["emotion"])
        for r in rows
    ]


def corpus_folders(corpora: Path) -> list[Path]:
    """The corpora with emotions in a folder, which may itself be one.

    Raises:
        CorpusError: there is none.
    """
    folders = [corpora, *sorted(corpora.iterdir())] if corpora.is_dir() else []
    found = [folder for folder in folders if _has_emotions(folder)]
    if not found:
        raise CorpusError(
            f"{corpora} holds no corpus: expected folders with an {INDEX} that has the columns "
            f"{', '.join(COLUMNS)}, or with the {audformat.HEADER} of an audformat database that "
            "has emotions"
        )
    return found


def refuse_lone_speaker(clips: Iterable[Clip]) -> None:
    """
    Raises:
        CorpusError: the clips are of fewer than two speakers.
    """
    speakers = {clip.speaker for clip in clips}
    if len(speakers) < 2:
        raise CorpusError(
            f"{len(speakers)} speakers with a known emotion: nothing can be said of unheard "
            "speakers with fewer than two; add speakers or another --corpus"
        )


def rows_of(
    index: Path, expected: Sequence[str] = COLUMNS, needed: Sequence[str] = NEEDED
) -> list[dict[str, str]]:
    """All columns of all rows of an index; the expected ones are there, the needed ones filled in.

    Raises:
        CorpusError: it cannot be read, or a column or part of a row is missing.
    """
    rows, columns = _table(index)
    missing = [column for column in expected if column not in columns]
    if missing:
        raise CorpusError(f"{index} lacks {', '.join(missing)}: it needs {', '.join(expected)}")
    for number, row in enumerate(rows, 1):
        if None in map(row.get, expected) or not all(row[column].strip() for column in needed):
            raise CorpusError(f"row {number} of {index} is incomplete: fill it in, or take it out")
    return rows


def _table(index: Path) -> tuple[list[dict[str, str]], Sequence[str]]:
    """All rows of an index, and its columns.

    Raises:
        CorpusError: it cannot be read.
    """
    try:
        with index.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            return list(table), table.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(
            f"{index} cannot be read ({error}): save it as comma-separated values in UTF-8"
        ) from error


def _has_emotions(folder: Path) -> bool:
    index = folder / INDEX
    if not index.is_file():
        return (folder / audformat.HEADER).is_file() and audformat.holds_emotions(folder)
    return "emotion" in _table(index)[1]


def _refuse_files(source: Path, files: Sequence[str]) -> None:
    twice = [file for file, count in Counter(files).items() if count > 1]
    if twice:
        raise CorpusError(
            f"{source} names {len(twice)} files twice, first {twice[0]}: leave each in one row"
        )
    gone = [file for file in files if not (source.parent / file).is_file()]
    if gone:
        raise CorpusError(
            f"{source} names {len(gone)} files that do not exist, first {gone[0]}: restore them, "
            "or take them out of the index"
        )


def with_known_emotion(clips: Iterable[Clip]) -> list[Clip]:
    """The clips whose emotion is one of the model's."""
    return [clip for clip in clips if clip.emotion in LABELS]


def read_audio(path: Path) -> FloatArray:
    """A clip's samples, float32 (n,), at ACTIVE_LEVEL_DB; silence as it is. For errors, see
    read_recording."""
    samples, level_db = read_recording(path)
    if level_db == SILENT:
        return samples
    gain = 10.0 ** ((ACTIVE_LEVEL_DB - level_db) / 20)
    levelled: FloatArray = np.clip(samples * np.float32(gain), -1.0, 1.0)
    return levelled


def read_recording(path: Path) -> tuple[FloatArray, float]:
    """A clip's samples as they are, float32 (n,), and their active level in dBov, or SILENT.

    Raises:
        CorpusError: damaged, not mono at 8 kHz, or not only numbers.
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
    if not np.isfinite(samples).all():
        raise CorpusError(
            f"{path} has samples that are no numbers: restore it, or remove it from the index"
        )
    return samples, active_level_db(samples)


def active_level_db(samples: FloatArray) -> float:
    """The level of the active speech in dBov, SILENT where there is none.

    After ITU-T P.56: the mean power of those 20 ms frames that lie at most 15.9 dB below the
    result, found by iteration (frames in place of the recommendation's envelope).
    """
    size = max(1, min(160, len(samples)))
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    power = (frames**2).mean(axis=1)
    level = power.mean() if len(power) else 0.0
    for _ in range(20):
        active = power[power >= level * 10 ** (-ACTIVE_MARGIN_DB / 10)]
        if level == 0.0 or active.mean() == level:
            break
        level = active.mean()
    return float(10 * np.log10(level)) if level > 0 else SILENT
