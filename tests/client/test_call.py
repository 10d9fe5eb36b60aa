"""One call against a scripted server behind a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import grpc
import pytest

from emotion_service.client import EmotionClient, OpenCall, Refused, ServerUnreachable
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.patience import PATIENCE_SECONDS

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]
Refuse: TypeAlias = Callable[..., Awaitable[None]]
Requests: TypeAlias = AsyncIterator[pb.StreamingAnalyzeRequest]

CONFIG = pb.CallConfig(call_id="c1", legs=[pb.LegConfig(leg="customer", encoding="audio/PCMU")])
READY = pb.StreamingAnalyzeResponse(status=pb.Status(call_id="c1", ready=pb.Ready()))
SUMMARY = pb.StreamingAnalyzeResponse(summary=pb.CallSummary(call_id="c1"))


class Echo:
    """Acknowledges each audio by its size, keeps what it was sent, and ends the call as told
    once the given number of messages has come after the config."""

    def __init__(self, end: Callable[[Any], Awaitable[None]] | None = None, after: int = 1) -> None:
        self.requests: list[pb.StreamingAnalyzeRequest] = []
        self.ended = asyncio.Event()
        self._end = end
        self._after = after

    async def stream(
        self, requests: Requests, context: Any
    ) -> AsyncIterator[pb.StreamingAnalyzeResponse]:
        context.add_done_callback(lambda _: self.ended.set())
        async for request in requests:
            self.requests.append(request)
            if request.HasField("config"):
                yield READY
            elif self._end is not None and len(self.requests) > self._after:
                await self._end(context)
                return
            else:
                yield acknowledgement(len(request.audio.data))
        yield SUMMARY


@asynccontextmanager
async def connected(serve: Serve, echo: Echo) -> AsyncIterator[EmotionClient]:
    async with (
        serve({"StreamingAnalyze": echo.stream}) as server,
        EmotionClient(server) as client,
    ):
        yield client


def acknowledgement(number: int) -> pb.StreamingAnalyzeResponse:
    acknowledged = pb.Acknowledged(leg="customer", sequence=number)
    return pb.StreamingAnalyzeResponse(status=pb.Status(acknowledged=acknowledged))


async def test_a_call_from_config_to_summary(serve: Serve) -> None:
    servicer = Echo()
    async with connected(serve, servicer) as client, client.open_call(CONFIG) as call:
        await call.send_audio("customer", b"abc", offset_seconds=0.0125)
        await call.send_audio("customer", b"de", sequence=7)
        await call.update(pb.CallUpdate(queue="sales"))
        await call.close()
        heard = [event async for event in call.events()]
    assert heard == [READY, *(acknowledgement(size) for size in (3, 2, 0)), SUMMARY]
    config, first, second, update = servicer.requests
    assert config.config == CONFIG
    assert first.audio.offset.ToNanoseconds() == 12_500_000
    assert not first.audio.HasField("sequence")
    assert second.audio.sequence == 7
    assert not second.audio.HasField("offset")
    assert update.update.queue == "sales"


async def test_leaving_a_call_early_cancels_it(serve: Serve) -> None:
    servicer = Echo()
    async with connected(serve, servicer) as client:
        async with client.open_call(CONFIG):
            pass
        await asyncio.wait_for(servicer.ended.wait(), PATIENCE_SECONDS)
    assert len(servicer.requests) == 1


async def test_a_refusal_carries_code_reason_and_message(serve: Serve, refuse: Refuse) -> None:
    async def odd(context: Any) -> None:
        await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "ODD_BYTES", "3 bytes were given.")

    async with connected(serve, Echo(odd)) as client, client.open_call(CONFIG) as call:
        await call.send_audio("customer", b"abc")
        with pytest.raises(Refused, match="3 bytes were given") as caught:
            [event async for event in call.events()]
        assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "ODD_BYTES")
        assert caught.value.retry_seconds is None
        with pytest.raises(Refused, match="3 bytes were given") as caught:
            await call.send_audio("customer", b"more")
        assert caught.value.reason == "ODD_BYTES"


async def test_a_refusal_says_when_to_try_again(serve: Serve, refuse: Refuse) -> None:
    async def stop(context: Any) -> None:
        await refuse(context, grpc.StatusCode.UNAVAILABLE, "SERVER_STOPPING", "Bye.", 1.5)

    async with connected(serve, Echo(stop)) as client, client.open_call(CONFIG) as call:
        await call.send_audio("customer", b"abc")
        with pytest.raises(Refused, match=r"Bye\.") as caught:
            [event async for event in call.events()]
    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "SERVER_STOPPING")
    assert caught.value.retry_seconds == 1.5


async def send_without_end(call: OpenCall) -> None:
    while True:
        await call.send_audio("customer", bytes(20_000))


async def hear(call: OpenCall) -> list[pb.StreamingAnalyzeResponse]:
    return [event async for event in call.events()]


@pytest.mark.parametrize("turn", range(10))
async def test_the_reason_survives_a_write_at_the_same_moment(
    serve: Serve, refuse: Refuse, turn: int
) -> None:
    """grpc.aio alone says INTERNAL, "Internal error from Core", to both ends of this race."""

    async def full(context: Any) -> None:
        await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "FULL", "Full.", 2.0)

    async with (
        connected(serve, Echo(full, after=turn + 1)) as client,
        client.open_call(CONFIG) as call,
    ):
        sent, heard = await asyncio.gather(
            send_without_end(call), hear(call), return_exceptions=True
        )
    for error in (sent, heard):
        assert isinstance(error, Refused)
        assert (error.code, error.reason, str(error)) == ("RESOURCE_EXHAUSTED", "FULL", "Full.")
        assert error.retry_seconds == 2.0


async def test_a_call_that_ends_well_while_audio_is_sent_is_heard_to_its_end(
    serve: Serve,
) -> None:
    async def leave(context: Any) -> None:
        await context.write(SUMMARY)

    async with connected(serve, Echo(leave, after=5)) as client, client.open_call(CONFIG) as call:
        sent, heard = await asyncio.gather(
            send_without_end(call), hear(call), return_exceptions=True
        )
    assert isinstance(sent, Refused)
    assert sent.code == "OK"
    assert isinstance(heard, list)
    assert (len(heard), heard[-1]) == (6, SUMMARY)


async def test_a_sender_who_does_not_read_is_told_where_the_reason_is(
    serve: Serve, refuse: Refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_service.client.call.STATUS_SECONDS", 0.1)

    async def full(context: Any) -> None:
        await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "FULL", "Full.")

    async with connected(serve, Echo(full, after=5)) as client, client.open_call(CONFIG) as call:
        with pytest.raises(Refused, match="read its events to hear why"):
            await send_without_end(call)
        with pytest.raises(Refused, match=r"Full\."):
            await hear(call)


async def test_sending_after_close_is_the_callers_mistake(serve: Serve) -> None:
    async with connected(serve, Echo()) as client, client.open_call(CONFIG) as call:
        await call.close()
        with pytest.raises(asyncio.InvalidStateError):
            await call.send_audio("customer", b"abc")


async def test_a_server_that_goes_away_in_the_middle(serve: Serve) -> None:
    async def vanish(context: Any) -> None:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")

    async with connected(serve, Echo(vanish)) as client, client.open_call(CONFIG) as call:
        await call.send_audio("customer", b"abc")
        with pytest.raises(ServerUnreachable, match="went away in the middle of the call"):
            await hear(call)


async def test_what_it_says_may_be_left_and_gone_on_with(serve: Serve) -> None:
    async with connected(serve, Echo()) as client, client.open_call(CONFIG) as call:
        async for said in call.events():
            assert said == READY
            break
        await call.send_audio("customer", b"abc")
        await call.close()
        assert [said async for said in call.events()] == [acknowledgement(3), SUMMARY]
        assert [said async for said in call.events()] == []
