"""The made-up calls of the fan-out: how often they tell what, and what is made of the figures."""

from __future__ import annotations

from collections import Counter
from itertools import islice, takewhile

import pytest
from rich.console import Console

from benchmarks.fanout import Cost, table
from benchmarks.fanout_server import CUE_SECONDS, TREND_SECONDS, cue, name, open_calls, schedule
from emotion_service.delivery.bus import Bus
from emotion_service.types import CueKind


def test_calls_tell_a_trend_every_5_s_and_cues_at_20_a_minute() -> None:
    minute = list(takewhile(lambda due: due.at < 60, schedule(500)))
    assert [due.at for due in minute] == sorted(due.at for due in minute)
    trends = Counter(due.call for due in minute if not due.is_cue)
    assert trends == dict.fromkeys(range(500), int(60 / TREND_SECONDS))
    cues = sum(due.is_cue for due in minute)
    assert cues / 500 == pytest.approx(60 / CUE_SECONDS, rel=0.03)


def test_the_same_seed_is_the_same_load() -> None:
    assert list(islice(schedule(5, 7), 50)) == list(islice(schedule(5, 7), 50))
    assert list(islice(schedule(5, 7), 50)) != list(islice(schedule(5, 8), 50))


def test_the_calls_are_live_and_can_be_told_of() -> None:
    bus = Bus()
    open_calls(bus, 3)
    bus.tell(name(2), cue(0, 1.5))
    assert (bus.live_calls, bus.call(name(2)).address.queue) == (3, "queue-2")
    told = cue(0, 1.5)
    assert (told.kind, told.start, len(told.reasons)) == (CueKind.AGITATED, 12000, 3)


def test_watching_costs_the_difference() -> None:
    costs = [Cost(500, 0, 30.0, 0.0, 2.0, 0), Cost(500, 1, 30.0, 266.7, 5.5, 4)]
    console = Console(width=100, record=True, quiet=False)
    with console.capture() as said:
        console.print(table(costs))
    row = next(line for line in said.get().splitlines() if line.startswith("│ 1"))
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["1", "267", "5.5", "3.5", "4"]
