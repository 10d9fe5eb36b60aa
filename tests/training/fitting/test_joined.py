"""A clip in the middle of a call: what of it is heard, and after what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest

from emotion_service.scoring.speaker import WINDOW_FRAMES
from emotion_service.training.fitting.joined import as_loud_as, joined, opening
from emotion_service.training.fitting.prepare import Example
from emotion_service.training.fitting.windows import ClipWindows, windows_of
from emotion_service.types import ENERGY, FEATURE_NAMES, HOP, LOG_F0, MEL_BANDS, FloatArray

Voice: TypeAlias = Callable[[float, int], FloatArray]


def spoken(voice: list[bool], value: float) -> ClipWindows:
    """Frames that are all of one value where there is a voice; no windows."""
    voiced = np.array(voice)
    values = np.full((len(voice), len(FEATURE_NAMES)), value, np.float32)
    values[~voiced] = 0.0
    return ClipWindows(values, voiced, ())


def shown(clip: ClipWindows) -> FloatArray:
    return clip.inputs(len(clip.windows) - 1)[0]


def test_an_opening_ends_with_the_speech_that_was_asked_for() -> None:
    clip = spoken([False] * 3 + [True] * 50 + [False] * 20 + [True] * 50, 1.0)
    first = opening(clip, 60)
    assert len(first.voice) == 3 + 50 + 20 + 10
    (window,) = first.windows
    assert (window.first, window.last) == (0, 83)
    assert window.prosody.speech == window.new_speech == 60 * HOP


def test_an_opening_of_more_than_there_is_ends_with_the_last_word() -> None:
    clip = spoken([True] * 30 + [False] * 9, 1.0)
    assert len(opening(clip, 31).voice) == 30


def test_an_opening_keeps_the_windows_before_it(examples: list[Example]) -> None:
    clip = examples[0].plain
    first = opening(clip, int(clip.voice.sum()) - 1)
    earlier = clip.windows[: len(first.windows) - 1]
    assert earlier
    assert first.windows[:-1] == earlier
    new = sum(window.new_speech for window in first.windows)
    assert new == int(first.voice.sum()) * HOP


def test_a_window_over_both_clips_by_hand() -> None:
    """300 frames of the first, 40 of nothing, 100 of the second: the last 400 are seen."""
    both = joined(spoken([True] * 300, 1.0), 40, spoken([True] * 100, 2.0))
    (window,) = both.windows
    assert (window.first, window.last) == (40, 440)
    frames, voice = both.inputs(0)
    expected = np.repeat([1.0, 0.0, 2.0], [260, 40, 100]).astype(np.float32)
    assert (frames == expected[:, None]).all()
    assert (voice == (expected > 0)).all()
    assert window.prosody.speech == 360 * HOP
    assert window.prosody.pitch == pytest.approx((260 * 1.0 + 100 * 2.0) / 360)


def test_joined_clips_know_what_was_said_in_both(examples: list[Example]) -> None:
    one, other = examples[0].plain, opening(examples[1].plain, 60)
    both = joined(one, 40, other)
    begin = len(one.voice) + 40
    assert both.windows[: len(one.windows)] == one.windows
    assert len(both.windows) == len(one.windows) + len(other.windows)
    assert both.windows[-1].last == begin + len(other.voice)
    assert both.windows[-1].new_speech == other.windows[-1].new_speech
    assert both.windows[-1].last - both.windows[-1].first <= WINDOW_FRAMES


def test_joined_frames_are_those_of_the_joined_audio(speech: Voice) -> None:
    """From 64 ms on, as far as a frame looks back, and where both are taken for speech."""
    audio, pause = (speech(1.6, 1), speech(1.6, 2)), np.zeros(4800, np.float32)
    whole = windows_of(np.concatenate([audio[0], pause, audio[1]]), "audio/PCMU")
    one, other = (windows_of(samples, "audio/PCMU") for samples in audio)
    begin = (len(audio[0]) + len(pause)) // HOP
    both = joined(one, begin - len(one.voice), opening(other, int(other.voice.sum())))
    seen = min(len(whole.voice), len(both.voice))
    after = np.arange(seen) >= begin + 7
    spoken_in = [clip.voice[:seen] & after for clip in (whole, both)]
    common = spoken_in[0] & spoken_in[1]
    assert common.sum() > 0.9 * spoken_in[1].sum() > 60
    assert np.array_equal(whole.values[:seen][common], both.values[:seen][common])


def test_equally_loud(examples: list[Example]) -> None:
    quiet = examples[0].plain
    louder = as_loud_as(quiet, quiet, 10.0)
    moved = louder.values - quiet.values
    assert moved[quiet.voice][:, ENERGY] == pytest.approx(10.0, abs=1e-4)
    assert moved[quiet.voice][:, :MEL_BANDS] == pytest.approx(np.log(10), abs=1e-4)
    assert not moved[quiet.voice][:, LOG_F0].any()
    assert not moved[~quiet.voice].any()
    back = as_loud_as(quiet, louder, 0.0)
    assert back.values == pytest.approx(quiet.values, abs=1e-4)
    assert replace(back, values=quiet.values).windows == quiet.windows
