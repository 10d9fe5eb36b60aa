"""Clients that stop reading: cut after a while, at no cost to anybody who reads.

What such a client reads in the end is what was on its way, and then the status. gRPC itself keeps
a stream it cannot write to until then, or until its client leaves: some 30 KB and its own tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, count, islice
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.bus import WATCHER_NOTICES
from emotion_service.fronts.stream import UNWRITTEN
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceStub
from tests.fronts.running import (
    CHANNEL,
    Server,
    config,
    is_accepting,
    kinds,
    nothing_left,
    rest,
    serving,
    turned_away,
)
from tests.patience import PATIENCE_SECONDS

CUT_SECONDS = 3.0  # long enough for a busy machine to read all that it is sent
TOO_SLOW = ("RESOURCE_EXHAUSTED", "READER_TOO_SLOW", 1.0)
LONG_NAME = "n" * 128


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer, slow_reader_seconds=CUT_SECONDS) as running:
        yield running


@asynccontextmanager
async def another_client(server: Server) -> AsyncIterator[Any]:
    """A connection of its own."""
    options = (*CHANNEL, ("grpc.use_local_subchannel_pool", 1))
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        yield EmotionServiceStub(channel)


def moved(queue: str) -> pb.StreamingAnalyzeRequest:
    return pb.StreamingAnalyzeRequest(update=pb.CallUpdate(queue=queue))


async def told_until_cut(
    server: Server, call: Any, watchers: int, heard: Sequence[str] | None = None
) -> int:
    """Moves the call from queue to queue 0, 1, 2 … until so many watchers are left; how often.
    No faster than whoever has `heard` of it, where there is such a watcher."""
    numbers = count()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.service.bus.watchers > watchers:
            for number in islice(numbers, 50):
                await call.write(moved(f"{number}"))
            while heard is not None and heard[-1] != f"{number}":
                await asyncio.sleep(0.001)
            for watcher in chain.from_iterable(server.service.bus._watchers.values()):
                assert len(watcher.outbox) <= WATCHER_NOTICES
    return next(numbers)


async def only_grpcs_left(before: set[asyncio.Task[Any]]) -> None:
    """Before long nothing new runs but gRPC's own tasks, which have its code on top."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while {task for task in asyncio.all_tasks() - before if "_cygrpc" not in repr(task)}:
            await asyncio.sleep(0.01)


async def test_a_watcher_that_never_reads_is_cut_and_others_get_everything(
    server: Server,
) -> None:
    bus = server.service.bus
    call = await server.opened(call_id=LONG_NAME, tenant=LONG_NAME, contact_id=LONG_NAME)
    heard: list[str] = []

    async def listen(watcher: Any) -> None:
        async for response in watcher:
            assert response.heartbeat.dropped == 0
            if response.HasField("call"):
                heard.append(response.call.queue)

    async with another_client(server) as idle, another_client(server) as keen:
        listener = asyncio.create_task(listen(keen.WatchCues(pb.WatchCuesRequest())))
        while len(heard) < 1:
            await asyncio.sleep(0.01)
        before = asyncio.all_tasks()
        slow = idle.WatchCues(pb.WatchCuesRequest(include_scores=True))
        while bus.watchers < 2:
            await asyncio.sleep(0.01)
        sent = await told_until_cut(server, call, watchers=1, heard=heard)
        assert heard == ["sales", *(f"{number}" for number in range(sent))]
        await only_grpcs_left(before)
        assert server.refusals() == {"READER_TOO_SLOW": 1}

        received = 0
        while received < 10:  # what was on its way comes first
            assert (await slow.read()).WhichOneof("event") in ("call", "heartbeat")
            received += 1
        assert await turned_away(slow) == TOO_SLOW
        listener.cancel()
    call.cancel()


@pytest.mark.parametrize("pacing", [pb.PACING_LIVE, pb.PACING_RECORDED])
async def test_a_call_that_is_not_read_is_cut_and_others_go_on(
    scorer: Scorer, pacing: pb.Pacing.ValueType
) -> None:
    # Long enough for a busy machine to send all that fills the outbox before the cut.
    async with serving(scorer, slow_reader_seconds=2 * CUT_SECONDS) as server:
        await fill_and_be_cut(server, pacing)


async def fill_and_be_cut(server: Server, pacing: pb.Pacing.ValueType) -> None:
    other = await server.opened(call_id="other")
    before = asyncio.all_tasks()
    async with another_client(server) as idle:
        slow = idle.StreamingAnalyze()
        await slow.write(config(call_id=LONG_NAME, pacing=pacing))
        waiting = [0]
        for number in range(2000):  # each is answered with a status: a third of a megabyte
            consent = (pb.CONSENT_WITHDRAWN, pb.CONSENT_GRANTED)[number % 2]
            await slow.write(pb.StreamingAnalyzeRequest(update=pb.CallUpdate(consent=consent)))
            waiting += [len(stream.outbox) for stream in server.servicer._streams]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(server.servicer._streams) > 1:
                waiting += [len(stream.outbox) for stream in server.servicer._streams]
                await asyncio.sleep(0.01)
        assert UNWRITTEN <= max(waiting) < 2 * UNWRITTEN
        assert server.service.bus.live_calls == 1
        await only_grpcs_left(before)
        assert await turned_away(slow) == TOO_SLOW
    await other.done_writing()
    assert kinds(await rest(other)) == ["summary"]
    await nothing_left(server, before)


@pytest.mark.parametrize("method", ["StreamingAnalyze", "WatchCues", "WatchRouting"])
async def test_a_stream_cut_at_its_first_response_is_told(scorer: Scorer, method: str) -> None:
    async with serving(scorer, slow_reader_seconds=0.0) as server:
        if method == "StreamingAnalyze":
            stream = server.stub.StreamingAnalyze()
            await stream.write(config())
        else:
            requests = {"WatchCues": pb.WatchCuesRequest, "WatchRouting": pb.WatchRoutingRequest}
            stream = getattr(server.stub, method)(requests[method]())
        assert await turned_away(stream) == TOO_SLOW


async def test_a_slow_reader_that_leaves_leaves_nothing(server: Server) -> None:
    call = await server.opened(call_id=LONG_NAME, tenant=LONG_NAME, contact_id=LONG_NAME)
    before = asyncio.all_tasks()
    async with another_client(server) as idle:
        slow = idle.WatchCues(pb.WatchCuesRequest())
        while not server.service.bus.watchers:
            await asyncio.sleep(0.01)
        await told_until_cut(server, call, watchers=0)
        slow.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while {task for task in asyncio.all_tasks() - before if not is_accepting(task)}:
            await asyncio.sleep(0.01)
    await call.done_writing()
    assert kinds(await rest(call))[-1] == "summary"


async def test_a_server_with_slow_readers_stops(scorer: Scorer) -> None:
    async with serving(scorer, slow_reader_seconds=CUT_SECONDS) as server:
        call = await server.opened(call_id=LONG_NAME, tenant=LONG_NAME, contact_id=LONG_NAME)
        async with another_client(server) as idle:
            slow = idle.WatchCues(pb.WatchCuesRequest())
            while not server.service.bus.watchers:
                await asyncio.sleep(0.01)
            await told_until_cut(server, call, watchers=0)
            call.cancel()
            with capture_logs() as logged:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    assert await server.servicer.drain(3600.0) == 0
                    await server.server.stop(0.5)
            assert logged == []
            with pytest.raises(grpc.aio.AioRpcError):
                await rest(slow)


async def test_a_client_that_goes_while_nothing_can_be_written_is_no_error(
    scorer: Scorer, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(scorer) as server:
        before = asyncio.all_tasks()
        call = await server.opened(call_id=LONG_NAME, tenant=LONG_NAME, contact_id=LONG_NAME)
        with capture_logs() as logged:
            for _ in range(5):
                async with another_client(server) as idle:
                    slow = [idle.WatchCues(pb.WatchCuesRequest()) for _ in range(3)]
                    while server.service.bus.watchers < len(slow):
                        await asyncio.sleep(0.01)
                    for _ in range(400):
                        await call.write(moved("sales"))
            call.cancel()
            await nothing_left(server, before)
        assert (logged, caplog.records) == ([], [])
