"""The end of the service: everybody is told, calls may finish, the rest is ended with a status."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import Server, kinds, nothing_left, rest, serving, turned_away
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer) as running:
        yield running


async def test_calls_are_asked_to_reconnect_and_waited_for(server: Server) -> None:
    stream = await server.opened()
    draining = asyncio.create_task(server.servicer.drain(25.5))
    asked = await stream.read()
    assert asked.status.reconnect.grace.ToMilliseconds() == 25_500
    assert not draining.done()
    await stream.done_writing()
    assert kinds(await rest(stream)) == ["summary"]
    assert await asyncio.wait_for(draining, PATIENCE_SECONDS) == 0


async def test_watchers_are_asked_to_reconnect_and_still_hear_how_calls_end(
    server: Server,
) -> None:
    call = await server.opened()
    watcher = server.stub.WatchCues(pb.WatchCuesRequest())
    assert (await watcher.read()).call.live
    draining = asyncio.create_task(server.servicer.drain(25.5))
    heard: list[pb.WatchCuesResponse] = []
    while "reconnect" not in [response.WhichOneof("event") for response in heard]:
        heard.append(await watcher.read())
    assert heard[-1].reconnect.grace.ToMilliseconds() == 25_500
    assert heard[-1].cursor == heard[-2].cursor
    await call.done_writing()
    await draining
    server.service.bus.close()
    last = [r for r in await rest(watcher) if not r.HasField("heartbeat")]
    assert [response.WhichOneof("event") for response in last] == ["summary"]
    assert (await watcher.code()).name == "OK"


async def test_a_call_that_outlasts_the_grace_is_ended_with_a_status(server: Server) -> None:
    before = asyncio.all_tasks()
    stream = await server.opened()
    began = time.monotonic()
    assert await server.servicer.drain(0.2) == 1
    assert time.monotonic() - began >= 0.2
    assert (await stream.read()).status.HasField("reconnect")
    assert await turned_away(stream) == ("UNAVAILABLE", "SERVER_STOPPING", 1.0)
    await nothing_left(server, before)


async def test_without_calls_nobody_waits(server: Server) -> None:
    assert await asyncio.wait_for(server.servicer.drain(3600.0), PATIENCE_SECONDS) == 0
