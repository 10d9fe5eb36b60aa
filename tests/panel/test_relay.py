"""Events of a service as a browser hears them: all of them, once, whatever breaks in between."""

from __future__ import annotations

import asyncio
import json

import pytest

from emotion_service.address import parse
from emotion_service.calls.scorer import Scorer
from emotion_service.delivery import bus as bus_module
from emotion_service.types import (
    Advice,
    AdviceAction,
    AdvicePhase,
    CallSummary,
    EndReason,
    Feedback,
    LegTrend,
    Text,
    Trend,
    Verdict,
)
from tests.fronts.conftest import StubModel
from tests.fronts.running import Server, serving
from tests.panel.asking import Event, Events, Panel, cue, live
from tests.panel.asking import panel as running_panel
from tests.patience import PATIENCE_SECONDS

SUMMARY = CallSummary(8000, EndReason.COMPLETED, (), (), 0, "stub")
ADVICE = Advice(
    0,
    "calm",
    AdvicePhase.GIVEN,
    AdviceAction.ALERT_SUPERVISOR,
    "",
    8000,
    16000,
    Text("upset", "verärgert"),
    "0" * 64,
)


async def connected(panel: Panel, query: str = "", **headers: str) -> tuple[Events, Event]:
    stream = await panel.events(query, **headers)
    return stream, await stream.next("server")


async def sequences(stream: Events, count: int) -> list[int]:
    """Of the next cues."""
    return [int((await stream.next("cue")).data["cue"]["sequence"]) for _ in range(count)]


async def test_what_was_dropped_while_it_stood_still_is_told_again(
    panel: Panel, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "WATCHER_NOTICES", 3)
    bus = server.service.bus
    live(bus, "one")
    stream, _ = await connected(panel)
    await stream.next("heartbeat")
    for sequence in range(10):
        bus.tell("one", cue(sequence))
    heard: list[int] = []
    while len(heard) < 10:
        event = await stream.next("cue", "server")
        if event.kind == "cue":
            heard.append(int(event.data["cue"]["sequence"]))
        elif event.data["connected"]:
            assert event.data["resumed"]
    stream.close()
    assert heard == list(range(10))


async def test_a_browser_hears_what_a_watcher_hears(panel: Panel, server: Server) -> None:
    bus = server.service.bus
    live(bus, "one")
    stream, hello = await connected(panel)
    assert hello.data == {"connected": True, "resumed": False}
    call, heartbeat = await stream.next(), await stream.next()
    assert (call.kind, call.id, call.data["call"]["call_id"]) == ("call", None, "one")
    assert heartbeat.kind == "heartbeat" and heartbeat.id == heartbeat.data["cursor"]
    trend = Trend(8000, (LegTrend("customer", 1.0, arousal=0.5),))
    for event in (cue(0), trend, ADVICE, Feedback(0, Verdict.WRONG)):
        bus.tell("one", event)
    bus.end("one", SUMMARY)
    kinds = ("cue", "trend", "advice", "feedback", "summary")
    events = [await stream.next(*kinds) for _ in kinds]
    assert tuple(event.kind for event in events) == kinds
    assert all(event.id == event.data["cursor"] for event in events)
    by_kind = {event.kind: event.data[event.kind] for event in events}
    assert by_kind["cue"]["kind"] == "CUE_KIND_AGITATED"
    assert by_kind["cue"]["abstain_reason"] == "ABSTAIN_REASON_UNSPECIFIED"  # written out
    assert by_kind["trend"]["legs"] == [{"leg": "customer", "talk_share": 1.0, "arousal": 0.5}]
    assert by_kind["advice"]["reason"]["german"] == "verärgert"
    assert by_kind["summary"]["duration"] == "1s"
    stream.close()


async def test_browsers_are_told_to_come_back_soon(panel: Panel) -> None:
    stream = await panel.events()
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-store"
    lines = [await stream._line() for _ in range(2)]
    assert lines == [": the calls follow", "retry: 1000"]
    stream.close()


async def test_filters(panel: Panel, server: Server) -> None:
    bus = server.service.bus
    live(bus, "one", "sales")
    live(bus, "two", "care")
    for query in ("?queue=care", "?call_id=two"):
        stream, _ = await connected(panel, query)
        assert (await stream.next()).data["call"]["call_id"] == "two"
        assert (await stream.next()).kind == "heartbeat"
        stream.close()


@pytest.mark.parametrize("by_query", [False, True])
@pytest.mark.parametrize("heard", range(1, 9))
async def test_a_dropped_connection_loses_nothing(
    panel: Panel, server: Server, heard: int, by_query: bool
) -> None:
    """Dropped after any event; half of the rest comes before the browser is back."""
    bus = server.service.bus
    live(bus, "one")
    stream, _ = await connected(panel)
    await stream.next("heartbeat")
    for number in range(heard):
        bus.tell("one", cue(number))
    before = await sequences(stream, heard)
    stream.close()
    for number in range(heard, heard + 4):
        bus.tell("one", cue(number))
    last = stream.last_id
    again, hello = await (
        connected(panel, f"?last_event_id={last}")
        if by_query
        else connected(panel, last_event_id=last)
    )
    assert hello.data == {"connected": True, "resumed": True}
    for number in range(heard + 4, heard + 8):
        bus.tell("one", cue(number))
    after = await sequences(again, 8)
    assert before + after == list(range(heard + 8))
    again.close()


async def test_a_connection_dropped_in_the_snapshot_begins_with_it_again(
    panel: Panel, server: Server
) -> None:
    for call_id in ("one", "two"):
        live(server.service.bus, call_id)
    stream, _ = await connected(panel)
    await stream.next("call")
    stream.close()
    assert stream.last_id == ""
    again, hello = await connected(panel)
    assert hello.data["resumed"] is False
    calls = [(await again.next("call")).data["call"]["call_id"] for _ in range(2)]
    assert calls == ["one", "two"]
    again.close()


@pytest.mark.parametrize("cursor", ["0123abcd:7", "nonsense", "x:y"])
async def test_a_cursor_of_another_service_brings_a_snapshot(panel: Panel, cursor: str) -> None:
    """Even an empty one: that there is no call any more is news."""
    stream = await panel.events(last_event_id=cursor)
    hello = await stream.next("server")
    while not hello.data["connected"]:
        hello = await stream.next("server")
    assert hello.data["resumed"] is False
    assert (await stream.next()).kind == "heartbeat"
    stream.close()


async def test_a_service_that_is_lost_and_comes_back() -> None:
    """Before there is one, too; the browser's connection lasts through all of it."""
    async with serving(Scorer(StubModel())) as first:
        place = parse(first.address)
    async with running_panel(str(place)) as panel:
        stream = await panel.events()
        assert (await stream.next()).data == {"connected": False}
        for _ in range(2):
            async with serving(Scorer(StubModel()), port=place.port) as server:
                hello = await stream.next("server")
                while not hello.data["connected"]:
                    hello = await stream.next("server")
                assert hello.data == {"connected": True, "resumed": False}
                live(server.service.bus, "one")
                assert (await stream.next("call")).data["call"]["live"]
            assert (await stream.next("server")).data == {"connected": False}
        stream.close()


async def test_a_browser_that_leaves_is_forgotten(panel: Panel, server: Server) -> None:
    stream, _ = await connected(panel)
    assert server.service.bus.watchers == 1
    stream.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.service.bus.watchers:
            await asyncio.sleep(0.01)


async def test_data_is_one_line_whatever_a_call_is_named(panel: Panel, server: Server) -> None:
    name = "a\r\nevent: advice\ndata: {} ü \u2028"
    live(server.service.bus, name)
    stream, _ = await connected(panel)
    event = await stream.next()
    assert (event.kind, event.data["call"]["call_id"]) == ("call", name)
    assert json.dumps(name, ensure_ascii=False) in json.dumps(event.data, ensure_ascii=False)
    assert (await stream.next()).kind == "heartbeat"
    stream.close()
