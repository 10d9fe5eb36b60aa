"""The last seconds of one leg in memory: the only place where audio stays for a while."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from emotion_service.types import BLOCK, BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Heard:
    """Whole blocks as received, float32 (k * BLOCK,), and per block (k,): whether it is speech,
    and the shares of its samples that were lost, and that are at full scale."""

    samples: FloatArray
    speech: list[bool]
    lost: list[float]
    clipped: list[float]

    def part(self, blocks: slice) -> Heard:
        """These blocks of it."""
        if blocks == slice(0, len(self.speech)):
            return self
        samples = self.samples[blocks.start * BLOCK : blocks.stop * BLOCK]
        return Heard(samples, self.speech[blocks], self.lost[blocks], self.clipped[blocks])

    def silent(self, blocks: int) -> Heard:
        """The same, but for silence in so many blocks at its beginning."""
        samples = self.samples.copy()
        samples[: blocks * BLOCK] = 0.0
        rest, nothing = slice(blocks, None), [0.0] * blocks
        speech = [False] * blocks + self.speech[rest]
        return Heard(samples, speech, nothing + self.lost[rest], nothing + self.clipped[rest])


class History:
    """Of the last `capacity` samples of a leg what their blocks carried; the audio only of those
    that were not taken yet, and of the `context` before them. What is older is let go."""

    def __init__(self, capacity: int, context: int) -> None:
        """Before the first block lies silence; `capacity` is a whole number of blocks."""
        self._capacity, self._context = capacity, context
        self._speech: deque[bool] = deque(maxlen=capacity // BLOCK)
        self._lost: deque[float] = deque(maxlen=capacity // BLOCK)
        self._clipped: deque[float] = deque(maxlen=capacity // BLOCK)
        self._audio = deque([np.zeros(context, np.float32)])
        self._length = context  # samples in it

    def add(self, heard: Heard) -> None:
        self._speech.extend(heard.speech)
        self._lost.extend(heard.lost)
        self._clipped.extend(heard.clipped)
        self._audio.append(heard.samples)
        self._length += len(heard.samples)
        while self._length - len(self._audio[0]) >= self._context + self._capacity:
            self._length -= len(self._audio.popleft())

    def take(self) -> tuple[FloatArray, BoolArray]:
        """The audio not taken before, at most `capacity`, behind its context, float32
        (context + k * BLOCK,); and of its blocks (k,) whether they are speech."""
        count = min(self._length - self._context, self._capacity)
        samples = np.concatenate(self._audio)[-(self._context + count) :]
        # A copy: what is kept must not keep all of it in memory.
        self._audio = deque([samples[len(samples) - self._context :].copy()])
        self._length = self._context
        speech = list(self._speech)[len(self._speech) - count // BLOCK :]
        return samples, np.array(speech, np.bool_)

    def speech(self) -> int:
        """Samples of speech."""
        return sum(self._speech) * BLOCK

    def quality(self) -> tuple[float, float]:
        """The shares of samples that were lost, and that are at full scale."""
        clipped = np.array(list(self._clipped), np.float32)
        return sum(self._lost) / len(self._lost), float(clipped.mean())
