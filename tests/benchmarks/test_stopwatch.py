"""Runs on a clock that is made up, so that what comes out is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.stopwatch import Timed, Times, against, take_turns


class Clock:
    """Stands still but for what the work takes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, *seconds: float) -> Iterator[None]:
        """Endless steps: so long each, the last one for ever."""
        took = [*seconds]
        while True:
            self.now += took.pop(0) if len(took) > 1 else took[0]
            yield


def test_short_steps_are_repeated_until_a_run_is_long_enough() -> None:
    clock = Clock()
    timed = Timed(clock.work(1.0, 0.0008), clock)  # the first step makes what all later ones use
    before = clock.now
    assert timed.run() == pytest.approx(0.0008)
    assert clock.now - before == pytest.approx(4 * 0.0008)


def test_the_least_and_the_median_of_all_rounds() -> None:
    clock = Clock()
    timed = Timed(clock.work(9.0, 9.0, 4.0, 1.0, 2.0), clock)
    assert take_turns([timed], 3) == [Times(least=1.0, median=2.0)]


def test_a_machine_that_slows_down_changes_no_ratio() -> None:
    clock = Clock()
    reference = Timed(clock.work(1.0, 1.0, 1.0, 1.0, 3.0), clock)
    twice = Timed(clock.work(2.0, 2.0, 2.0, 6.0), clock)
    assert against(reference, [twice], 2) == [2.0]
