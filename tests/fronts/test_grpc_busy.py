"""Who is turned away at the door, how fast, and that nobody inside notices."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import grpc
import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.fronts.admission import Admission
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import (
    EVENTS,
    Server,
    audio,
    config,
    kinds,
    reason,
    rest,
    serving,
    turned_away,
    untimed,
)
from tests.patience import PATIENCE_SECONDS


def asking(server: Server, call_id: str) -> Any:
    return server.stub.StreamingAnalyze(iter([config(call_id=call_id)]))


async def test_a_full_server_refuses_at_once_and_the_call_it_has_does_not_notice(
    scorer: Scorer, speech: bytes
) -> None:
    may_end = asyncio.Event()

    async def paced(server: Server) -> list[list[Any]]:
        stream = await server.opened()
        for request in audio(speech):
            await stream.write(request)
            await asyncio.sleep(0.01)
        await may_end.wait()
        await stream.done_writing()
        responses = await rest(stream)
        return [untimed(responses, kind) for kind in EVENTS]

    async with serving(scorer, admission=Admission(max_calls=1)) as server:
        may_end.set()
        alone = await paced(server)
        may_end.clear()
        inside = asyncio.create_task(paced(server))
        while not server.service.bus.live_calls:
            await asyncio.sleep(0.001)
        for number in range(20):
            refused = await turned_away(asking(server, f"late-{number}"))
            assert refused == ("RESOURCE_EXHAUSTED", "SERVER_FULL", 5.0)
        assert not inside.done()
        may_end.set()
        assert await inside == alone
        assert len(alone[0]) >= 5
        assert kinds(await server.call([config()]))[-1] == "summary"  # there is room again
        assert server.refusals() == {"SERVER_FULL": 20}


async def test_a_late_loop_takes_no_new_call_and_keeps_those_it_has(scorer: Scorer) -> None:
    async with serving(scorer, admission=Admission(max_lag_ms=1500.0)) as server:
        first = await server.opened(call_id="first")
        time.sleep(2.5)
        refused = await turned_away(asking(server, "second"))
        assert refused == ("RESOURCE_EXHAUSTED", "SERVER_OVERLOADED", 1.0)
        await first.done_writing()
        assert kinds(await rest(first)) == ["summary"]
        async with asyncio.timeout(PATIENCE_SECONDS):  # soon after it is forgotten
            while server.service.admission.lag_ms > 1500:
                await asyncio.sleep(0.02)
        assert kinds(await server.call([config()]))[-1] == "summary"


async def test_a_stopping_server_takes_nobody_and_says_so(scorer: Scorer) -> None:
    async with serving(scorer) as server:
        server.service.admission.close()
        info = await server.stub.GetServiceInfo(pb.GetServiceInfoRequest())
        assert not info.ready
        stopping = ("UNAVAILABLE", "SERVER_STOPPING", 1.0)
        assert await turned_away(asking(server, "late")) == stopping
        assert await turned_away(server.stub.WatchCues(pb.WatchCuesRequest())) == stopping


async def test_too_many_watchers(scorer: Scorer) -> None:
    async with serving(scorer, admission=Admission(max_watchers=2)) as server:
        watchers = [server.stub.WatchCues(pb.WatchCuesRequest()) for _ in range(2)]
        for watcher in watchers:
            assert (await watcher.read()).HasField("heartbeat")
        refused = await turned_away(server.stub.WatchCues(pb.WatchCuesRequest()))
        assert refused == ("RESOURCE_EXHAUSTED", "TOO_MANY_WATCHERS", 5.0)
        assert (await watchers[0].read()).HasField("heartbeat")
        watchers[0].cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while server.service.bus.watchers > 1:
                await asyncio.sleep(0.01)
        again = server.stub.WatchCues(pb.WatchCuesRequest())
        assert (await again.read()).HasField("heartbeat")
        again.cancel()
        watchers[1].cancel()


@pytest.mark.parametrize("door", [Admission(max_calls=1), Admission(max_watchers=1)])
async def test_one_limit_is_not_the_other(scorer: Scorer, door: Admission) -> None:
    async with serving(scorer, admission=door) as server:
        call = await server.opened()
        watcher = server.stub.WatchCues(pb.WatchCuesRequest())
        assert (await watcher.read()).call.live
        watcher.cancel()
        await call.done_writing()
        assert kinds(await rest(call)) == ["summary"]


async def test_no_more_watchers_than_that_come_in_at_once(scorer: Scorer) -> None:
    async with serving(scorer, admission=Admission(max_watchers=1)) as server:
        asked = [
            call
            for _ in range(15)
            for call in (
                server.stub.WatchCues(pb.WatchCuesRequest()),
                server.stub.WatchRouting(pb.WatchRoutingRequest()),
            )
        ]

        async def first(watcher: Any) -> str:
            try:
                return str((await watcher.read()).WhichOneof("event"))
            except grpc.aio.AioRpcError as error:
                return reason(error)

        heard = Counter(await asyncio.gather(*map(first, asked)))
        assert heard == {"heartbeat": 1, "TOO_MANY_WATCHERS": 29}
        for watcher in asked:
            watcher.cancel()
