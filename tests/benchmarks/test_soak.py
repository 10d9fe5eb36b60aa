"""The soak as it is run, for a few seconds: a real server, a crowd, a table, a verdict, a plot."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from benchmarks.conversation import bundled
from benchmarks.crowd import Crowd
from benchmarks.load import Load
from benchmarks.memory_line import draw
from benchmarks.server import free_address, started
from benchmarks.soak import soak, table, verdict
from benchmarks.trend import figures


def test_two_calls_that_come_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_SERVICE_MAX_LOOP_LAG_MS", "10000")  # other tests may run beside
    metrics = free_address()
    with started({"metrics_listen": metrics}) as server:
        load = Load(server.address, bundled(), 2, message_ms=100, seconds=4.0, slow_watchers=1)
        crowd = Crowd(load, call_seconds=(0.6, 1.2), watchers=1, visit_seconds=(0.5, 1.0))
        tally, moments = soak(crowd, server, metrics, sample_seconds=0.1)

    found = figures(crowd, tally, moments, warm_up_seconds=1.0)
    assert found.unexpected == found.turned_away == {}
    ended = found.completed + found.cancelled + found.refused
    assert ended == tally.ended.total() >= 6
    assert len(tally.ended) >= 3  # this seed's calls end in several ways
    assert found.visits >= 4 and found.events_to_watchers > 10
    assert found.slow_watchers_cut == 0  # four seconds are not enough to be cut
    assert found.misses == 0
    assert len(moments) > 10 and 0 <= moments[0].at < moments[-1].at < 3.0
    assert max(moment.live_calls for moment in moments) == 2
    assert max(moment.watchers for moment in moments) == 2
    assert found.rss_highest_mb >= found.rss_at_end_mb > 50
    assert found.open_files_highest > 5

    shown = StringIO()
    Console(file=shown, width=100).print(table(found))
    assert "2 calls at a time for 4 s" in shown.getvalue()
    steady = replace(found, slope_mb_per_10_minutes=0.5, flat=True)
    assert verdict(steady) == (
        "The memory line is flat: +0.50 MB, the limit is 2 MB in 10 minutes."
    )
    assert "is NOT flat" in verdict(replace(steady, flat=False))
    draw(moments, found, tmp_path / "soak.svg")
    assert ElementTree.parse(tmp_path / "soak.svg").getroot().tag.endswith("svg")
