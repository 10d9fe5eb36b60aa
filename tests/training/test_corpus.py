"""An index is read as it is, or refused; speech is brought to its level by the standard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.training.corpus import (
    Clip,
    active_level_db,
    read_audio,
    read_corpus,
    with_known_emotion,
)
from emotion_service.types import FloatArray

HEADER = "file,speaker,sex,language,emotion,duration_s\n"


def sine(seconds: float, amplitude: float) -> FloatArray:
    """Of 400 Hz: eight periods every 20 ms."""
    time = np.arange(round(seconds * 8000)) / 8000
    return (amplitude * np.sin(2 * np.pi * 400 * time)).astype(np.float32)


def silence(seconds: float) -> FloatArray:
    return np.zeros(round(seconds * 8000), np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    for name in ("a", "b"):
        soundfile.write(tmp_path / "audio" / f"{name}.flac", sine(1.0, 0.1), 8000)
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(CorpusError) as refused:
        read_corpus(folder)
    return str(refused.value)


# --- the index --------------------------------------------------------------------------------


def test_clips_come_in_the_order_of_the_index(folder: Path) -> None:
    rows = "audio/b.flac,s2,f,de,anger,1.0\naudio/a.flac,s1,m,de,boredom,1.0\n"
    (folder / "index.csv").write_text(HEADER + rows)
    b, a = read_corpus(folder)
    assert b == Clip(folder.name, folder / "audio/b.flac", "s2", "f", "de", "anger")
    assert (a.speaker, a.emotion) == ("s1", "boredom")
    assert with_known_emotion([b, a]) == [b]


def test_a_folder_without_an_index_is_no_corpus(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path / 'index.csv'} does not exist: a corpus is a folder with an index.csv"
    )


@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        ("file,speaker,emotion\naudio/a.flac,s1,anger\n", "lacks sex, language:"),
        ("", "lacks file, speaker, sex, language, emotion:"),
        (HEADER, "lacks file, speaker, sex, language, emotion:"),
    ],
)
def test_an_index_without_columns_or_rows_is_refused(
    folder: Path, content: str, lacks: str
) -> None:
    (folder / "index.csv").write_text(content)
    assert lacks in refusal(folder)


def test_an_index_that_names_files_that_do_not_exist_is_refused(folder: Path) -> None:
    rows = [f"audio/{name}.flac,s1,m,de,anger,1.0\n" for name in ("a", "x", "y")]
    (folder / "index.csv").write_text(HEADER + "".join(rows))
    assert refusal(folder).endswith("names 2 files that do not exist, first x.flac")


def test_an_index_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / "index.csv").write_bytes(
        (HEADER + "audio/a.flac,Jürgen,m,de,anger,1\n").encode("cp1252")
    )
    assert refusal(folder) == (
        f"{folder / 'index.csv'} cannot be read ('utf-8' codec can't decode byte 0xfc in position "
        "59: invalid start byte): save it as comma-separated values in UTF-8"
    )


def test_an_index_with_half_a_row_is_refused(folder: Path) -> None:
    (folder / "index.csv").write_text(HEADER + "audio/a.flac,s1,m,de,anger,1.0\naudio/b.flac,s2\n")
    assert refusal(folder) == (
        f"row 2 of {folder / 'index.csv'} is incomplete: fill it in, or take it out"
    )


# --- audio ------------------------------------------------------------------------------------


@pytest.mark.parametrize("amplitude", [0.003, 0.1, 0.9])
def test_audio_is_brought_to_minus_26_dbov(tmp_path: Path, amplitude: float) -> None:
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, np.concatenate([sine(1, amplitude), silence(1)]), 8000, "FLOAT")
    levelled = read_audio(clip)
    assert levelled.dtype == np.float32
    assert active_level_db(levelled) == pytest.approx(-26.0, abs=0.01)
    peak = 10 ** (-26 / 20) * np.sqrt(2)
    assert np.abs(levelled).max() == pytest.approx(peak, rel=1e-3)


@pytest.mark.parametrize(
    ("channels", "rate", "words"),
    [
        (1, 16000, "has 1 channels at 16000 Hz"),
        (2, 8000, "has 2 channels at 8000 Hz"),
        (3, 8000, "has 3 channels at 8000 Hz"),
    ],
)
def test_what_is_not_mono_at_8_khz_is_refused(
    tmp_path: Path, channels: int, rate: int, words: str
) -> None:
    clip = tmp_path / "clip.wav"
    samples = np.stack([sine(0.5, 0.1)] * channels, axis=1)
    soundfile.write(clip, samples if channels > 1 else samples[:, 0], rate)
    with pytest.raises(CorpusError, match=words):
        read_audio(clip)


@pytest.mark.parametrize("content", [b"", b"no audio", b"fLaC" + bytes(60)])
def test_a_damaged_clip_is_refused(tmp_path: Path, content: bytes) -> None:
    clip = tmp_path / "clip.flac"
    clip.write_bytes(content)
    with pytest.raises(CorpusError) as refused:
        read_audio(clip)
    said = str(refused.value)
    assert said.startswith(f"{clip} cannot be decoded (")
    assert said.endswith("): restore it, or remove it from the index")


def test_silence_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", silence(1.0), 8000)
    with pytest.raises(CorpusError, match="silent"):
        read_audio(tmp_path / "clip.wav")


@pytest.mark.parametrize("amplitude", [0.001, 0.05, 1.0])
@pytest.mark.parametrize(("on", "off"), [(1.0, 0.0), (0.5, 0.5), (0.2, 1.8), (0.02, 3.0)])
def test_the_active_level_of_a_sine_that_comes_and_goes_is_that_of_the_sine(
    amplitude: float, on: float, off: float
) -> None:
    signal = np.tile(np.concatenate([sine(on, amplitude), silence(off)]), 4)
    expected = 20 * np.log10(amplitude / np.sqrt(2))
    assert active_level_db(signal) == pytest.approx(expected, abs=0.1)


def test_a_noise_floor_far_below_counts_as_silence() -> None:
    noise = np.random.default_rng(1).normal(0, 1e-4, 16_000).astype(np.float32)
    signal = np.concatenate([sine(1.0, 0.1), silence(1.0)]) + noise
    assert active_level_db(signal) == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.1)


@pytest.mark.parametrize(("below_db", "counts"), [(15.0, True), (17.0, False)])
def test_speech_is_active_down_to_15_9_db_below_its_level(below_db: float, counts: bool) -> None:
    loud, soft = 0.005, 0.005 * 10 ** (-below_db / 10)  # power
    signal = np.concatenate([sine(2.0, np.sqrt(2 * loud)), sine(0.04, np.sqrt(2 * soft))])
    power = (100 * loud + 2 * soft) / 102 if counts else loud
    assert active_level_db(signal) == pytest.approx(10 * np.log10(power), abs=0.001)


@pytest.mark.parametrize("length", [0, 159, 8000])
def test_silence_has_no_level(length: int) -> None:
    assert active_level_db(np.zeros(length, np.float32)) == -np.inf
