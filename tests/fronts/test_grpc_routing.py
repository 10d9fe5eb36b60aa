"""WatchRouting over a socket: who hears of which advice, what stands first, where it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import Server, audio, reason, rest, serving
from tests.patience import PATIENCE_SECONDS
from tests.routing.script import rules

GIVEN, ENDED = pb.ADVICE_PHASE_GIVEN, pb.ADVICE_PHASE_ENDED
RULES = rules("elapsed_seconds >= 1", "elapsed_seconds >= 3", expires=600)
SECOND = 16_000  # bytes


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer, rules=RULES) as server:
        yield server


class Watch:
    """Advice as a watcher hears it, and the cursor it could go on at."""

    def __init__(self, server: Server, **request: str) -> None:
        self._stream = server.stub.WatchRouting(pb.WatchRoutingRequest(**request))
        self.cursor = ""

    async def next(self) -> pb.WatchRoutingResponse:
        response: pb.WatchRoutingResponse = await asyncio.wait_for(
            self._stream.read(), PATIENCE_SECONDS
        )
        self.cursor = response.cursor or self.cursor
        return response

    async def begun(self) -> list[pb.Advice]:
        """The snapshot, or what was replayed, up to the first heartbeat."""
        standing = []
        while not (response := await self.next()).HasField("heartbeat"):
            standing.append(response.advice)
        return standing

    async def advice(self, count: int) -> list[pb.Advice]:
        """The next so many, whatever else comes between."""
        heard: list[pb.Advice] = []
        while len(heard) < count:
            response = await self.next()
            if response.HasField("advice"):
                heard.append(response.advice)
        return heard

    async def quiet(self) -> None:
        """Only heartbeats come."""
        for _ in range(3):
            assert (await self.next()).WhichOneof("event") == "heartbeat"


@asynccontextmanager
async def watching(server: Server, **request: str) -> AsyncIterator[Watch]:
    watch = Watch(server, **request)
    yield watch
    watch._stream.cancel()


async def speak(stream: Any, seconds: float) -> None:
    """Silence on both legs, in the order of time."""
    silence = bytes(round(seconds * SECOND))
    for chunk in audio(silence):
        for leg in ("customer", "agent"):
            chunk.audio.leg = leg
            chunk.audio.ClearField("sequence")
            await stream.write(chunk)


def heard(advice: list[pb.Advice]) -> list[tuple[str, str, int]]:
    return [(each.call_id, each.rule, each.phase) for each in advice]


async def test_a_watcher_hears_what_the_call_itself_hears(server: Server) -> None:
    async with watching(server) as watch:
        assert await watch.begun() == []
        stream = await server.opened(contact_id="k", tenant="t")
        await speak(stream, 4.0)
        await stream.done_writing()
        own = [said.advice for said in await rest(stream) if said.HasField("advice")]
        assert await watch.advice(len(own)) == own
    assert heard(own) == [
        ("call-1", "rule-0", GIVEN),
        ("call-1", "rule-1", GIVEN),
        ("call-1", "rule-0", ENDED),
        ("call-1", "rule-1", ENDED),
    ]
    first = own[0]
    assert (first.contact_id, first.tenant, first.queue) == ("k", "t", "sales")
    assert (first.offset.seconds, first.expires_offset.seconds) == (1, 601)
    assert first.reason == pb.Text(english="why", german="warum")
    assert first.rules_sha256 == RULES.sha256


async def test_the_service_says_which_rules_are_in_force(server: Server) -> None:
    info = await server.stub.GetServiceInfo(pb.GetServiceInfoRequest())
    assert info.rules_sha256 == RULES.sha256


@pytest.mark.parametrize(
    ("request_of", "hears"),
    [
        ({"queue": "sales"}, True),
        ({"queue": "care"}, False),
        ({"tenant": "t", "call_id": "call-1"}, True),
        ({"tenant": "other"}, False),
        ({"call_id": "call-2"}, False),
    ],
)
async def test_only_calls_that_the_filter_admits_are_heard(
    server: Server, request_of: dict[str, str], hears: bool
) -> None:
    async with watching(server, **request_of) as watch, watching(server) as everything:
        await watch.begun()
        await everything.begun()
        stream = await server.opened(tenant="t")
        await speak(stream, 1.5)
        await everything.advice(1)
        if hears:
            assert heard(await watch.advice(1)) == [("call-1", "rule-0", GIVEN)]
        else:
            await watch.quiet()
        stream.cancel()


async def test_what_stands_comes_first(server: Server) -> None:
    stream = await server.opened()
    async with watching(server) as early:
        await early.begun()
        await speak(stream, 4.0)
        await early.advice(2)
    async with watching(server, queue="sales") as late:
        standing = await late.begun()
        assert heard(standing) == [("call-1", "rule-0", GIVEN), ("call-1", "rule-1", GIVEN)]
        assert [each.sequence for each in standing] == [0, 1]
        assert late.cursor
    stream.cancel()


async def test_a_cursor_goes_on_after_it(server: Server) -> None:
    stream = await server.opened()
    async with watching(server) as watch:
        await watch.begun()
        await speak(stream, 2.0)
        await watch.advice(1)
    await speak(stream, 2.0)
    await stream.done_writing()
    await rest(stream)
    async with watching(server, cursor=watch.cursor) as again:
        assert heard(await again.begun()) == [
            ("call-1", "rule-1", GIVEN),
            ("call-1", "rule-0", ENDED),
            ("call-1", "rule-1", ENDED),
        ]


async def test_advice_moves_with_its_call(server: Server) -> None:
    async with watching(server, queue="sales") as left, watching(server, queue="care") as joined:
        assert await left.begun() == await joined.begun() == []
        stream = await server.opened()
        await speak(stream, 3.5)
        assert {each.queue for each in await left.advice(2)} == {"sales"}
        before = joined.cursor
        await stream.write(pb.StreamingAnalyzeRequest(update=pb.CallUpdate(queue="care")))
        for watch in (left, joined):
            moved = await watch.advice(2)
            assert heard(moved) == [("call-1", "rule-0", GIVEN), ("call-1", "rule-1", GIVEN)]
            assert [(each.queue, each.sequence) for each in moved] == [("care", 0), ("care", 1)]
        async with watching(server, queue="care", cursor=before) as again:
            assert len(await again.begun()) == 2
        await stream.write(pb.StreamingAnalyzeRequest(update=pb.CallUpdate(ivr_step="x")))
        await joined.quiet()
        await stream.done_writing()
        await rest(stream)
        assert {each.phase for each in await joined.advice(2)} == {ENDED}
        await left.quiet()


async def test_the_first_of_two_that_moved_can_be_heard_again(server: Server) -> None:
    """A connection that breaks between them loses nothing: only the last has the cursor."""
    async with watching(server, queue="care") as watch:
        await watch.begun()
        stream = await server.opened()
        await speak(stream, 3.5)
        async with watching(server) as everything:
            standing = await everything.begun()
            await everything.advice(2 - len(standing))
        await stream.write(pb.StreamingAnalyzeRequest(update=pb.CallUpdate(queue="care")))
        cursors: list[str] = []
        while len(cursors) < 2:
            response = await watch.next()
            if response.HasField("advice"):
                cursors.append(response.cursor)
        assert cursors[0] == ""
        assert cursors[1] != ""
        stream.cancel()


async def test_a_call_that_breaks_off_ends_its_advice(server: Server) -> None:
    async with watching(server) as watch:
        await watch.begun()
        stream = await server.opened()
        await speak(stream, 1.5)
        await watch.advice(1)
        stream.cancel()
        (ended,) = await watch.advice(1)
    assert (ended.phase, ended.rule, ended.sequence) == (ENDED, "rule-0", 1)


async def test_a_cursor_that_nobody_gave_out_is_refused(server: Server) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await rest(server.stub.WatchRouting(pb.WatchRoutingRequest(cursor="x")))
    assert (error.value.code().name, reason(error.value)) == ("INVALID_ARGUMENT", "CURSOR_INVALID")


async def test_watchers_are_counted_at_the_door(server: Server) -> None:
    async with watching(server) as watch:
        await watch.begun()
        assert server.service.bus.watchers == 1
