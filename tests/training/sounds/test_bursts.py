"""What is judged was never learned from; bursts are joined to 8 s, background is cut to 8 s."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import active_level_db
from emotion_service.training.sounds.bursts import (
    NonSpeech,
    cut,
    generated,
    join,
    recorded,
)
from emotion_service.training.sounds.sounds import SOUNDS, TEST_SEEDS, TRAINING_SEEDS, Part
from emotion_service.types import FloatArray


def tone(seconds: float, hertz: float) -> FloatArray:
    wave: FloatArray = np.sin(2 * np.pi * hertz * np.arange(int(seconds * 8000)) / 8000)
    return (0.3 * wave).astype(np.float32)


def write(folder: Path, rows: Sequence[Sequence[str]], audio: Sequence[FloatArray]) -> None:
    (folder / "audio").mkdir(parents=True)
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    for row, samples in zip(rows[1:], audio, strict=True):
        soundfile.write(folder / row[0], samples, 8000, subtype="PCM_16")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten speakers with three laughs and a sigh each, of 1.5 s; three noises and one song."""
    folder = tmp_path_factory.mktemp("recordings")
    bursts = [
        (f"audio/{s}{i}.flac", f"speaker{s}", "laughter" if i < 3 else "sigh", "1.5")
        for s in range(10)
        for i in range(4)
    ]
    audio = [tone(1.5, 200 + 10 * i) for i in range(len(bursts))]
    write(folder / "vocal_bursts", [("file", "speaker", "kind", "duration_s"), *bursts], audio)
    around = [(f"audio/n{i}.flac", "noise", "here", "20.5") for i in range(3)]
    around.append(("audio/song.flac", "music", "here", "2.0"))
    audio = [*(tone(20.5, 100 * i + 300) for i in range(3)), tone(2.0, 500)]
    write(folder / "background", [("file", "kind", "source", "duration_s"), *around], audio)
    return folder


def files(sounds: Sequence[NonSpeech], kind: str) -> list[str]:
    """The files that these sounds of a kind are made of, each as often as it is read."""
    named: list[Path] = []
    for sound in sounds:
        if sound.kind.startswith(kind):
            assert isinstance(sound.make, partial)
            paths = sound.make.args[0]
            named += [paths] if isinstance(paths, Path) else paths
    return [path.name for path in named]


def test_no_speaker_and_no_file_is_in_both_parts(recordings: Path) -> None:
    learned, judged = (recorded(recordings, part, 0) for part in (Part.LEARNED, Part.JUDGED))
    speakers = [{name[0] for name in files(part, "burst")} for part in (learned, judged)]
    assert [len(part) for part in speakers] == [7, 3]
    assert not speakers[0] & speakers[1]
    around = [set(files(part, "background")) for part in (learned, judged)]
    assert not around[0] & around[1]
    assert around[0] | around[1] == {"n0.flac", "n1.flac", "n2.flac", "song.flac"}


def test_each_burst_is_heard_once(recordings: Path) -> None:
    sounds = recorded(recordings, Part.LEARNED, 0)
    joined = files(sounds, "burst: laughter")
    assert len(joined) == len(set(joined)) == 21


def test_another_seed_joins_otherwise_but_parts_alike(recordings: Path) -> None:
    first, second = (recorded(recordings, Part.JUDGED, seed) for seed in (0, 1))
    assert sorted(files(first, "burst")) == sorted(files(second, "burst"))
    assert any(
        not np.array_equal(a.make(), b.make())
        for a, b in zip(first, second, strict=True)
        if a.kind == "burst: laughter"
    )


def test_joined_bursts_are_8_s_with_short_gaps(recordings: Path) -> None:
    paths = sorted((recordings / "vocal_bursts" / "audio").iterdir())[:3]
    joined = join(paths, seed=1)
    assert (joined.dtype.name, joined.shape) == ("float32", (64_000,))
    loud = np.abs(joined).reshape(-1, 80).max(axis=1) > 0.02
    edges = np.flatnonzero(np.diff(loud.astype(int))) + 1
    lengths = np.diff(edges) / 100
    gaps, bursts = lengths[::2], lengths[1::2]
    assert len(gaps) == 4
    assert gaps.min() >= 0.09
    assert gaps.max() <= 0.41
    assert bursts == pytest.approx(1.5, abs=0.02)
    assert active_level_db(joined[:12_000]) == pytest.approx(-26.0, abs=0.1)
    np.testing.assert_array_equal(joined, join(paths, seed=1))


def test_a_cut_is_8_s_of_its_file_and_a_short_file_begins_again(recordings: Path) -> None:
    folder = recordings / "background" / "audio"
    whole = np.concatenate([cut(folder / "n0.flac", number) for number in (0, 1)])
    scale = whole[5] / tone(20.5, 300)[5]
    np.testing.assert_allclose(whole, scale * tone(20.5, 300)[:128_000], atol=1e-4)
    short = cut(folder / "song.flac", 0)
    np.testing.assert_array_equal(short[:16_000], short[48_000:])


def test_parts_have_seeds_of_their_own() -> None:
    for part, seeds in ((Part.LEARNED, TRAINING_SEEDS), (Part.JUDGED, TEST_SEEDS)):
        sounds = generated(part, 999, 2, 1.0)
        assert len(sounds) == 2 * len(SOUNDS)
        assert [s.name for s in sounds[:2]] == [
            f"{sounds[0].kind}-{seeds[999_000]}",
            f"{sounds[0].kind}-{seeds[999_001]}",
        ]


@pytest.mark.parametrize(("seed", "each"), [(-1, 1), (1000, 1), (0, 1001)])
def test_a_part_does_not_run_into_the_next(seed: int, each: int) -> None:
    with pytest.raises(ValueError, match="0-999 and at most 1000"):
        generated(Part.LEARNED, seed, each, 8.0)


def test_all_clips_are_8_s_and_named_once(recordings: Path) -> None:
    sounds = recorded(recordings, Part.JUDGED, 0)
    clips = [sound.make() for sound in sounds]
    assert len({sound.name for sound in sounds}) == len(sounds) == 2 + 1 + 2 + 1
    assert {(clip.dtype.name, clip.shape) for clip in clips} == {("float32", (64_000,))}


def test_a_folder_without_recordings_has_none(tmp_path: Path) -> None:
    assert recorded(tmp_path, Part.LEARNED, 0) == []


def test_a_row_that_lacks_its_speaker_is_named(tmp_path: Path) -> None:
    rows = [("file", "speaker", "kind", "duration_s"), ("audio/a.flac", "", "laughter", "1.0")]
    write(tmp_path / "vocal_bursts", rows, [tone(1.0, 300)])
    with pytest.raises(CorpusError, match=r"row 1 of .*index.csv is incomplete"):
        recorded(tmp_path, Part.LEARNED, 0)


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "background").mkdir()
    with pytest.raises(CorpusError, match=r"background/index.csv cannot be read"):
        recorded(tmp_path, Part.LEARNED, 0)
