"""The definition of latency: when messages are due, which one a score waits for, what a miss is."""

from __future__ import annotations

import math

import pytest

from benchmarks.timing import due, last_needed, percentile, starts


@pytest.mark.parametrize(
    ("end", "message_ms", "number"),
    [
        (4000, 100, 4),  # 500 ms: messages 0 to 4 hold it
        (4001, 100, 5),
        (3999, 100, 4),
        (800, 100, 0),
        (1, 100, 0),
        (0, 100, 0),
        (4000, 20, 24),
        (4000, 30, 16),  # 480 ms are not enough
    ],
)
def test_last_needed_is_the_first_message_that_reaches_the_end(
    end: int, message_ms: int, number: int
) -> None:
    assert last_needed(end, message_ms) == number


def test_messages_are_due_on_a_schedule_that_does_not_drift() -> None:
    assert due(2.5, 0, 100) == 2.5
    assert due(2.5, 36_000, 100) == 3602.5


def test_starts_spread_over_the_hop_and_over_the_period_of_a_message() -> None:
    found = starts(50, seed=1)
    assert sorted(int(start * 100) for start in found) == list(range(50))  # one each 10 ms
    assert sorted(int(start * 100) % 10 for start in found) == sorted(list(range(10)) * 5)
    assert found == starts(50, seed=1)
    assert found != starts(50, seed=2) and found != sorted(found)


def test_percentiles_are_nearest_ranks() -> None:
    latencies = [float(value) for value in range(100, 0, -1)]
    assert percentile(latencies, 0, 50) == 50.0
    assert percentile(latencies, 0, 99) == 99.0
    assert percentile(latencies, 0, 100) == 100.0
    assert percentile([7.0], 0, 0.1) == 7.0


def test_a_miss_takes_for_ever() -> None:
    latencies = [float(value) for value in range(1, 100)]
    assert percentile(latencies, 1, 99) == 99.0
    assert percentile(latencies, 1, 100) == math.inf
    assert percentile(latencies, 2, 99) == math.inf
    assert percentile(latencies, 2, 98) == 99.0
    assert math.isnan(percentile([], 0, 50))
    assert percentile([], 1, 50) == math.inf
