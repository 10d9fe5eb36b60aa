"""A demo call holds what its truth says, where it says it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import read_audio
from emotion_service.training.corpora.simulate import (
    COURSE,
    LINE_NOISE,
    PAUSE_SECONDS,
    TURN_CLIPS,
    write_demo_call,
)
from emotion_service.types import FloatArray


def written(out: Path) -> tuple[FloatArray, dict[str, Any]]:
    audio, rate = soundfile.read(out, dtype="float32")
    assert rate == 8000
    return audio, json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def out(tiny_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "call.flac"
    assert write_demo_call(tiny_corpora, "bob", path, {"ann"}) == "bob"
    return path


def bounds(segment: dict[str, Any]) -> slice:
    start, end = segment["start_seconds"] * 8000, segment["end_seconds"] * 8000
    assert (start, end) == pytest.approx((round(start), round(end)), abs=1e-6)
    return slice(round(start), round(end))


def test_the_truth_names_who_speaks(out: Path) -> None:
    _, truth = written(out)
    del truth["segments"]
    assert truth == {
        "sample_rate_hertz": 8000,
        "synthetic": False,
        "corpus": "tiny",
        "speaker": "bob",
        "language": "en",
        "model_heard_speaker": False,
    }


def test_every_segment_holds_its_clip_to_the_sample(out: Path, tiny_corpora: Path) -> None:
    audio, truth = written(out)
    assert audio.shape == (bounds(truth["segments"][-1]).stop + 8000, 2)
    for segment in truth["segments"]:
        leg = ("customer", "agent").index(segment["leg"])
        name = f"{('bob', 'ann')[leg]}_{segment['emotion']}.flac"
        clip = read_audio(tiny_corpora / "tiny" / "audio" / name)
        noise = audio[bounds(segment), leg] - clip
        assert np.std(noise) == pytest.approx(LINE_NOISE, rel=0.1)
        assert segment["kind"] == "speech"


def test_between_segments_there_is_only_the_line(out: Path) -> None:
    audio, truth = written(out)
    silent = np.ones(audio.shape, np.bool_)
    for segment in truth["segments"]:
        silent[bounds(segment), ("customer", "agent").index(segment["leg"])] = False
    for leg in (0, 1):
        line = audio[silent[:, leg], leg]
        assert np.std(line) == pytest.approx(LINE_NOISE, rel=0.05)
        assert np.abs(line).max() < 6 * LINE_NOISE


def test_the_customer_is_neutral_then_angry_then_neutral(out: Path) -> None:
    _, truth = written(out)
    segments = truth["segments"]
    customer = [segment for segment in segments if segment["leg"] == "customer"]
    runs: list[tuple[str, float]] = []
    for segment in customer:
        length = segment["end_seconds"] - segment["start_seconds"]
        if not runs or runs[-1][0] != segment["emotion"]:
            runs.append((segment["emotion"], 0.0))
        runs[-1] = (segment["emotion"], runs[-1][1] + length)
    assert [emotion for emotion, _ in runs] == [emotion for emotion, _ in COURSE]
    for (_, spoken), (_, wanted) in zip(runs, COURSE, strict=True):
        assert wanted - 1e-6 <= spoken < wanted + 1.5


def test_the_legs_take_turns_with_pauses(out: Path) -> None:
    _, truth = written(out)
    segments = truth["segments"]
    assert segments[0]["leg"] == "agent"
    assert {segment["emotion"] for segment in segments if segment["leg"] == "agent"} == {"neutral"}
    for before, after in pairwise(segments):
        pause = after["start_seconds"] - before["end_seconds"]
        assert PAUSE_SECONDS[0] - 1e-3 <= pause <= PAUSE_SECONDS[1]
    turns = "".join(segment["leg"][0] for segment in segments).split("a")
    assert max(map(len, turns)) <= 2 * TURN_CLIPS - 1  # a turn may go on as the emotion changes
    assert "c" * TURN_CLIPS in turns


def test_the_same_speaker_gives_the_same_call(tiny_corpora: Path, tmp_path: Path) -> None:
    for name in ("one.flac", "two.flac"):
        write_demo_call(tiny_corpora, "ann", tmp_path / name, ())
    assert (tmp_path / "one.flac").read_bytes() == (tmp_path / "two.flac").read_bytes()
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


@pytest.mark.parametrize(
    ("heard", "chosen"), [((), "ann"), (("ann",), "bob"), (("ann", "bob"), "ann")]
)
def test_without_a_name_a_speaker_is_taken_whom_the_model_never_heard(
    tiny_corpora: Path, tmp_path: Path, heard: tuple[str, ...], chosen: str
) -> None:
    out = tmp_path / "call.flac"
    assert write_demo_call(tiny_corpora, None, out, heard) == chosen
    assert written(out)[1]["model_heard_speaker"] == (chosen in heard)


def test_a_speaker_recorded_like_those_the_model_heard_comes_first(
    tiny_corpora: Path, tmp_path: Path
) -> None:
    """Another room is another matter: the call is to show moods."""
    shutil.copytree(tiny_corpora / "tiny", tmp_path / "corpora" / "tiny")
    other = tmp_path / "corpora" / "another"
    shutil.copytree(tiny_corpora / "tiny", other)
    index = (other / "index.csv").read_text()
    (other / "index.csv").write_text(index.replace(",ann,", ",eve,").replace(",bob,", ",guy,"))
    for heard, chosen in (((), "eve"), (("ann",), "bob"), (("ann", "bob"), "ann")):
        out = tmp_path / "call.flac"
        assert write_demo_call(tmp_path / "corpora", None, out, heard) == chosen


# --- what cannot be made ----------------------------------------------------------------------


@pytest.fixture
def without(tiny_corpora: Path, tmp_path: Path) -> Callable[..., Path]:
    """The corpora without the clips that have these words in their rows."""

    def without(*words: str) -> Path:
        folder = tmp_path / "corpora"
        shutil.copytree(tiny_corpora, folder)
        index = folder / "tiny" / "index.csv"
        rows = index.read_text().splitlines()
        kept = [row for row in rows if not any(word in row for word in words)]
        index.write_text("\n".join(kept) + "\n")
        return folder

    return without


def test_a_speaker_who_is_never_angry_is_refused(
    without: Callable[..., Path], tmp_path: Path
) -> None:
    corpora = without("bob_anger")
    with pytest.raises(CorpusError, match="no clip of speaker bob with anger"):
        write_demo_call(corpora, "bob", tmp_path / "call.flac", ())
    assert write_demo_call(corpora, None, tmp_path / "call.flac", ("ann",)) == "ann"


def test_a_speaker_nobody_knows_is_refused(tiny_corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no clip of speaker eve"):
        write_demo_call(tiny_corpora, "eve", tmp_path / "call.flac", ())


def test_a_call_takes_two(without: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no neutral clip of a second speaker"):
        write_demo_call(without("bob"), "ann", tmp_path / "call.flac", ())


def test_somebody_must_be_angry(without: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no speaker of the corpora"):
        write_demo_call(without("anger"), None, tmp_path / "call.flac", ())
