"""When audio arrived, by hand."""

from __future__ import annotations

import pytest

from emotion_service.fronts.arrivals import Arrivals


@pytest.fixture
def arrivals() -> Arrivals:
    """Messages of 100 ms, each there when its last sample was said; of 5 s."""
    remembered = Arrivals()
    for number in range(1, 51):
        remembered.add(number * 800, number * 0.1)
    return remembered


@pytest.mark.parametrize(
    ("end", "arrived"),
    [(40_000, 5.0), (39_201, 5.0), (39_200, 4.9), (32_000, 4.0), (24_000, 3.0), (23_201, 3.0)],
)
def test_it_is_the_message_that_brought_the_last_sample(
    arrivals: Arrivals, end: int, arrived: float
) -> None:
    assert arrivals.of(end) == pytest.approx(arrived)


def test_what_has_not_come_has_not_arrived(arrivals: Arrivals) -> None:
    assert arrivals.of(40_001) is None


def test_what_came_twice_arrived_first(arrivals: Arrivals) -> None:
    arrivals.add(40_000, 7.0)  # a message that was late, or lost its place
    assert arrivals.of(39_900) == pytest.approx(5.0)


def test_what_brings_a_call_no_further_is_not_remembered(arrivals: Arrivals) -> None:
    before = len(arrivals._messages)
    for again in range(1000):
        arrivals.add(40_000, 7.0 + again)
    assert len(arrivals._messages) == before


def test_two_seconds_are_remembered(arrivals: Arrivals) -> None:
    """Of older audio the oldest message that is left is taken: it came no earlier than that."""
    assert arrivals.of(0) == pytest.approx(3.0)
