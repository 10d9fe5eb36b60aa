"""Processor time of things that take turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

SAMPLE_SECONDS = 0.003  # a run is repeated until it takes so long: clocks and calls cost too


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of processor a step, of all runs of one thing."""

    least: float
    median: float


class Timed:
    """Endless steps, of which as many make up one run as take `SAMPLE_SECONDS`."""

    def __init__(
        self, steps: Iterator[None], clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._steps = steps
        self._clock = clock
        self._count = 1
        self.run()  # what is made on first use counts for nothing
        self._count = max(1, math.ceil(SAMPLE_SECONDS / max(self.run(), 1e-7)))

    def run(self) -> float:
        """Seconds of this thread's processor time that a step took."""
        begin = self._clock()
        for _ in range(self._count):
            next(self._steps)
        return (self._clock() - begin) / self._count


def take_turns(timed: Sequence[Timed], rounds: int) -> list[Times]:
    """Each runs once a round."""
    runs = [[one.run() for one in timed] for _ in range(rounds)]
    return [Times(min(each), median(each)) for each in zip(*runs, strict=True)]


def against(reference: Timed, timed: Sequence[Timed], rounds: int) -> list[float]:
    """How many steps of the reference each one's step takes: the median of runs between two of the
    reference. On a shared machine far steadier than any time, for the pace of a processor changes
    by half from one second to the next."""
    ratios = [_round(reference, timed) for _ in range(rounds)]
    return [median(each) for each in zip(*ratios, strict=True)]


def _round(reference: Timed, timed: Sequence[Timed]) -> list[float]:
    ratios, before = [], reference.run()
    for one in timed:
        took, after = one.run(), reference.run()
        ratios.append(2 * took / (before + after))
        before = after
    return ratios
