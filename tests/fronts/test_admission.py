"""The door: its limits, its words, and a lag that is measured and forgotten again."""

from __future__ import annotations

import asyncio
import time

import pytest

from emotion_service.errors import Busy
from emotion_service.fronts.admission import REMEMBERED_TICKS, TICK_SECONDS, Admission, stopping
from tests.patience import PATIENCE_SECONDS


def refused_call(door: Admission, live_calls: int) -> tuple[str, float]:
    with pytest.raises(Busy) as busy:
        door.admit_call(live_calls)
    return busy.value.reason, busy.value.retry_seconds


def refused_watcher(door: Admission, watchers: int) -> tuple[str, float]:
    with pytest.raises(Busy) as busy:
        door.admit_watcher(watchers)
    return busy.value.reason, busy.value.retry_seconds


def test_without_limits_everybody_is_admitted() -> None:
    door = Admission()
    door.admit_call(10**9)
    door.admit_watcher(10**9)
    assert (door.open, door.lag_ms) == (True, 0.0)


def test_the_last_place_is_given_and_no_more() -> None:
    door = Admission(max_calls=2, max_watchers=3)
    door.admit_call(1)
    door.admit_watcher(2)
    assert refused_call(door, 2) == ("SERVER_FULL", 5.0)
    assert refused_watcher(door, 3) == ("TOO_MANY_WATCHERS", 5.0)


def test_messages_say_what_is_the_limit_and_what_to_do() -> None:
    door = Admission(max_calls=2, max_watchers=3)
    with pytest.raises(Busy, match="takes 2 calls and has them: use another, or try again later"):
        door.admit_call(2)
    with pytest.raises(Busy, match="takes 3 watchers and has them: end one, or use one"):
        door.admit_watcher(3)


def test_once_closed_everybody_hears_that_the_server_stops() -> None:
    door = Admission(max_calls=1, max_watchers=1)
    door.close()
    assert not door.open
    for refused in (refused_call(door, 0), refused_watcher(door, 0), refused_call(door, 1)):
        assert refused == ("SERVER_STOPPING", 1.0)
    assert (stopping().reason, stopping().retry_seconds) == ("SERVER_STOPPING", 1.0)


async def test_a_blocked_loop_is_late_at_once_and_stays_so_for_half_a_second() -> None:
    async with Admission(max_lag_ms=150.0) as door:
        await asyncio.sleep(3 * TICK_SECONDS)
        assert door.lag_ms < 150
        door.admit_call(0)
        time.sleep(0.4)
        assert 400 - 1e3 * TICK_SECONDS <= door.lag_ms < 1000
        assert refused_call(door, 1) == ("SERVER_OVERLOADED", 1.0)
        door.admit_call(0)  # nobody is harmed where there is nobody
        door.admit_watcher(0)  # a watcher costs no time worth mentioning
        await asyncio.sleep(2 * TICK_SECONDS)
        assert door.lag_ms >= 150  # the worst of the last half second, not the last
        async with asyncio.timeout(PATIENCE_SECONDS):
            while door.lag_ms >= 150:
                await asyncio.sleep(TICK_SECONDS)
        door.admit_call(1)


async def test_the_lag_is_the_worst_of_the_last_ticks() -> None:
    now = [0.0]
    async with Admission(max_lag_ms=50.0, clock=lambda: now[0]) as door:
        await asyncio.sleep(0)
        assert door.lag_ms == 0.0
        now[0] = TICK_SECONDS + 0.0625
        assert door.lag_ms == pytest.approx(62.5)
        assert refused_call(door, 3) == ("SERVER_OVERLOADED", 1.0)
        now[0] = TICK_SECONDS + 0.05
        assert door.lag_ms == pytest.approx(50.0)
    assert REMEMBERED_TICKS * TICK_SECONDS == 0.5


async def test_leaving_ends_the_measuring() -> None:
    before = asyncio.all_tasks()
    async with Admission():
        assert {task.get_name() for task in asyncio.all_tasks() - before} == {"loop lag"}
    assert asyncio.all_tasks() == before
