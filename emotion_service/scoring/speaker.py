"""What scoring remembers of one speaker: the last seconds of frames, and what is usual."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emotion_service.scoring.baseline import Baseline, Typical
from emotion_service.types import FEATURE_NAMES, HOP, FeatureFrames, FloatArray, Prosody

WINDOW_FRAMES = 400  # 4 s of continuous frames, pauses included


class Speaker:
    """The ring of one leg's feature frames, and its baseline."""

    def __init__(self, prior: Mapping[str, Typical]) -> None:
        self.baseline = Baseline(prior)
        self._end = 0  # of the window, samples
        self._voice = NO_FRAMES.voice  # of its frames,
        self._voiced = NO_FRAMES.values  # and the values of those that have one: others are zeros

    def append(self, frames: FeatureFrames) -> FeatureFrames:
        """Adds new frames; returns the window that ends with them, at most WINDOW_FRAMES.

        After a hole in time the window starts anew.
        """
        if frames.start != self._end:
            self._voice, self._voiced = NO_FRAMES.voice, NO_FRAMES.values
        voice = np.concatenate([self._voice, frames.voice])[-WINDOW_FRAMES:]
        voiced = np.concatenate([self._voiced, frames.values[frames.voice]])
        voiced = voiced[len(voiced) - voice.sum() :]
        self._end, self._voice, self._voiced = frames.end, voice, voiced
        values = np.zeros((len(voice), len(FEATURE_NAMES)), np.float32)
        values[voice] = voiced
        return FeatureFrames(frames.end - len(voice) * HOP, values, voice)

    def learn(self, prosody: Prosody, new: FeatureFrames) -> None:
        """Adds a window's prosody to the baseline, weighted by the speech of its new frames."""
        self.baseline.update(prosody, int(new.voice.sum()) * HOP)

    def copy(self) -> Speaker:
        """The same memory, to go back to; see restore."""
        same = Speaker({})
        same.restore(self)
        return same

    def restore(self, earlier: Speaker) -> None:
        """Back to what an earlier copy remembers, as if nothing had been heard since."""
        self.baseline = earlier.baseline.copy()
        self._end, self._voice = earlier._end, earlier._voice
        self._voiced = earlier._voiced


def padded(window: FeatureFrames) -> tuple[FloatArray, FloatArray]:
    """The window as the model takes it: float32 (400, F) and (400,), before it no voice. The
    frames of a full window are its own array."""
    missing = WINDOW_FRAMES - len(window.voice)
    voice = window.voice.astype(np.float32)
    if missing == 0:  # as nearly always
        return window.values, voice
    before = np.zeros((missing, len(FEATURE_NAMES)), np.float32)
    return (
        np.concatenate([before, window.values]),
        np.concatenate([np.zeros(missing, np.float32), voice]),
    )


NO_FRAMES = FeatureFrames(0, np.zeros((0, len(FEATURE_NAMES)), np.float32), np.zeros(0, np.bool_))
