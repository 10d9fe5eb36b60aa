"""Snapshot, events, cursors, replay, heartbeats: what a watcher may rely on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from random import Random

import pytest

from emotion_service.delivery import bus as bus_module
from emotion_service.delivery import directory
from emotion_service.delivery.bus import Bus
from emotion_service.delivery.directory import LiveCall
from emotion_service.delivery.interest import Interest, all_but_scores, everything
from emotion_service.delivery.notice import (
    Address,
    CallState,
    Heartbeat,
    Latency,
    Notice,
    Watched,
)
from emotion_service.errors import BadInput
from emotion_service.types import (
    CallSummary,
    Cue,
    CueKind,
    CuePhase,
    EndReason,
    Sound,
    SpeechActivity,
)
from tests.patience import PATIENCE_SECONDS

ONE = Address("one", "acme", "sales", "ann")
TWO = Address("two", "acme", "care", "bob")
SUMMARY = CallSummary(8000, EndReason.COMPLETED, (), (), 0, "stub")
EVERYTHING = Address()


def cue(sequence: int, phase: CuePhase = CuePhase.ONSET) -> Cue:
    return Cue("customer", sequence, CueKind.AGITATED, phase, 0, 8000, 8000, 0.9, 8000)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def live(bus: Bus, address: Address) -> None:
    state = CallState(address, address.call_id, live=True, elapsed=0, legs=())
    bus.open(LiveCall(address, address.call_id, 300, lambda: state, lambda: None))


async def watch(
    bus: Bus, wanted: Address, cursor: str = "", interest: Interest = all_but_scores
) -> AsyncGenerator[Watched, None]:
    """One by one, however many come together."""
    async with aclosing(bus.watch(wanted, cursor, interest)) as news:
        async for together in news:
            for one in together:
                yield one


async def read(news: AsyncGenerator[Watched, None], count: int) -> list[Watched]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [await anext(news) for _ in range(count)]


def sequences(watched: list[Watched]) -> list[int]:
    events = [item.event for _, item in watched if isinstance(item, Notice)]
    return [event.sequence for event in events if isinstance(event, Cue)]


async def test_a_watcher_gets_snapshot_then_heartbeat_then_events() -> None:
    bus = Bus()
    live(bus, ONE)
    async with aclosing(watch(bus, EVERYTHING)) as news:
        (no_cursor, state), (cursor, heartbeat) = await read(news, 2)
        assert isinstance(state, CallState)
        assert (no_cursor, state.address, heartbeat) == ("", ONE, Heartbeat(0))
        bus.tell("one", cue(0), Latency(12.0, 1.0, 2.0, 3.0))
        bus.end("one", SUMMARY)
        (after, told), (_, over) = await read(news, 2)
    assert isinstance(told, Notice) and isinstance(over, Notice)
    assert (told.call_id, told.event, told.latency) == ("one", cue(0), Latency(12.0, 1.0, 2.0, 3.0))
    assert over.event == SUMMARY
    assert after != cursor


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        (EVERYTHING, [1, 2]),
        (Address(call_id="one"), [1]),
        (Address(queue="care"), [2]),
        (Address(agent_id="ann"), [1]),
        (Address(tenant="acme"), [1, 2]),
        (Address(tenant="acme", agent_id="bob"), [2]),
    ],
)
async def test_filters_hold_for_snapshot_and_events(wanted: Address, heard: list[int]) -> None:
    bus = Bus()
    live(bus, ONE)
    live(bus, TWO)
    async with aclosing(watch(bus, wanted)) as news:
        snapshot = await read(news, len(heard) + 1)
        bus.tell("one", cue(1), None)
        bus.tell("two", cue(2), None)
        bus.close()
        events = [item async for item in news]
    assert sum(isinstance(item, CallState) for _, item in snapshot) == len(heard)
    assert sequences(events) == heard


async def test_scores_and_activity_come_only_when_asked_for() -> None:
    activity = SpeechActivity("customer", 0, Sound.SPEECH, 0, 160)
    for interest, heard in ((all_but_scores, [cue(0)]), (everything, [activity, cue(0)])):
        bus = Bus()
        live(bus, ONE)
        async with aclosing(watch(bus, EVERYTHING, interest=interest)) as news:
            await read(news, 2)
            bus.tell("one", activity, None)
            bus.tell("one", cue(0), None)
            bus.close()
            events = [item.event async for _, item in news if isinstance(item, Notice)]
        assert events == heard


async def test_a_transfer_is_heard_where_the_call_was_and_where_it_is() -> None:
    bus = Bus()
    live(bus, ONE)
    async with (
        aclosing(watch(bus, Address(agent_id="ann"))) as left,
        aclosing(watch(bus, Address(agent_id="bob"))) as joined,
    ):
        await read(left, 2)
        await read(joined, 1)
        bus.move(replace(ONE, agent_id="bob"))
        bus.tell("one", cue(0), None)
        bus.close()
        assert [sequences([item]) async for item in left] == [[]]
        assert [sequences([item]) async for item in joined] == [[], [0]]


async def test_a_cursor_replays_exactly_what_came_after_it() -> None:
    bus = Bus()
    live(bus, ONE)
    async with aclosing(watch(bus, EVERYTHING)) as news:
        await read(news, 2)
        bus.tell("one", cue(0), None)
        ((cursor, _),) = await read(news, 1)
    bus.tell("one", cue(1), None)
    bus.tell("one", cue(2), None)
    async with aclosing(watch(bus, EVERYTHING, cursor)) as news:
        replayed = await read(news, 3)
        bus.tell("one", cue(3), None)
        more = await read(news, 1)
    assert sequences(replayed) == [1, 2]
    assert replayed[2][1] == Heartbeat(0)
    assert sequences(more) == [3]


@pytest.mark.parametrize("reason", ["aged", "crowded"])
async def test_a_cursor_too_old_gets_a_snapshot_and_the_count(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "REPLAYED_NOTICES", 3 if reason == "crowded" else 100)
    clock = Clock()
    bus = Bus(clock=clock)
    async with aclosing(watch(bus, EVERYTHING)) as news:
        ((cursor, _),) = await read(news, 1)
    live(bus, ONE)
    if reason == "aged":
        clock.now = bus_module.REPLAYED_SECONDS + 1
    for sequence in range(3):
        bus.tell("one", cue(sequence), None)
    async with aclosing(watch(bus, EVERYTHING, cursor)) as news:
        (_, state), (_, heartbeat) = await read(news, 2)
    assert isinstance(state, CallState)
    assert heartbeat == Heartbeat(4)


async def test_after_a_quiet_hour_nothing_is_replayed() -> None:
    clock = Clock()
    bus = Bus(clock=clock)
    live(bus, ONE)
    async with aclosing(watch(bus, EVERYTHING)) as news:
        cursor = (await read(news, 2))[-1][0]
    bus.tell("one", cue(0), None)
    bus.end("one", SUMMARY)
    clock.now = 3600.0
    async with aclosing(watch(bus, EVERYTHING, cursor)) as news:
        ((_, heartbeat),) = await read(news, 1)
    assert heartbeat == Heartbeat(2)


async def test_a_cursor_of_another_process_gets_a_snapshot_and_the_count() -> None:
    bus = Bus()
    live(bus, ONE)
    async with aclosing(watch(bus, EVERYTHING, "0badcafe:17")) as news:
        (_, state), (_, heartbeat) = await read(news, 2)
    assert isinstance(state, CallState)
    assert heartbeat == Heartbeat(1)


@pytest.mark.parametrize("cursor", ["x", "x:", "x:-1", ":one", "x:1:2"])
async def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadInput) as refused:
        await anext(watch(Bus(), EVERYTHING, cursor))
    assert refused.value.reason == "CURSOR_INVALID"


@pytest.mark.parametrize("digits", [19, 4301, 1_000_000])  # Python reads no more than 4300
async def test_a_number_that_no_process_counts_to_is_refused(digits: int) -> None:
    bus = Bus()
    async with aclosing(watch(bus, EVERYTHING)) as news:
        ((cursor, _),) = await read(news, 1)
    epoch = cursor.partition(":")[0]
    with pytest.raises(BadInput) as refused:
        await anext(watch(bus, EVERYTHING, f"{epoch}:{'9' * digits}"))
    assert refused.value.reason == "CURSOR_INVALID"


async def test_an_idle_watcher_hears_heartbeats_that_move_its_cursor() -> None:
    bus = Bus(heartbeat_seconds=0.01)
    live(bus, ONE)
    async with aclosing(watch(bus, Address(call_id="none"))) as news:
        ((first, _),) = await read(news, 1)
        bus.tell("one", cue(0), None)
        (_, (second, heartbeat)) = await read(news, 2)
    assert heartbeat == Heartbeat(0)
    assert int(second.split(":")[1]) == int(first.split(":")[1]) + 1


async def test_what_a_slow_watcher_misses_is_counted_and_replayable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_module, "WATCHER_NOTICES", 2)
    bus = Bus()
    live(bus, ONE)
    async with aclosing(watch(bus, EVERYTHING)) as news:
        await read(news, 2)
        for sequence in range(5):
            bus.tell("one", cue(sequence), None)
        (before_the_hole, heartbeat), *rest = await read(news, 3)
    assert heartbeat == Heartbeat(3)
    assert sequences(rest) == [3, 4]
    async with aclosing(watch(bus, EVERYTHING, before_the_hole)) as news:
        assert sequences(await read(news, 5)) == [0, 1, 2, 3, 4]


async def test_updates_give_way_to_newer_ones_before_any_onset_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_module, "WATCHER_NOTICES", 3)
    bus = Bus()
    live(bus, ONE)
    async with aclosing(watch(bus, EVERYTHING)) as news:
        await read(news, 2)
        bus.tell("one", cue(0), None)
        for sequence in (1, 2, 3):
            bus.tell("one", cue(sequence, CuePhase.UPDATE), None)
        bus.close()
        assert sequences([item async for item in news]) == [0, 3]


async def test_state_of_live_ended_dropped_and_unknown_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(directory, "ENDED_CALLS", 1)
    bus = Bus()
    for address in (ONE, TWO):
        live(bus, address)
    assert (bus.call("one").live, bus.live_calls) == (True, 2)
    bus.end("one", SUMMARY)
    assert (bus.call("one").live, bus.call("one").summary) == (False, SUMMARY)
    bus.end("two", SUMMARY)
    live(bus, replace(ONE, call_id="three"))
    bus.drop("three")
    assert bus.live_calls == 0
    for gone in ("one", "three", "never"):  # one: only the last ended call is kept here
        with pytest.raises(BadInput) as unknown:
            bus.call(gone)
        assert unknown.value.reason == "CALL_UNKNOWN"


async def test_a_call_id_is_free_again_once_its_call_has_ended() -> None:
    bus = Bus()
    live(bus, ONE)
    with pytest.raises(BadInput) as taken:
        live(bus, ONE)
    assert taken.value.reason == "CALL_ID_IN_USE"
    bus.end("one", SUMMARY)
    live(bus, ONE)
    assert bus.call("one").live


async def test_leaving_watchers_are_forgotten() -> None:
    bus = Bus()
    watching = [bus.watch(EVERYTHING), bus.watch(Address(call_id="one")), bus.watch(EVERYTHING)]
    for news in watching:
        await anext(news)
    for left, news in zip((2, 1, 0), watching, strict=True):
        await news.aclose()
        assert bus.watchers == left
    assert bus._watchers == {}


async def test_an_event_after_quiet_is_told_at_once_what_follows_soon_is_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_module, "GATHER_SECONDS", 0.5)
    bus, clock = Bus(), asyncio.get_running_loop().time
    live(bus, ONE)
    async with aclosing(watch(bus, EVERYTHING)) as news:
        await read(news, 2)
        waited: list[float] = []
        for sequence in range(3):
            reading = asyncio.create_task(read(news, 1))
            await asyncio.sleep(0)  # it waits
            bus.tell("one", cue(sequence))
            began = clock()
            assert sequences(await reading) == [sequence]
            waited.append(clock() - began)
            if sequence == 1:
                await asyncio.sleep(0.6)
        assert waited[0] < 0.4 < waited[1] and waited[2] < 0.4
        for sequence in (3, 4, 5):
            bus.tell("one", cue(sequence))
        assert sequences(await read(news, 3)) == [3, 4, 5]


async def test_no_heartbeat_overtakes_an_event_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes on at any cursor hears all that came after it, and nothing twice."""
    monkeypatch.setattr(bus_module, "GATHER_SECONDS", 0.03)
    bus = Bus(heartbeat_seconds=0.01)
    live(bus, ONE)

    async def talk() -> None:
        for sequence in range(20):
            bus.tell("one", cue(sequence))
            await asyncio.sleep(0.004 * (sequence % 5))

    talking = asyncio.create_task(talk())
    heard: list[Watched] = []
    async with aclosing(watch(bus, EVERYTHING)) as news:
        while len(sequences(heard)) < 20:
            heard += await read(news, 1)
    await talking
    assert sequences(heard) == list(range(20))
    numbers = [int(cursor.partition(":")[2]) for cursor, _ in heard if cursor]
    assert numbers == sorted(numbers)
    for place, (cursor, _) in enumerate(heard):
        if cursor:
            missed = sequences(heard[place + 1 :])
            async with aclosing(watch(bus, EVERYTHING, cursor)) as again:
                *replayed, (_, heartbeat) = await read(again, len(missed) + 1)
            assert (sequences(replayed), heartbeat) == (missed, Heartbeat(0))


async def test_what_waits_comes_together_and_no_more_than_so_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_module, "TOGETHER", 4)
    bus = Bus()
    for number in range(6):
        live(bus, replace(ONE, call_id=f"call-{number}"))
    async with aclosing(bus.watch(EVERYTHING)) as news:
        snapshot = [await anext(news) for _ in range(2)]
        for sequence in range(9):
            bus.tell("call-0", cue(sequence))
        bus.close()
        events = [together async for together in news]
    assert [len(together) for together in snapshot] == [4, 3]  # the last is the heartbeat
    assert [sequences(together) for together in events] == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


@pytest.mark.parametrize("seed", range(5))
async def test_at_any_event_of_a_batch_a_watcher_can_go_on_whatever_was_dropped(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it hears then is all that came after, once, the holes in what it heard before too."""
    monkeypatch.setattr(bus_module, "WATCHER_NOTICES", 6)
    monkeypatch.setattr(bus_module, "TOGETHER", 4)
    monkeypatch.setattr(bus_module, "GATHER_SECONDS", 0.0)
    bus, random, told = Bus(heartbeat_seconds=0.01), Random(seed), 0
    live(bus, ONE)
    heard: list[Watched] = []
    async with aclosing(bus.watch(EVERYTHING)) as news:
        heard += await anext(news)
        while told < 60:
            for _ in range(random.randint(1, 16)):
                phase = random.choice([CuePhase.ONSET, CuePhase.UPDATE])
                bus.tell("one", cue(told, phase))
                told += 1
            for _ in range(random.randint(1, 2)):
                heard += await anext(news)
        bus.close()
        heard += [item async for together in news for item in together]
    missed = [item.dropped for _, item in heard if isinstance(item, Heartbeat)]
    assert missed[-1] == told - len(sequences(heard)) > 0
    first = int(next(cursor for cursor, _ in heard if cursor).partition(":")[2])
    for cursor, _ in heard[1:]:
        after = int(cursor.partition(":")[2]) - first
        async with aclosing(watch(bus, EVERYTHING, cursor)) as again:
            replayed = await read(again, told - after + 1)
        assert sequences(replayed) == list(range(after, told))
        assert replayed[-1][1] == Heartbeat(0)
