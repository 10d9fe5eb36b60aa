"""WatchCues with several events in one message, over a socket, against one message an event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.client import EmotionClient
from emotion_service.delivery import bus as bus_module
from emotion_service.delivery.bus import Bus
from emotion_service.delivery.directory import LiveCall
from emotion_service.delivery.notice import Address, CallState
from emotion_service.types import Cue, CueKind, CuePhase
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import Server, serving
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer) as running:
        yield running


def live(bus: Bus, call_id: str) -> None:
    state = CallState(Address(call_id), call_id, live=True, elapsed=0, legs=())
    bus.open(LiveCall(state.address, call_id, 300, lambda: state, lambda: None))


def tell(bus: Bus, sequences: range) -> None:
    for sequence in sequences:
        kind, phase = CueKind.AGITATED, CuePhase.ONSET
        bus.tell("one", Cue("customer", sequence, kind, phase, 0, 8000, 8000, 0.9, 8000))


async def test_without_being_asked_every_message_is_one_event(server: Server) -> None:
    for call_id in ("one", "two"):
        live(server.service.bus, call_id)
    watch = server.stub.WatchCues(pb.WatchCuesRequest())
    snapshot = [await watch.read() for _ in range(3)]
    tell(server.service.bus, range(5))
    cues = [await watch.read() for _ in range(5)]
    watch.cancel()
    assert [said.WhichOneof("event") for said in snapshot] == ["call", "call", "heartbeat"]
    assert [said.cue.sequence for said in cues] == [0, 1, 2, 3, 4]
    assert not any(said.more for said in (*snapshot, *cues))


async def test_batched_the_same_events_come_in_fewer_messages(server: Server) -> None:
    for call_id in ("one", "two"):
        live(server.service.bus, call_id)
    singly = server.stub.WatchCues(pb.WatchCuesRequest())
    batched = server.stub.WatchCues(pb.WatchCuesRequest(batched=True))
    expected = [await singly.read() for _ in range(3)]
    snapshot = await batched.read()
    tell(server.service.bus, range(5))
    expected += [await singly.read() for _ in range(5)]
    cues = await batched.read()
    for watch in (singly, batched):
        watch.cancel()
    assert (len(snapshot.more), len(cues.more)) == (2, 4)
    heard = [*snapshot.more, *cues.more]
    assert not any(said.more for said in heard)  # never nested
    for said in (snapshot, cues):
        said.ClearField("more")
    heard = [snapshot, *heard[:2], cues, *heard[2:]]
    assert heard == expected


@pytest.mark.parametrize("heard", range(1, 10))
async def test_a_client_that_leaves_in_a_batch_goes_on_after_what_it_has_heard(
    server: Server, heard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the snapshot's entry and heartbeat, in the first batch of four cues, at its end, in the
    second; a part of the rest comes before it is back."""
    monkeypatch.setattr(bus_module, "TOGETHER", 4)
    bus = server.service.bus
    live(bus, "one")
    request = pb.WatchCuesRequest(batched=True)
    before: list[pb.WatchCuesResponse] = []
    async with EmotionClient(server.address) as client, asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(client.watch_once(request)) as news:
            before += [await anext(news) for _ in range(2)]
            tell(bus, range(8))
            before += [await anext(news) for _ in range(heard - 1)]
        tell(bus, range(8, 10))
        request.cursor = before[-1].cursor
        async with aclosing(client.watch_once(request)) as news:
            after = [await anext(news) for _ in range(12 - heard)]
    assert [said.WhichOneof("event") for said in before[:2]] == ["call", "heartbeat"]
    assert after[-1].WhichOneof("event") == "heartbeat" and not after[-1].heartbeat.dropped
    cues = [said.cue.sequence for said in (*before[2:], *after[:-1])]
    assert cues == list(range(10))
