"""Who calls is decided by the seed alone."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from benchmarks.churn import SHARES, Fate, planned_calls, visits

SECONDS = (20.0, 60.0)


def test_the_same_seed_gives_the_same_calls() -> None:
    calls = list(islice(planned_calls(7, 3, SECONDS), 100))
    assert calls == list(islice(planned_calls(7, 3, SECONDS), 100))
    assert calls != list(islice(planned_calls(8, 3, SECONDS), 100))
    assert calls != list(islice(planned_calls(7, 4, SECONDS), 100))


def test_the_same_seed_gives_the_same_watchers() -> None:
    watchers = list(islice(visits(7, 3, (5.0, 30.0)), 100))
    assert watchers == list(islice(visits(7, 3, (5.0, 30.0)), 100))
    assert {visit.scores_too for visit in watchers} == {False, True}
    assert all(5.0 <= visit.seconds <= 30.0 for visit in watchers)


def test_calls_last_and_end_as_they_should() -> None:
    calls = list(islice(planned_calls(0, 0, SECONDS), 10_000))
    assert all(20.0 <= call.seconds <= 60.0 for call in calls)
    assert sum(call.seconds for call in calls) / 10_000 == pytest.approx(40.0, abs=0.5)
    ended = Counter(call.fate for call in calls)
    for fate in Fate:
        assert ended[fate] / 10_000 == pytest.approx(SHARES[fate], abs=0.015)
    assert sum(SHARES.values()) == pytest.approx(1.0)


def test_the_status_of_a_fate_is_grpcs() -> None:
    assert [fate.status for fate in Fate] == [
        "OK",
        "OK",
        "CANCELLED",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
    ]
