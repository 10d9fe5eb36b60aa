"""A full server, a few callers too many: all of them are refused, none of the calls is harmed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.conversation import bundled
from benchmarks.load import Load
from benchmarks.overload import Knocks, compare, measured


def test_those_who_find_it_full_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_SERVICE_MAX_LOOP_LAG_MS", "10000")  # other tests may run beside
    load = Load("", bundled(), calls=2, message_ms=100, seconds=6.0)
    (alone, beside), found = measured(load, warm_up_seconds=0.0)
    assert alone.refused == alone.broken == beside.refused == beside.broken == {}
    assert alone.scores == beside.scores > 0
    assert (found.refused, found.let_in) == (4, 0)  # each once: told to wait for five seconds
    assert found.refused_p99_ms >= found.refused_p50_ms > 0

    knocks = Knocks(Counter({"SERVER_FULL": 3, "": 1}), [4.0, 1.0, 2.0, 3.0])
    slower = replace(
        alone, p99_ms=2 * alone.p99_ms, cpu_ms_per_call_second=alone.cpu_ms_per_call_second * 1.5
    )
    found = compare(alone, slower, knocks)
    assert (found.p99_ratio, found.cpu_ratio) == pytest.approx((2.0, 1.5))
    assert (found.refused, found.let_in) == (3, 1)
    assert (found.refused_p50_ms, found.refused_p99_ms) == (2.0, 4.0)
