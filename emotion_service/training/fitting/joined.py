"""A clip as the service hears it in the middle of a call: its beginning, after what came before.

Joined are frames of features, not audio. That is exact but for the first frames after the pause:
frames without a voice are zeros, so nothing of what lies between is heard; a frame looks back 64 ms
at most; and the network takes the window's own mean out of it in its graph. What is not the same is
voice activity: in the middle of a call it hears a voice 40-90 ms later than at the start of a clip.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emotion_service.audio.prosody import describe
from emotion_service.scoring.speaker import WINDOW_FRAMES
from emotion_service.training.fitting.windows import ClipWindows, Shown
from emotion_service.types import ENERGY, HOP, MEL_BANDS, BoolArray, FeatureFrames, FloatArray

NEPERS_PER_DB = np.log(10) / 10  # of power


def opening(clip: ClipWindows, speech: int) -> ClipWindows:
    """The clip up to its frame number `speech` (1 or more) with a voice, or its last, and a window
    that ends there. The clip must have a voice."""
    spoken = np.flatnonzero(clip.voice)
    end = int(spoken[min(speech, len(spoken)) - 1]) + 1
    before = tuple(shown for shown in clip.windows if shown.last < end)
    return _heard(clip.values[:end], clip.voice[:end], before)


def joined(earlier: ClipWindows, pause: int, later: ClipWindows) -> ClipWindows:
    """One clip, so many frames without a voice, and the other; the last window may span all three.

    The windows before the last are those of the two clips, each by itself.
    """
    begin = len(earlier.voice) + pause
    moved = (
        replace(shown, first=shown.first + begin, last=shown.last + begin)
        for shown in later.windows[:-1]
    )
    between = np.zeros((pause, later.values.shape[1]), np.float32)
    return _heard(
        np.concatenate([earlier.values, between, later.values]),
        np.concatenate([earlier.voice, between.any(axis=1), later.voice]),
        (*earlier.windows, *moved),
    )


def as_loud_as(other: ClipWindows, clip: ClipWindows, more_db: float) -> ClipWindows:
    """`clip` over a line whose gain makes its speech so much louder than that of `other`.

    Both must have a voice.
    """
    gain_db = _level_db(other) + more_db - _level_db(clip)
    values = clip.values.copy()
    values[clip.voice, :MEL_BANDS] += gain_db * NEPERS_PER_DB
    values[clip.voice, ENERGY] += gain_db
    return replace(clip, values=values)


def _level_db(clip: ClipWindows) -> float:
    """The mean power of its speech."""
    power = 10 ** (clip.values[clip.voice, ENERGY].astype(np.float64) / 10)
    return float(10 * np.log10(power.mean()))


def _heard(values: FloatArray, voice: BoolArray, before: tuple[Shown, ...]) -> ClipWindows:
    """With one more window, which ends where the frames end."""
    end = len(voice)
    first = max(0, end - WINDOW_FRAMES)
    new = slice(before[-1].last if before else 0, end)
    prosody = describe(FeatureFrames(first * HOP, values[first:], voice[first:]))
    shown = Shown(first, end, prosody, int(voice[new].sum()) * HOP)
    return ClipWindows(values, voice, (*before, shown))
