"""The ring of frames against a list of everything ever appended."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.speaker import WINDOW_FRAMES, Speaker, padded
from emotion_service.types import FEATURE_NAMES, HOP, FeatureFrames, Prosody

PRIOR = {name: Typical(4.0, 1.0) for name in QUANTITIES}
FAST = Prosody(speech=8000, pitch=None, pitch_range=None, pace=8.0, tilt=None, roughness=None)


def frames(first: int, count: int, offset: int = 0) -> FeatureFrames:
    """Where i is odd, frame i of the leg has a voice and holds i + offset in every feature."""
    numbers = np.arange(first, first + count)
    voice = numbers % 2 == 1
    values = np.repeat(((numbers + offset) * voice)[:, np.newaxis], len(FEATURE_NAMES), axis=1)
    return FeatureFrames(first * HOP, values.astype(np.float32), voice)


def same(given_frames: FeatureFrames, expected: FeatureFrames) -> bool:
    return (
        given_frames.start == expected.start
        and np.array_equal(given_frames.values, expected.values)
        and np.array_equal(given_frames.voice, expected.voice)
    )


# --- the ring ---------------------------------------------------------------------------------


def test_the_first_frames_are_the_window_wherever_they_start() -> None:
    assert same(Speaker(PRIOR).append(frames(70, 50)), frames(70, 50))


def test_what_follows_on_is_added() -> None:
    speaker = Speaker(PRIOR)
    speaker.append(frames(0, 50))
    assert same(speaker.append(frames(50, 30)), frames(0, 80))


def test_the_window_holds_the_last_four_seconds() -> None:
    assert WINDOW_FRAMES * HOP == 4 * 8000
    speaker = Speaker(PRIOR)
    speaker.append(frames(0, 390))
    assert same(speaker.append(frames(390, 10)), frames(0, 400))
    assert same(speaker.append(frames(400, 50)), frames(50, 400))
    assert same(speaker.append(frames(450, 700)), frames(750, 400))


@pytest.mark.parametrize("hole", [1, 50, 4000])
def test_after_a_hole_the_window_starts_anew(hole: int) -> None:
    speaker = Speaker(PRIOR)
    speaker.append(frames(0, 100))
    assert same(speaker.append(frames(100 + hole, 20)), frames(100 + hole, 20))
    assert same(speaker.append(frames(120 + hole, 20)), frames(100 + hole, 40))


@pytest.mark.parametrize("first", [0, 40, 100, 149])
def test_frames_that_do_not_follow_on_start_the_window_anew(first: int) -> None:
    speaker = Speaker(PRIOR)
    speaker.append(frames(100, 50))
    assert same(speaker.append(frames(first, 20)), frames(first, 20))


@given(st.lists(st.integers(1, 250), min_size=1, max_size=8))
def test_the_window_is_the_end_of_all_that_was_appended(counts: list[int]) -> None:
    speaker = Speaker(PRIOR)
    for first, last in pairwise(accumulate(counts, initial=0)):
        window = speaker.append(frames(first, last - first))
        kept = min(last, WINDOW_FRAMES)
        assert same(window, frames(last - kept, kept))


# --- going back -------------------------------------------------------------------------------


@given(st.integers(0, 600), st.integers(1, 450))
def test_what_failed_can_be_heard_again(before: int, count: int) -> None:
    """A batch that failed is scored again, from the memory as it was."""
    speaker = Speaker(PRIOR)
    speaker.append(frames(0, before))
    speaker.learn(FAST, frames(0, before))
    pace, memory = speaker.baseline.mean("pace"), speaker.copy()
    once = speaker.append(frames(before, count))
    speaker.learn(FAST, frames(before, count))
    after = speaker.baseline.mean("pace")
    speaker.restore(memory)
    assert speaker.baseline.mean("pace") == pace
    again = speaker.append(frames(before, count))
    speaker.learn(FAST, frames(before, count))
    assert same(again, once)
    assert speaker.baseline.mean("pace") == after


def test_a_copy_stays_as_it_is_and_can_be_gone_back_to_twice() -> None:
    speaker = Speaker(PRIOR)
    speaker.append(frames(0, 50))
    memory = speaker.copy()
    for _ in range(2):
        assert same(speaker.append(frames(50, 10)), frames(0, 60))
        speaker.learn(FAST, frames(0, 400))
        assert speaker.baseline.mean("pace") == pytest.approx((4 * 4.0 + 2 * 8.0) / 6)
        speaker.restore(memory)
        assert speaker.baseline.mean("pace") == pytest.approx(4.0)


# --- what is learned --------------------------------------------------------------------------


def test_a_window_counts_by_the_speech_of_its_new_frames() -> None:
    speaker = Speaker(PRIOR)
    # 400 frames, half of them voice: two seconds against the prior's four.
    speaker.learn(FAST, frames(0, 400))
    assert speaker.baseline.mean("pace") == pytest.approx((4 * 4.0 + 2 * 8.0) / 6)


def test_frames_without_speech_teach_nothing() -> None:
    speaker = Speaker(PRIOR)
    speaker.learn(FAST, frames(0, 1))
    assert speaker.baseline.mean("pace") == pytest.approx(4.0)


def test_speakers_share_nothing() -> None:
    one, other = Speaker(PRIOR), Speaker(PRIOR)
    one.append(frames(0, 50))
    one.learn(FAST, frames(0, 400))
    assert other.baseline.mean("pace") == pytest.approx(4.0)
    assert same(other.append(frames(50, 5)), frames(50, 5))


# --- padding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 399, 400])
def test_what_is_missing_before_has_no_voice(count: int) -> None:
    window = frames(1, count)
    values, voice = padded(window)
    assert values.dtype == voice.dtype == np.float32
    assert values.shape == (WINDOW_FRAMES, len(FEATURE_NAMES))
    missing = WINDOW_FRAMES - count
    assert not values[:missing].any()
    assert not voice[:missing].any()
    assert np.array_equal(values[missing:], window.values)
    assert np.array_equal(voice[missing:], window.voice.astype(np.float32))
