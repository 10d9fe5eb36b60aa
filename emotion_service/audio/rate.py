"""Whether a leg's offsets agree with the rate it was declared with.

A tenth apart is the least that shows: 44100 Hz and 48000 Hz pass for each other.
"""

from __future__ import annotations

import numpy as np

from emotion_service.errors import BadInput
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

MESSAGES = 50  # in a row must contradict: loss at random and jitter never last that long,
SECONDS = 5.0  # and bounded errors of the offsets never add up over that much of the call
TOLERANCE = 0.1  # of a message's length
# So many times its own length apart, messages are comfort noise: no rates differ that much. At
# 8 kHz, the lowest there is, only a mistaken sample width or channel can: by 2.
SPARSE = 6.5
SPARSE_AT_LOWEST = 2.5


class RateWatch:
    """Follows the messages of one leg in the order of their arrival.

    Each that begins a tenth of a message or more before the one before it ends, or after, speaks
    against the rate. One that goes back, repeats what was there, or has another sequence number
    than the next one says nothing of the rate.
    """

    def __init__(self, sample_rate_hertz: int) -> None:
        self._rate = sample_rate_hertz
        self._sparse = min(SPARSE, SPARSE_AT_LOWEST * sample_rate_hertz / SAMPLE_RATE_HERTZ)
        self._last: tuple[int, FloatArray, int | None] | None = None
        self._tendency = 0  # 1: messages too long for their offsets, -1: too short, 0: they fit
        self._messages = self._held = self._span = 0  # of the run with this tendency

    def forget(self) -> None:
        """A message came that has no offset."""
        self._last, self._tendency = None, 0

    def follow(self, start: int, samples: FloatArray, sequence: int | None) -> None:
        """A message at `start` (samples of the leg's rate), float32 (n,).

        Raises:
            BadInput: RATE_CONTRADICTED, at the 50th contradiction in a row over 5 s or more.
        """
        if not len(samples):
            return
        last, self._last = self._last, (start, samples, sequence)
        if last is None:
            return
        follows_on = start - last[0] == len(last[1])
        sparse = start - last[0] > self._sparse * len(last[1])
        tendency = 0 if follows_on or sparse else _tendency(*last, start, samples, sequence)
        if tendency != self._tendency:
            self._messages = self._held = self._span = 0
        self._tendency = tendency
        if not tendency:
            return
        self._messages += 1
        self._held += len(last[1])
        self._span += start - last[0]
        if self._messages >= MESSAGES and self._span >= SECONDS * self._rate:
            raise self._contradicted()

    def _contradicted(self) -> BadInput:
        implied = round(self._rate * self._held / self._span / 100) * 100
        return BadInput(
            "RATE_CONTRADICTED",
            f"The leg is declared with {self._rate} Hz, but the offsets of its messages imply "
            f"about {implied} Hz. Declare the rate, encoding and channels that the audio has, or "
            "send the offset of each message's first sample.",
        )


def _tendency(
    before: int,
    earlier: FloatArray,
    number: int | None,
    start: int,
    samples: FloatArray,
    sequence: int | None,
) -> int:
    step, length = start - before, len(earlier)
    apart = number is not None and sequence is not None and sequence != number + 1
    if apart or step <= 0:
        return 0
    overlap = length - step
    if overlap >= TOLERANCE * len(samples):
        common = min(overlap, len(samples))
        return int(not np.array_equal(earlier[step : step + common], samples[:common]))
    return -int(-overlap >= TOLERANCE * length)
