"""One call, from its first message to the server's last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration

from emotion_service.client.status import Refused, lost, understood, unreachable
from emotion_service.v1 import emotion_service_pb2 as pb

if TYPE_CHECKING:
    from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceAsyncStub

STATUS_SECONDS = 1.0  # for a status that is on its way
POLL_SECONDS = 0.01
MADE_UP = "Internal error from Core"  # by grpc.aio, when a write fails

Stream: TypeAlias = (
    "grpc.aio.StreamStreamCall[pb.StreamingAnalyzeRequest, pb.StreamingAnalyzeResponse]"
)
T = TypeVar("T")


class OpenCall:
    """A call that the server has accepted; from `EmotionClient.open_call`.

    Every method raises `Refused` or `ServerUnreachable` when the server has ended the call.
    """

    def __init__(self, stream: Stream, server: str) -> None:
        self._stream = stream
        self._server = server
        self._responses = aiter(stream)
        self._next: pb.StreamingAnalyzeResponse | None = None
        self._gone = unreachable
        # What the server said when it ended the call. When a write fails at the same moment,
        # grpc.aio puts a status of its own before or in place of that one
        # (https://github.com/grpc/grpc/issues/36066), so the true one is kept here.
        self._status: grpc.aio.AioRpcError | None = None
        stream.add_done_callback(self._keep_status)

    async def begin(self, config: pb.CallConfig) -> None:
        """Sends the first message and awaits the answer."""
        await self._write(pb.StreamingAnalyzeRequest(config=config))
        self._next = await self._read()
        self._gone = lost

    async def send_audio(
        self,
        leg: str,
        data: bytes,
        offset_seconds: float | None = None,
        sequence: int | None = None,
    ) -> None:
        """Audio of one leg; of all legs, interleaved, when `leg` is empty.

        `offset_seconds` since the start of the call places its first sample; without it
        `sequence` (+1 a message of the leg) does; without both it follows on. Waits while the
        server is not ready to read.
        """
        audio = pb.AudioChunk(leg=leg, data=data, sequence=sequence)
        if offset_seconds is not None:
            audio.offset.CopyFrom(_duration(offset_seconds))
        await self._write(pb.StreamingAnalyzeRequest(audio=audio))

    async def update(self, change: pb.CallUpdate) -> None:
        """A change in the call, from this point of its audio on."""
        await self._write(pb.StreamingAnalyzeRequest(update=change))

    async def close(self) -> None:
        """No more audio. What is still due, the summary last, comes from `events`."""
        with understood(self._server, self._gone):
            await self._stream.done_writing()

    async def events(self) -> AsyncIterator[pb.StreamingAnalyzeResponse]:
        """What the service says, until the call has ended; may be left and gone on with."""
        while (response := self._next or await self._read()) is not None:
            self._next = None
            yield response

    def cancel(self) -> None:
        """Ends the call without a summary; does nothing when it has ended."""
        self._stream.cancel()

    async def _read(self) -> pb.StreamingAnalyzeResponse | None:
        with understood(self._server, self._gone):
            try:
                return await anext(self._responses)
            except StopAsyncIteration:
                return None
            except grpc.aio.AioRpcError:
                status = await self._last_word()
                if status.code() is grpc.StatusCode.OK:
                    return None
                raise status from None

    async def _write(self, request: pb.StreamingAnalyzeRequest) -> None:
        with understood(self._server, self._gone):
            try:
                await self._stream.write(request)
            except asyncio.InvalidStateError:
                if not self._stream.done():
                    raise  # the caller closed the call himself
                raise await self._last_word() from None
            except grpc.aio.AioRpcError:
                raise await self._last_word() from None

    async def _last_word(self) -> grpc.aio.AioRpcError:
        """The server's status; it comes after all its messages have been read."""
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                while self._status is None:  # done callbacks are called but once
                    await asyncio.sleep(POLL_SECONDS)
                    self._keep_status(self._stream)
        except TimeoutError:
            raise Refused(
                "UNKNOWN", "", "The server has ended the call; read its events to hear why."
            ) from None
        return self._status

    def _keep_status(self, stream: Stream) -> None:
        status = _at_once(_status(stream))
        if self._status is None and status.details() != MADE_UP:
            self._status = status


async def open_call(
    stub: EmotionServiceAsyncStub, server: str, config: pb.CallConfig, answer_seconds: float
) -> OpenCall:
    """One try to open a call.

    Raises:
        Refused, ServerUnreachable: it failed, or there was no answer in time.
    """
    call = OpenCall(stub.StreamingAnalyze(None), server)
    try:
        async with asyncio.timeout(answer_seconds):
            await call.begin(config)
    except TimeoutError:
        call.cancel()
        raise unreachable(server) from None
    except BaseException:
        call.cancel()
        raise
    return call


async def _status(stream: Stream) -> grpc.aio.AioRpcError:
    """The status of a stream that has one: no await in here waits."""
    return grpc.aio.AioRpcError(
        await stream.code(),
        await stream.initial_metadata(),
        await stream.trailing_metadata(),
        await stream.details(),
        None,
    )


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        value: T = returned.value
        return value
    raise AssertionError("the coroutine waits")


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
