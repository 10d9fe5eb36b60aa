"""The benchmark as it is run: a real server, the generator's own process, a table and a file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.conversation import bundled
from benchmarks.latency import compare, measure, table
from benchmarks.load import Load
from benchmarks.report import write
from benchmarks.server import started


def test_two_calls_without_and_with_watchers_who_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOTION_SERVICE_MAX_LOOP_LAG_MS", "10000")  # other tests may run beside
    with started() as server:
        load = Load(server.address, bundled(), 2, message_ms=100, seconds=3.0, watch_scores=True)
        quiet, answers = measure(load, server, warm_up_seconds=0.0)
        slow, _ = measure(replace(load, slow_watchers=2), server, warm_up_seconds=0.0)

    assert quiet.refused == quiet.broken == slow.refused == slow.broken == {}
    assert quiet.misses == slow.misses == 0
    assert quiet.scores == slow.scores == len(answers) > 3  # the same calls, the same windows
    assert quiet.watched == slow.watched > quiet.scores  # and cues
    assert all(answer.client > answer.service > answer.features > 0 for answer in answers)
    assert 0 < quiet.p50_ms <= quiet.p99_ms <= quiet.max_ms < math.inf
    assert quiet.cpu_ms_per_call_second > 0
    assert quiet.rss_peak_mb >= quiet.rss_mb > 50

    cost = compare(quiet, slow)
    assert (cost.count, cost.cut) == (2, 0)  # three seconds are not enough to be cut
    assert cost.p99_ratio == slow.watched_p99_ms / quiet.watched_p99_ms

    shown = StringIO()
    Console(file=shown, width=120).print(table([quiet, slow]))
    assert "2 calls, 100 ms" in shown.getvalue()
    assert "2 slow watchers" in shown.getvalue()
    out = tmp_path / "results" / "latency.json"
    write(out, {"runs": [{**asdict(quiet), "max_ms": math.inf}]})
    (run,) = json.loads(out.read_text())["runs"]
    assert run["calls"] == 2
    assert run["max_ms"] is None  # a miss: JSON knows no infinity
