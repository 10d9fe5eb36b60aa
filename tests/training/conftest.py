"""A corpus of two speakers and a few seconds, made up on the spot."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
import soundfile

from emotion_service.training.corpora.corpus import COLUMNS, Clip, read_corpus
from emotion_service.training.fitting.prepare import Example, prepare
from emotion_service.training.fitting.prepare import speech as spoken
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.types import FloatArray

Voice: TypeAlias = Callable[[float, int], FloatArray]
TINY = Recipe(epochs=1, draws=1, batch=8, lines_per_clip=2)
EMOTIONS = ("anger", "happiness", "sadness", "neutral")


def write_corpus(folder: Path, rows: Sequence[Sequence[str]], audio: Sequence[FloatArray]) -> None:
    """An index with one row and one FLAC file of audio, float32 (n,) at 8 kHz, a clip."""
    (folder / "audio").mkdir(parents=True)
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    for row, samples in zip(rows, audio, strict=True):
        soundfile.write(folder / row[0], samples, 8000, subtype="PCM_16")


@pytest.fixture(scope="session")
def tiny_corpora(speech: Voice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the corpus "tiny": speakers ann and bob, one clip an emotion."""
    folder = tmp_path_factory.mktemp("corpora")
    rows = [
        (f"audio/{speaker}_{emotion}.flac", speaker, sex, "en", emotion)
        for speaker, sex in (("ann", "f"), ("bob", "m"))
        for emotion in EMOTIONS
    ]
    write_corpus(folder / "tiny", rows, [speech(1.4, seed) for seed in range(len(rows))])
    return folder


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Torch sums in one order; on a busy machine its threads would wait for each other."""
    pytest.importorskip("torch").set_num_threads(1)


@pytest.fixture(scope="session")
def clips(tiny_corpora: Path) -> list[Clip]:
    return read_corpus(tiny_corpora / "tiny")


@pytest.fixture(scope="session")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for prepared windows."""
    return tmp_path_factory.mktemp("windows")


@pytest.fixture(scope="session")
def examples(clips: list[Clip], cached: Path) -> list[Example]:
    return prepare(spoken(clips), TINY, 1, cached)
