"""An index is read as it is, or refused; speech is brought to its level by the standard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import (
    ACTIVE_LEVEL_DB,
    Clip,
    active_level_db,
    corpus_folders,
    read_audio,
    read_corpora,
    read_corpus,
    read_recording,
    with_known_emotion,
)
from emotion_service.types import FloatArray

HEADER = "file,speaker,sex,language,emotion,duration_s\n"
ROW = "audio/a.flac,s1,m,de,anger,1.0\n"


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


def test_the_byte_order_mark_that_spreadsheets_write_is_no_part_of_a_column(folder: Path) -> None:
    (folder / "index.csv").write_text(HEADER + ROW, encoding="utf-8-sig")
    assert [clip.speaker for clip in read_corpus(folder)] == ["s1"]
    assert corpus_folders(folder) == [folder]


def test_a_corpus_is_called_as_its_folder_however_that_is_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "index.csv").write_text(HEADER + ROW)
    monkeypatch.chdir(folder)
    assert [clip.corpus for clip in read_corpus(Path())] == [folder.name]


def test_a_folder_without_an_index_is_no_corpus(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path / 'index.csv'} does not exist: a corpus is a folder with an index.csv, or with "
        "the db.yaml of an audformat database"
    )


@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        ("file,speaker,emotion\naudio/a.flac,s1,anger\n", "lacks sex, language:"),
        ("", "lacks file, speaker, sex, language, emotion:"),
    ],
)
def test_an_index_without_columns_is_refused(folder: Path, content: str, lacks: str) -> None:
    (folder / "index.csv").write_text(content)
    assert lacks in refusal(folder)


def test_an_index_without_rows_is_refused(folder: Path) -> None:
    (folder / "index.csv").write_text(HEADER)
    assert refusal(folder) == (
        f"{folder / 'index.csv'} lists no clip: list at least one, or leave this corpus out"
    )


def test_an_index_that_names_files_that_do_not_exist_is_refused(folder: Path) -> None:
    rows = [f"audio/{name}.flac,s1,m,de,anger,1.0\n" for name in ("a", "x", "y")]
    (folder / "index.csv").write_text(HEADER + "".join(rows))
    assert refusal(folder) == (
        f"{folder / 'index.csv'} names 2 files that do not exist, first audio/x.flac: restore "
        "them, or take them out of the index"
    )


def test_an_index_that_names_a_file_twice_is_refused(folder: Path) -> None:
    rows = "audio/a.flac,s1,m,de,anger,1.0\naudio/a.flac,s1,m,de,neutral,1.0\n"
    (folder / "index.csv").write_text(HEADER + rows)
    assert refusal(folder) == (
        f"{folder / 'index.csv'} names 1 files twice, first audio/a.flac: leave each in one row"
    )


def test_an_emotion_that_nobody_knows_is_refused(folder: Path) -> None:
    (folder / "index.csv").write_text(HEADER + ROW.replace("anger", "angry"))
    said = refusal(folder)
    index = folder / "index.csv"
    assert said.startswith(f"{index} has 1 unknown emotions: 'angry' (did you mean anger?); ")


def test_an_index_that_is_not_utf_8_is_refused(folder: Path) -> None:
    (folder / "index.csv").write_bytes(
        (HEADER + "audio/a.flac,Jürgen,m,de,anger,1\n").encode("cp1252")
    )
    assert refusal(folder) == (
        f"{folder / 'index.csv'} cannot be read ('utf-8' codec can't decode byte 0xfc in position "
        "59: invalid start byte): save it as comma-separated values in UTF-8"
    )


@pytest.mark.parametrize(
    "row",
    ["audio/b.flac,s2", "audio/b.flac,s2,m,de,,1", "audio/b.flac, ,m,de,anger,1", ",s,,,fear"],
)
def test_an_index_with_half_a_row_is_refused(folder: Path, row: str) -> None:
    (folder / "index.csv").write_text(f"{HEADER}{ROW}{row}\n")
    assert refusal(folder) == (
        f"row 2 of {folder / 'index.csv'} is incomplete: fill it in, or take it out"
    )


def test_sex_and_language_may_be_left_empty(folder: Path) -> None:
    (folder / "index.csv").write_text(HEADER + "audio/a.flac,s1,,,anger,\n")
    clip = Clip(folder.name, folder / "audio/a.flac", "s1", "", "", "anger")
    assert read_corpus(folder) == [clip]


# --- several corpora --------------------------------------------------------------------------


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """The corpora "one" (ann: anger; ann: fear) and "two" (bob: anger), and a folder of noise."""
    indices = {
        "noise": "file,kind\na.flac,music\n",
        "one": HEADER + "a.flac,ann,f,en,anger,1\nb.flac,ann,f,en,fear,1\n",
        "two": HEADER + "a.flac,bob,m,en,anger,1\n",
    }
    for name, index in indices.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.csv").write_text(index)
        for file in ("a.flac", "b.flac"):
            (tmp_path / name / file).touch()
    return tmp_path


def test_several_corpora_are_read_as_far_as_a_model_learns_from_them(corpora: Path) -> None:
    assert [clip.path for clip in read_corpora([corpora / "two", corpora / "one"])] == [
        corpora / "two" / "a.flac",
        corpora / "one" / "a.flac",
    ]


def test_one_speaker_is_too_few(corpora: Path) -> None:
    with pytest.raises(CorpusError, match=r"^1 speakers with a known emotion: nothing"):
        read_corpora([corpora / "one"])


def test_a_corpus_is_given_once(corpora: Path) -> None:
    with pytest.raises(CorpusError) as refused:
        read_corpora([corpora / "one", corpora / "two", corpora / "noise" / ".." / "one"])
    assert str(refused.value) == "two corpora are called one: give each once, or rename a folder"


def test_corpora_are_the_folders_with_emotions(corpora: Path) -> None:
    assert corpus_folders(corpora) == [corpora / "one", corpora / "two"]
    assert corpus_folders(corpora / "two") == [corpora / "two"]


@pytest.mark.parametrize("nothing", ["noise", "nowhere"])
def test_a_folder_without_emotions_holds_no_corpus(corpora: Path, nothing: str) -> None:
    with pytest.raises(CorpusError) as refused:
        corpus_folders(corpora / nothing)
    assert str(refused.value) == (
        f"{corpora / nothing} holds no corpus: expected folders with an index.csv that has the "
        "columns file, speaker, sex, language, emotion, or with the db.yaml of an audformat "
        "database that has emotions"
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


@pytest.mark.parametrize("amplitude", [0.003, 0.1, 0.9])
def test_a_recording_is_left_as_it_is(tmp_path: Path, amplitude: float) -> None:
    soundfile.write(tmp_path / "clip.wav", sine(1, amplitude), 8000, "FLOAT")
    samples, level_db = read_recording(tmp_path / "clip.wav")
    assert np.array_equal(samples, sine(1, amplitude))
    assert level_db == pytest.approx(20 * np.log10(amplitude / np.sqrt(2)), abs=0.001)


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


def test_silence_stays_as_it_is(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", silence(1.0), 8000)
    samples = read_audio(tmp_path / "clip.wav")
    assert len(samples) == 8000 and not samples.any()


def test_a_clip_of_less_than_a_frame_is_brought_to_the_level(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", np.full(80, 0.5, np.float32), 8000, "FLOAT")
    level = 10 ** (ACTIVE_LEVEL_DB / 20)
    assert read_audio(tmp_path / "clip.wav") == pytest.approx([level] * 80)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", np.full(800, np.nan, np.float32), 8000, "FLOAT")
    with pytest.raises(CorpusError, match="no numbers"):
        read_audio(tmp_path / "clip.wav")


@pytest.mark.parametrize("written", ["quoted", "utf-16"])
def test_an_index_is_read_as_csv_wherever_it_is_looked_at(tmp_path: Path, written: str) -> None:
    rows = '"file","speaker","sex","language","emotion"\n'
    (tmp_path / "index.csv").write_text(rows, "utf-8" if written == "quoted" else "utf-16")
    if written == "quoted":
        assert corpus_folders(tmp_path) == [tmp_path]
        return
    with pytest.raises(CorpusError, match="in UTF-8"):
        corpus_folders(tmp_path)


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
