"""What a call held is given back as it ends, not when Python next looks for cycles."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import Server, audio, config, rest, serving

STREAM = "/emotion_service.v1.EmotionService/StreamingAnalyze"
REFUSED = {
    "garbage": b"\xff" * 100,
    "update": pb.StreamingAnalyzeRequest(update=pb.CallUpdate()).SerializeToString(),
}


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer) as running:
        yield running


@pytest.fixture
def no_search_for_cycles() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


async def freed(call: weakref.ref[Any]) -> bool:
    """Within a second: gRPC ends its own part of a call a little later."""
    for _ in range(100):
        if call() is None:
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.mark.usefixtures("no_search_for_cycles")
@pytest.mark.parametrize("pacing", [pb.PACING_LIVE, pb.PACING_RECORDED])
@pytest.mark.parametrize("end", ["completed", "cancelled", "garbage", "update"])
async def test_a_call_is_freed_as_it_ends(
    server: Server, speech: bytes, pacing: pb.Pacing.ValueType, end: str
) -> None:
    stream: Any = server.channel.stream_stream(STREAM)(None)
    for request in [config(pacing=pacing), *audio(speech[:16_000])]:
        await stream.write(request.SerializeToString())
    await stream.read()
    (held,) = map(weakref.ref, server.servicer._streams)
    if end == "completed":
        await stream.done_writing()
        await rest(stream)
    elif end == "cancelled":
        stream.cancel()
    else:
        await stream.write(REFUSED[end])
        with pytest.raises(grpc.aio.AioRpcError):
            await rest(stream)
    assert await freed(held)
