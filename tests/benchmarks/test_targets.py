"""The table of targets, on results that are made up."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from benchmarks.targets import TARGETS, Results, ratio, read, step, table

STEPS: list[Results] = [
    {"calls": 25, "p99_ms": 50.0, "cpu_ms_per_call_second": 4.0, "evidence_seconds": {}},
    {"calls": 250, "p99_ms": None, "cpu_ms_per_call_second": 5.0},
    {"calls": 250, "p99_ms": 90.0, "cpu_ms_per_call_second": 4.2},
]
COARSE: Results = {
    "cpu_ms_per_call_second": 4.2,
    "floor_ratio": 3.9,
    "calls": 250,
    "rss_kb_per_call": 280.0,
    "rss_mb": 190.0,
    "ready_seconds": 2.6,
    "steps": [
        {
            **one,
            "p50_ms": 20.0,
            "evidence_seconds": {
                when: {"p50": 0.6} for when in ("first score", "first firm score", "first state")
            },
        }
        for one in STEPS
    ],
}


def test_a_step_is_told_by_its_best_attempt() -> None:
    assert step(250, "p99_ms")(COARSE) == 90.0
    assert step(300, "p99_ms")(COARSE) is None
    assert step(250, "p99_ms")({"steps": [STEPS[1]]}) is None  # a miss: infinite
    assert ratio("cpu_ms_per_call_second", 250, 25)(COARSE) == 1.05
    assert ratio("cpu_ms_per_call_second", 500, 25)(COARSE) is None


def test_each_target_is_met_or_not_or_was_not_measured() -> None:
    met = {target.text: target.row({"density-100": COARSE})[1:] for target in TARGETS}
    assert met["CPU ms a call-second, 100 ms messages"] == ("≤ 4", "4.2", "NO")
    assert met["times the floor, 100 ms messages"] == ("≤ 4", "3.9", "yes")
    assert met["calls carried in time, 100 ms messages"] == ("≥ 250", "250", "yes")
    assert met["start until ready, s"] == ("≤ 2.5", "2.6", "NO")
    assert met["CPU ms a call-second, 20 ms messages"] == ("≤ 8", "–", "not measured")
    few = {**COARSE, "steps": COARSE["steps"][:1]}  # 250 calls were never come to
    unmet = {target.text: target.row({"density-100": few})[1:] for target in TARGETS}
    assert unmet["250 calls, 100 ms messages: p50, ms"] == ("≤ 30", "–", "NO")
    assert unmet["cost of a call, 250 against 25"] == ("≤ 1.15", "–", "NO")


def test_the_table_is_made_of_the_files_that_are_there(tmp_path: Path) -> None:
    stages = [{"stage": "model", "batch": 16, "least_us": 912.0}]
    (tmp_path / "stages.json").write_text(json.dumps({"stages": stages}))
    found = read(tmp_path)
    assert found.keys() == {"stages"}
    shown = StringIO()
    Console(file=shown, width=100).print(table(found))
    assert "0.912" in shown.getvalue()
    assert shown.getvalue().count("not measured") == len(TARGETS) - 1
