"""The load, an open loop in a process of its own: every message has its time, whatever comes back.

What arrives is kept as bytes with the time of its arrival and read only afterwards, so that the
generator has little to do while it is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TypeAlias, cast
from uuid import uuid4

import grpc
import numpy as np
from google.protobuf.duration_pb2 import Duration

from benchmarks.conversation import Conversation
from benchmarks.timing import due, samples_a_message, starts
from emotion_service.types import SAMPLE_RATE_HERTZ
from emotion_service.v1 import emotion_service_pb2 as pb

SERVICE = "/emotion_service.v1.EmotionService"
LEGS = (("customer", pb.PARTY_CUSTOMER), ("agent", pb.PARTY_AGENT))
LEAD_SECONDS = 0.5  # between the last answer to a config and the first audio
ANSWER_SECONDS = 10.0  # for the answer to a config, and for the summary
UNREAD_SECONDS = 2.0  # without a message, a watcher that had stopped reading has read it all
OPTIONS = (("grpc.http2.bdp_probe", 0), ("grpc.enable_http_proxy", 0))
OWN_CONNECTION = (*OPTIONS, ("grpc.use_local_subchannel_pool", 1))

CallStream: TypeAlias = grpc.aio.StreamStreamCall[bytes, bytes]
WatchStream: TypeAlias = grpc.aio.UnaryStreamCall[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator is told."""

    server: str
    conversations: list[Conversation]
    calls: int
    message_ms: int
    seconds: float
    watch_scores: bool = False
    slow_watchers: int = 0  # who connect, ask for everything and never read
    seed: int = 0

    @property
    def messages(self) -> int:
        """Of each call."""
        return int(self.seconds * 1000) // self.message_ms


@dataclass(slots=True)
class HeardCall:
    """One call as its client and its watcher lived it; times in monotonic seconds."""

    call_id: str = field(default_factory=lambda: f"load-{uuid4().hex[:12]}")
    start: float = 0.0  # when its first message was due
    lags: list[float] = field(default_factory=list)  # seconds; what the server held back, apart
    events: list[tuple[float, bytes]] = field(default_factory=list)
    watched: list[tuple[float, bytes]] = field(default_factory=list)
    accepted: bool = False
    status: str = ""  # of its stream, in gRPC's words


@dataclass(frozen=True, slots=True)
class Heard:
    """All calls, from the first message due to the last; and the slow watchers that were cut."""

    began: float
    ended: float
    calls: list[HeardCall]
    cut: int
    cpu_seconds: float  # of the generator


def run(load: Load) -> Heard:
    """Sends the load from here. Meant for a process of its own."""
    return asyncio.run(_run(load))


async def _run(load: Load) -> Heard:
    calls = [HeardCall() for _ in range(load.calls)]
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(channel(load.server, OPTIONS))
        watchers = [await _watch(stack, load, call) for call in calls]
        slow = [await ignore(stack, load.server) for _ in range(load.slow_watchers)]
        streams = [await opened(gateway, call) for call in calls]
        began, cpu = time.monotonic() + LEAD_SECONDS, time.process_time()
        for call, start in zip(calls, starts(load.calls, load.seed), strict=True):
            call.start = began + start
        await asyncio.gather(
            *(
                converse(stream, messages(load, c), load, call)
                for c, (stream, call) in enumerate(zip(streams, calls, strict=True))
                if call.accepted
            )
        )
        cpu = time.process_time() - cpu
        for watcher in watchers:
            if not watcher.cancel():
                watcher.result()  # raises: no watcher that reads should have ended
        cut = sum(await asyncio.gather(*map(was_cut, slow)))
    return Heard(began, began + load.seconds, calls, cut, cpu)


async def received(stream: CallStream | WatchStream) -> AsyncIterator[bytes]:
    """Its messages, as they come, to the end."""
    while (data := await stream.read()) is not grpc.aio.EOF:
        yield cast(bytes, data)


def channel(server: str, options: tuple[tuple[str, int], ...]) -> grpc.aio.Channel:
    """A connection in plain text."""
    return grpc.aio.insecure_channel(server, options=options)


# --- calls ------------------------------------------------------------------------------------


async def opened(gateway: grpc.aio.Channel, call: HeardCall) -> CallStream:
    """Sends the config and hears whether it is accepted."""
    stream: CallStream = gateway.stream_stream(f"{SERVICE}/StreamingAnalyze")(None)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await stream.write(config(call.call_id).SerializeToString())
            call.events.append((time.monotonic(), cast(bytes, await stream.read())))
        call.accepted = True
    except grpc.aio.AioRpcError as error:
        call.status = error.code().name
    except TimeoutError:
        call.status = "NO_ANSWER"
    return stream


async def converse(stream: CallStream, audio: Iterator[bytes], load: Load, call: HeardCall) -> None:
    """Sends the audio, each message at its time, and hears the events until the call has ended."""
    sender = asyncio.create_task(_send(stream, audio, load.message_ms, call))
    try:
        async with asyncio.timeout_at(due(call.start, 0, 0) + load.seconds + ANSWER_SECONDS):
            async for data in received(stream):
                call.events.append((time.monotonic(), data))
        call.status = (await stream.code()).name
    except grpc.aio.AioRpcError as error:
        call.status = error.code().name
    except TimeoutError:
        call.status = "NO_SUMMARY"
    except asyncio.CancelledError:
        if not stream.cancelled():
            raise
        call.status = "CANCELLED"
    sender.cancel()
    with suppress(asyncio.CancelledError, asyncio.InvalidStateError, grpc.aio.AioRpcError):
        await sender  # the status above says why it could not go on


async def _send(
    stream: CallStream, audio: Iterator[bytes], message_ms: int, call: HeardCall
) -> None:
    free = 0.0
    for number, message in enumerate(audio):
        at = due(call.start, number, message_ms)
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        call.lags.append(time.monotonic() - max(at, free))
        await stream.write(message)  # waits when the server has not read for long
        free = time.monotonic()
    await stream.done_writing()


def messages(load: Load, number: int) -> Iterator[bytes]:
    """The audio of a call, both legs sample by sample, from anywhere in its conversation on."""
    codes = load.conversations[number % len(load.conversations)]
    first = int(np.random.default_rng((load.seed, number)).integers(len(codes)))
    step = samples_a_message(load.message_ms)
    for at in range(0, load.messages * step, step):
        data = codes.take(first + at + np.arange(step), axis=0, mode="wrap").tobytes()
        audio = pb.AudioChunk(data=data, offset=_duration(at))
        yield pb.StreamingAnalyzeRequest(audio=audio).SerializeToString()


def config(call_id: str) -> pb.StreamingAnalyzeRequest:
    legs = [
        pb.LegConfig(leg=leg, party=party, encoding="audio/PCMU", sample_rate_hertz=8000)
        for leg, party in LEGS
    ]
    config = pb.CallConfig(
        call_id=call_id,
        pacing=pb.PACING_LIVE,
        legs=legs,
        disclosure_given=True,
        consent=pb.CONSENT_GRANTED,
    )
    return pb.StreamingAnalyzeRequest(config=config)


def _duration(samples: int) -> Duration:
    whole, rest = divmod(samples, SAMPLE_RATE_HERTZ)
    return Duration(seconds=whole, nanos=rest * (1_000_000_000 // SAMPLE_RATE_HERTZ))


# --- watchers, each on a connection of its own ------------------------------------------------


async def _watch(stack: AsyncExitStack, load: Load, call: HeardCall) -> asyncio.Task[None]:
    """Follows one call, from before it begins."""
    request = pb.WatchCuesRequest(call_id=call.call_id, include_scores=load.watch_scores)
    stream = await watching(stack, load.server, request)
    await stream.read()  # the heartbeat after an empty snapshot
    return asyncio.create_task(_follow(stream, call))


async def _follow(stream: WatchStream, call: HeardCall) -> None:
    async for data in received(stream):
        call.watched.append((time.monotonic(), data))


async def ignore(stack: AsyncExitStack, server: str) -> WatchStream:
    """Asks for everything of all calls, and reads none of it."""
    return await watching(stack, server, pb.WatchCuesRequest(include_scores=True))


async def watching(stack: AsyncExitStack, server: str, request: pb.WatchCuesRequest) -> WatchStream:
    """A watcher's stream on a connection of its own, of which nothing has been read yet."""
    own = await stack.enter_async_context(channel(server, OWN_CONNECTION))
    async with asyncio.timeout(ANSWER_SECONDS):
        await own.channel_ready()
    watch: grpc.aio.UnaryStreamMultiCallable[bytes, bytes]
    watch = own.unary_stream(f"{SERVICE}/WatchCues")
    return watch(request.SerializeToString())


async def was_cut(stream: WatchStream) -> bool:
    """Reads what is left; whether the server had ended the stream."""
    try:
        while True:
            async with asyncio.timeout(UNREAD_SECONDS):
                if await stream.read() is grpc.aio.EOF:
                    return True
    except grpc.aio.AioRpcError:
        return True
    except TimeoutError:
        return False
