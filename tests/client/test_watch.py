"""Watching other streams' calls through a scripted server: what is lost is opened again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import grpc
import pytest

from emotion_service.client import EmotionClient, Refused, connection
from emotion_service.v1 import emotion_service_pb2 as pb

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]
Refuse: TypeAlias = Callable[..., Awaitable[None]]
End: TypeAlias = Callable[[Any], Awaitable[None]]

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


class Cues:
    """Two cues after the cursor, then the end that `end` makes."""

    def __init__(self, end: End) -> None:
        self._end = end
        self.cursors: list[str] = []

    async def watch(
        self, request: pb.WatchCuesRequest, context: Any
    ) -> AsyncIterator[pb.WatchCuesResponse]:
        self.cursors.append(request.cursor)
        begun = int(request.cursor or "0")
        for number in (begun + 1, begun + 2):
            yield pb.WatchCuesResponse(cursor=str(number), cue=pb.Cue(sequence=number))
        await self._end(context)


@asynccontextmanager
async def watched(
    serve: Serve, cues: Cues, cursor: str, on_lost: Callable[[float], None] | None = None
) -> AsyncIterator[AsyncIterator[pb.WatchCuesResponse]]:
    async with serve({"WatchCues": cues.watch}) as server, EmotionClient(server) as client:
        news = client.watch(pb.WatchCuesRequest(cursor=cursor), on_lost)
        try:
            yield news
        finally:
            await news.aclose()


async def take(news: AsyncIterator[pb.WatchCuesResponse], count: int) -> list[pb.WatchCuesResponse]:
    return [await anext(news) for _ in range(count)]


async def broken(context: Any) -> None:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")


async def silent(context: Any) -> None:
    await asyncio.sleep(60)


async def over(context: Any) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("end", [broken, silent, over])
@pytest.mark.usefixtures("quick")
async def test_a_lost_watch_goes_on_at_its_cursor(
    serve: Serve, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "QUIET_SECONDS", 0.5)
    cues, waits = Cues(end), list[float]()
    async with watched(serve, cues, "10", waits.append) as news:
        heard = [response.cue.sequence for response in await take(news, 5)]
    assert heard == [11, 12, 13, 14, 15]
    assert cues.cursors == ["10", "12", "14"]
    assert len(waits) == 2
    assert all(0.0025 <= wait <= 0.005 for wait in waits)


@pytest.mark.usefixtures("quick")
async def test_a_watch_that_was_cut_but_may_come_back_does(serve: Serve, refuse: Refuse) -> None:
    async def too_slow(context: Any) -> None:
        await refuse(context, EXHAUSTED, "READER_TOO_SLOW", "Nothing was read.", 0.02)

    cues, waits = Cues(too_slow), list[float]()
    async with watched(serve, cues, "", waits.append) as news:
        assert [response.cursor for response in await take(news, 3)] == ["1", "2", "3"]
    assert cues.cursors == ["", "2"]
    assert len(waits) == 1
    assert waits[0] >= 0.02


async def test_a_watch_that_is_refused_for_good_says_so(serve: Serve, refuse: Refuse) -> None:
    async def bad(context: Any) -> None:
        await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "CURSOR_INVALID", "No cursor.")

    async with watched(serve, Cues(bad), "") as news:
        with pytest.raises(Refused, match="No cursor"):
            await take(news, 3)


async def test_a_first_watch_that_finds_the_server_full_says_so(
    serve: Serve, refuse: Refuse
) -> None:
    async def full(request: pb.WatchCuesRequest, context: Any) -> None:
        await refuse(context, EXHAUSTED, "TOO_MANY_WATCHERS", "Too many.", 5.0)

    async with serve({"WatchCues": full}) as server, EmotionClient(server) as client:
        with pytest.raises(Refused, match="Too many") as caught:
            await take(client.watch(pb.WatchCuesRequest()), 1)
    assert caught.value.retry_seconds == 5.0


@pytest.mark.usefixtures("quick")
async def test_a_request_to_reconnect_is_passed_on_and_the_watch_goes_on(serve: Serve) -> None:
    async def stopping(context: Any) -> None:
        await context.write(pb.WatchCuesResponse(cursor="2", reconnect=pb.Reconnect()))

    cues = Cues(stopping)
    async with watched(serve, cues, "") as news:
        heard = [response.WhichOneof("event") for response in await take(news, 4)]
    assert heard == ["cue", "cue", "reconnect", "cue"]
    assert cues.cursors == ["", "2"]


@pytest.mark.usefixtures("quick")
async def test_a_lost_watch_of_advice_goes_on_at_its_cursor(serve: Serve) -> None:
    cursors = []

    async def advice(
        request: pb.WatchRoutingRequest, context: Any
    ) -> AsyncIterator[pb.WatchRoutingResponse]:
        cursors.append(request.cursor)
        for cursor in ("", "7"):  # of two that a call took along only the last has a cursor
            yield pb.WatchRoutingResponse(cursor=cursor, advice=pb.Advice(queue=request.queue))
        await broken(context)

    async with serve({"WatchRouting": advice}) as server, EmotionClient(server) as client:
        news = client.watch_routing(pb.WatchRoutingRequest(queue="sales"))
        heard = [(await anext(news)).advice.queue for _ in range(3)]
        await news.aclose()
    assert heard == ["sales"] * 3
    assert cursors == ["", "7"]


@pytest.mark.usefixtures("quick")
async def test_a_lost_watch_goes_on_at_the_last_cursor_of_a_batch(serve: Serve) -> None:
    cursors = []

    async def batched(
        request: pb.WatchCuesRequest, context: Any
    ) -> AsyncIterator[pb.WatchCuesResponse]:
        assert request.batched
        cursors.append(request.cursor)
        number = int(request.cursor or "0")
        response = pb.WatchCuesResponse(cursor=str(number + 1), cue=pb.Cue(sequence=number + 1))
        for more in (number + 2, number + 3):
            response.more.add(cursor=str(more)).cue.sequence = more
        yield response
        await broken(context)

    async with serve({"WatchCues": batched}) as server, EmotionClient(server) as client:
        news = client.watch(pb.WatchCuesRequest(batched=True))
        heard = [(response.cue.sequence, len(response.more)) for response in await take(news, 7)]
        await news.aclose()
    assert heard == [(number, 0) for number in range(1, 8)]
    assert cursors == ["", "3", "6"]
