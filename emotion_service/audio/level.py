"""A slow causal gain that brings speech to one level, before voice activity and the sound gate.

Both have thresholds of their own, and on a telephone line the level means nothing. The features are
of the audio as received: those who use them take its level out, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import log10

import numpy as np

from emotion_service.types import BLOCK, FloatArray

TARGET_DB = -18.0  # the 60 ms peak level that active speech at -26 dBov (ITU-T P.56) reaches
FLOOR_DB = -40.0  # quieter than this is not amplified further: gain is at most +22 dB
RELEASE_DB = 0.02  # a block (20 ms) of speech lets the peak level fall by this: 1 dB a second
ACTIVE_DB = 20.0  # blocks within this of the peak level count as speech
DOUBT = 500  # blocks (10 s) of sound since the last active one: the peak was no speech
SMOOTHING = 3  # blocks (60 ms): shorter than a syllable, longer than a click


class Level:
    """The gain of one leg: instant attack on the 60 ms level, 1 dB/s release during speech, and
    during any sound once ten seconds of it never came near the peak.

    Above the floor the output does not depend on the input's gain: scaling the input by c
    scales the tracked level by c. Only the first block differs, over which the gain comes down
    from its greatest value.
    """

    def __init__(self) -> None:
        self._peak_db = FLOOR_DB
        self._older = self._before = 0.0  # mean squares of the last two blocks
        self._gain = 10.0 ** ((TARGET_DB - FLOOR_DB) / 20.0)
        self._doubt = 0  # blocks above the floor since the last one that counted as speech

    def apply(self, samples: FloatArray) -> FloatArray:
        """Levels whole blocks: float32 (k * BLOCK,) to the same shape; may exceed ±1."""
        return apply([self], samples, [len(samples) // BLOCK])

    def follow(self, power: float) -> tuple[float, float]:
        """The next block's mean square to the gain at its beginning and at its end."""
        mean = (self._older + self._before + power) / SMOOTHING
        self._older, self._before = self._before, power
        level_db = 10.0 * log10(mean + 1e-12)
        before, peak_db = self._gain, self._peak_db
        if level_db > peak_db - ACTIVE_DB:
            self._doubt = 0
        elif level_db <= FLOOR_DB or self._doubt < DOUBT:
            self._doubt += level_db > FLOOR_DB
            return before, before
        self._peak_db = level_db if level_db > peak_db else max(FLOOR_DB, peak_db - RELEASE_DB)
        self._gain = 10.0 ** ((TARGET_DB - self._peak_db) / 20.0)
        return before, self._gain


def apply(levels: Sequence[Level], samples: FloatArray, counts: Sequence[int]) -> FloatArray:
    """Levels the whole blocks of several legs in one pass: float32 (sum(counts) * BLOCK,), leg
    after leg."""
    blocks = samples.reshape(-1, BLOCK)
    powers = iter((np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64) / BLOCK).tolist())
    gains = np.array(
        [
            level.follow(power)
            for level, count in zip(levels, counts, strict=True)
            for power in islice(powers, count)
        ]
    ).reshape(-1, 2)
    # Linear from one block's gain to the next: no step that would look like an onset.
    curve = gains[:, :1] + (gains[:, 1:] - gains[:, :1]) * _RAMP
    levelled: FloatArray = (blocks * curve.astype(np.float32)).reshape(-1)
    return levelled


_RAMP = np.arange(1, BLOCK + 1) / BLOCK
