"""Windows altered from look to look, so that a network learns what stays."""

from __future__ import annotations

import numpy as np

from emotion_service.audio.features import BIN_HERTZ, MEL
from emotion_service.types import CENTROID, MEL_BANDS, FloatArray

CENTRES_HERTZ = BIN_HERTZ @ MEL / MEL.sum(axis=0)  # of the mel bands


def masked(frames: FloatArray, voice: FloatArray, random: np.random.Generator) -> FloatArray:
    """Hides a few bands and a short stretch of each window (SpecAugment, Park et al. 2019)."""
    frames = frames.copy()
    for window, speech in zip(frames, voice, strict=True):
        mean = window[speech > 0, :MEL_BANDS].mean(axis=0)
        band, width = random.integers(0, MEL_BANDS - 8), random.integers(0, 9)
        window[:, band : band + width] = mean[band : band + width]
        at, length = random.integers(0, len(window) - 30), random.integers(0, 31)
        window[at : at + length, :MEL_BANDS] = mean
    return frames


def warped(frames: FloatArray, factor: float) -> FloatArray:
    """Frames (t, F) of a vocal tract `factor` times as short: what was at a frequency is at
    `factor` times that (vocal tract length perturbation, Jaitly & Hinton 2013). Pitch stays: to the
    network it is relative to the speaker's own. Frames of zeros stay as they are.
    """
    place = np.interp(CENTRES_HERTZ / factor, CENTRES_HERTZ, np.arange(MEL_BANDS))
    below = np.minimum(place.astype(int), MEL_BANDS - 2)
    part = (place - below).astype(np.float32)
    mel, centroid = frames[:, :MEL_BANDS], frames[:, CENTROID]
    moved = frames.copy()
    moved[:, :MEL_BANDS] = mel[:, below] * (1 - part) + mel[:, below + 1] * part
    moved[:, CENTROID] = np.where(centroid > 0, centroid + np.float32(np.log(factor)), centroid)
    return moved
