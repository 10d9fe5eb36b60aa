"""The climb, its figures on servers that are made up, and one real step with its floor."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from benchmarks.conversation import bundled
from benchmarks.density import Step, climb, density, run, settings, table, top, verdict
from benchmarks.density_plot import draw
from benchmarks.figures import Figures
from benchmarks.floor import FLOOR
from benchmarks.load import Load
from benchmarks.report import write

FIGURES = Figures(
    calls=25,
    message_ms=100,
    seconds=20.0,
    warm_up_seconds=5.0,
    slow_watchers=0,
    scores=500,
    misses=0,
    p50_ms=20.0,
    p90_ms=40.0,
    p99_ms=60.0,
    max_ms=80.0,
    stages_ms={},
    watched=100,
    watched_p50_ms=20.0,
    watched_p99_ms=60.0,
    cpu_ms_per_call_second=4.0,
    rss_mb=180.0,
    rss_peak_mb=190.0,
    rss_kb_per_call=400.0,
    generator_lag_p99_ms=1.0,
    generator_cores=0.1,
    other_cores=0.0,
    stolen_cores=0.0,
    customer_speaks=0.5,
    evidence_seconds={},
    refused={},
    broken={},
    slow_watchers_cut=0,
)


def step(calls: int, p99_ms: float = 60.0, misses: int = 0, cpu: float = 4.0) -> Step:
    found = replace(FIGURES, calls=calls, p99_ms=p99_ms, misses=misses, cpu_ms_per_call_second=cpu)
    return Step(found, ready_seconds=2.0 + calls / 1000)


def test_a_step_holds_while_every_window_is_in_time() -> None:
    assert step(25, p99_ms=100.0).held
    assert not step(25, p99_ms=100.1).held
    assert not step(25, p99_ms=math.inf, misses=9).held
    assert not step(25, misses=1).held  # one in 500 leaves the p99 alone
    assert not Step(replace(FIGURES, refused={"UNAVAILABLE": 1}), 2.0).held
    assert not Step(replace(FIGURES, broken={"INTERNAL": 1}), 2.0).held


def test_the_climb_ends_where_a_step_breaks_twice() -> None:
    latencies = {25: [50.0], 50: [500.0, 90.0], 100: [300.0, 200.0], 150: [10.0]}
    steps = climb(sorted(latencies), lambda calls: step(calls, latencies[calls].pop(0)))
    assert [one.calls for one in steps] == [25, 50, 50, 100, 100]
    assert [one.held for one in steps] == [True, False, True, False, False]
    assert top(steps) is steps[2]


def test_density_is_that_of_the_highest_step_that_held() -> None:
    steps = [step(25, cpu=4.0), step(250, cpu=5.0), step(300, p99_ms=400.0, cpu=6.0)]
    found = density(steps, replace(FIGURES, cpu_ms_per_call_second=2.0))
    assert (found.calls, found.held, found.cpu_ms_per_call_second) == (250, True, 5.0)
    assert (found.floor_ratio, found.cost_ratio) == (2.5, 1.25)
    assert found.ready_seconds == 2.025
    assert verdict(found) == (
        "250 calls were carried in time, for 5.00 ms of processor a call-second: 1.25 times what "
        "the fewest cost each, and 2.5 times the floor (2.00 ms). The service was ready after "
        "2.0 s."
    )


def test_without_a_step_that_held_the_first_is_told() -> None:
    found = density([step(25, misses=3), step(25, misses=1)], FIGURES)
    assert (found.calls, found.held, found.misses) == (25, False, 3)
    assert verdict(found).startswith("Not even 25 calls were carried in time")


def test_the_door_is_opened_as_wide_as_needed_and_never_narrowed() -> None:
    assert settings(1)["max_watchers"] == "500"
    assert settings(800)["max_calls"] == settings(800)["max_watchers"] == "800"


def test_two_calls_on_the_service_and_on_the_floor(tmp_path: Path) -> None:
    load = Load("", bundled(), 2, message_ms=100, seconds=3.0)
    service, floor = run(load, 0.0), run(load, 0.0, FLOOR)
    assert service.ready_seconds > 0 and floor.ready_seconds > 0
    for one in (service.figures, floor.figures):
        assert one.refused == one.broken == {}
        assert one.misses == 0 and one.cpu_ms_per_call_second > 0
    assert service.figures.scores > 3
    assert floor.figures.scores == floor.figures.watched == 0

    found = density([service], floor.figures)
    assert found.floor_ratio > 1
    write(tmp_path / "density.json", asdict(found))
    names = {"cpu_ms_per_call_second", "calls", "p50_ms", "p99_ms", "misses", "floor_ratio"}
    assert (
        names | {"rss_mb", "message_ms"}
        <= json.loads((tmp_path / "density.json").read_text()).keys()
    )
    shown = StringIO()
    Console(file=shown, width=80).print(table([service]))
    assert "Density, messages of 100 ms" in shown.getvalue() and "…" not in shown.getvalue()
    draw([service.figures], 100.0, tmp_path / "density.svg")
    assert ElementTree.parse(tmp_path / "density.svg").getroot().tag.endswith("svg")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests may run beside."""
    monkeypatch.setenv("EMOTION_SERVICE_MAX_LOOP_LAG_MS", "10000")
