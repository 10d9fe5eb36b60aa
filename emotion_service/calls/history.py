"""The last seconds of one leg in memory: the only place where audio stays for a while."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from emotion_service.types import BLOCK, BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Heard:
    """Whole blocks as received, float32 (k * BLOCK,), and per block (k,): speech, lost, clipped."""

    samples: FloatArray
    speech: BoolArray
    lost: BoolArray
    clipped: FloatArray  # fraction of the block's samples at full scale

    def part(self, blocks: slice) -> Heard:
        """These blocks of it."""
        samples = self.samples[blocks.start * BLOCK : blocks.stop * BLOCK]
        return Heard(samples, self.speech[blocks], self.lost[blocks], self.clipped[blocks])


class History:
    """Consecutive stretches of a leg, bounded: older than `capacity` samples is let go."""

    def __init__(self, capacity: int, silence: int) -> None:
        """Starts with `silence` samples of silence, a whole number of blocks."""
        blocks = silence // BLOCK
        nothing = np.zeros(blocks, np.bool_)
        start = Heard(np.zeros(silence, np.float32), nothing, nothing, np.zeros(blocks, np.float32))
        self._stretches = deque([start])
        self._capacity = capacity
        self._length = silence

    def __len__(self) -> int:
        return self._length

    def add(self, heard: Heard) -> None:
        self._stretches.append(heard)
        self._length += len(heard.samples)
        while self._length - len(self._stretches[0].samples) >= self._capacity:
            self._length -= len(self._stretches.popleft().samples)

    def last(self, samples: int) -> Heard:
        """The last `samples` samples, a whole number of blocks, or as many as there are."""
        tail = self._tail(samples // BLOCK)
        return Heard(
            np.concatenate([stretch.samples for stretch in tail]),
            np.concatenate([stretch.speech for stretch in tail]),
            np.concatenate([stretch.lost for stretch in tail]),
            np.concatenate([stretch.clipped for stretch in tail]),
        )

    def quality(self, samples: int) -> tuple[float, float]:
        """Of the same: the share of blocks with a loss, and of samples at full scale."""
        tail = self._tail(samples // BLOCK)
        lost = np.concatenate([stretch.lost for stretch in tail])
        clipped = np.concatenate([stretch.clipped for stretch in tail])
        return float(lost.mean()), float(clipped.mean())

    def _tail(self, blocks: int) -> list[Heard]:
        """The latest stretches with so many blocks, the first cut to fit. What is older is not
        touched: joining it all for every window was a good part of a window's cost."""
        tail: list[Heard] = []
        for stretch in reversed(self._stretches):
            count = len(stretch.speech)
            tail.append(stretch if count <= blocks else stretch.part(slice(count - blocks, count)))
            blocks -= count
            if blocks <= 0:
                break
        return tail[::-1]
