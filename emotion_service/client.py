"""A client of the service: open a call, push its audio, hear its events; or watch other calls.

    async with EmotionClient("127.0.0.1:50051") as client:
        async with client.open_call(config) as call:
            await call.send_audio("customer", data, offset_seconds=0.0)
            await call.close()
            async for event in call.events():
                ...

Send and hear in two tasks: a server that is not heard stops listening.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from emotion_service.errors import BadInput, EmotionServiceError
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceStub

if TYPE_CHECKING:
    from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceAsyncStub

ANSWER_SECONDS = 10.0  # for an answer to a question, and to the config of a call
FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 5.0
GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class ServerUnreachable(EmotionServiceError):
    """Nothing answers at the address, or what did has gone."""


class Refused(EmotionServiceError):
    """The server ended a call or question: `code` is gRPC's, `reason` a stable word or empty."""

    def __init__(self, code: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class EmotionClient:
    """One connection to `server` (HOST:PORT). Make it inside a running event loop.

    Raises:
        BadInput: for an address without a port.
    """

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        if not host or not port.isdecimal():
            raise BadInput(
                "BAD_ADDRESS",
                f"{server!r} is no address; give HOST:PORT, for example 127.0.0.1:50051.",
            )
        self.server = server
        self._channel = grpc.aio.insecure_channel(server, options=_channel_options(host))
        self._stub = EmotionServiceStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._channel.close(None)

    async def service_info(self) -> pb.GetServiceInfoResponse:
        """Which service, model and licence answer, and whether they are ready."""
        with _understood(self.server):
            return await self._stub.GetServiceInfo(
                pb.GetServiceInfoRequest(), timeout=ANSWER_SECONDS
            )

    async def get_call(self, call_id: str) -> pb.CallState:
        """The state of a live or recently ended call; `Refused` with NOT_FOUND for others."""
        with _understood(self.server):
            answer = await self._stub.GetCall(
                pb.GetCallRequest(call_id=call_id), timeout=ANSWER_SECONDS
            )
        return answer.call

    def open_call(self, config: pb.CallConfig) -> OpenCall:
        """A call to be entered with `async with`."""
        return OpenCall(self._stub, self.server, config)

    async def watch(
        self, request: pb.WatchCuesRequest, on_lost: Callable[[float], None] | None = None
    ) -> AsyncIterator[pb.WatchCuesResponse]:
        """Events of other streams' calls, without end.

        Once connected, a lost connection is opened again at the last cursor after 0.5 s, then
        1, 2, 4, 5 s (each shortened at random by up to half); `on_lost` is told the wait.

        Raises:
            ServerUnreachable: when the first connection fails.
        """
        at_cursor = pb.WatchCuesRequest()
        at_cursor.CopyFrom(request)
        connected, wait = False, FIRST_RETRY_SECONDS
        while True:
            try:
                async for response in self._watch_once(at_cursor):
                    connected, wait = True, FIRST_RETRY_SECONDS
                    at_cursor.cursor = response.cursor or at_cursor.cursor
                    yield response
            except ServerUnreachable:
                if not connected:
                    raise
            pause = wait * random.uniform(0.5, 1.0)
            if on_lost is not None:
                on_lost(pause)
            await asyncio.sleep(pause)
            wait = min(2 * wait, LAST_RETRY_SECONDS)

    async def _watch_once(
        self, request: pb.WatchCuesRequest
    ) -> AsyncIterator[pb.WatchCuesResponse]:
        stream = self._stub.WatchCues(request)
        try:
            with _understood(self.server):
                async for response in stream:
                    yield response
        finally:
            stream.cancel()


class OpenCall:
    """One call of an `EmotionClient`. Entering it sends the config and awaits the answer."""

    def __init__(self, stub: EmotionServiceAsyncStub, server: str, config: pb.CallConfig) -> None:
        self._server = server
        self._config = config
        self._stream: grpc.aio.StreamStreamCall[
            pb.StreamingAnalyzeRequest, pb.StreamingAnalyzeResponse
        ] = stub.StreamingAnalyze(None)
        self._next: pb.StreamingAnalyzeResponse | None = None
        self._gone = _unreachable

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._write(pb.StreamingAnalyzeRequest(config=self._config))
                self._next = await self._read()
        except TimeoutError:
            raise _unreachable(self._server) from None
        self._gone = _lost
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.cancel()  # does nothing when the call has ended

    async def send_audio(
        self,
        leg: str,
        data: bytes,
        offset_seconds: float | None = None,
        sequence: int | None = None,
    ) -> None:
        """Audio of one leg; of all legs, interleaved, when `leg` is empty.

        `offset_seconds` since the start of the call places its first sample; without it
        `sequence` (+1 a message) does; without both it follows on.
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
        with _understood(self._server, self._gone):
            await self._stream.done_writing()

    async def events(self) -> AsyncIterator[pb.StreamingAnalyzeResponse]:
        """What the service says, until the call has ended."""
        while self._next is not None:
            response, self._next = self._next, None
            yield response
            self._next = await self._read()

    async def _read(self) -> pb.StreamingAnalyzeResponse | None:
        with _understood(self._server, self._gone):
            response = await self._stream.read()
        return response if isinstance(response, pb.StreamingAnalyzeResponse) else None

    async def _write(self, request: pb.StreamingAnalyzeRequest) -> None:
        with _understood(self._server, self._gone):
            try:
                await self._stream.write(request)
            except asyncio.InvalidStateError:
                if not self._stream.done():
                    raise  # the caller closed the call himself
                raise await self._status() from None

    async def _status(self) -> grpc.aio.AioRpcError:
        """What the server said when it ended the call."""
        stream = self._stream
        return grpc.aio.AioRpcError(
            await stream.code(),
            await stream.initial_metadata(),
            await stream.trailing_metadata(),
            await stream.details(),
            None,
        )


def _channel_options(host: str) -> list[tuple[str, int]]:
    return [
        ("grpc.http2.bdp_probe", 0),  # its pings cost more than a larger window would bring
        ("grpc.enable_http_proxy", int(not _is_loopback(host))),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.initial_reconnect_backoff_ms", round(FIRST_RETRY_SECONDS * 1000)),
        ("grpc.max_reconnect_backoff_ms", round(LAST_RETRY_SECONDS * 1000)),
    ]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration


def _unreachable(server: str) -> ServerUnreachable:
    return ServerUnreachable(
        f"No emotion-service answers at {server}; check the address, "
        f"or start one with: emotion-service serve --listen {server}"
    )


def _lost(server: str) -> ServerUnreachable:
    return ServerUnreachable(
        f"The service at {server} went away in the middle of the call; open the call again."
    )


@contextmanager
def _understood(
    server: str, gone: Callable[[str], ServerUnreachable] = _unreachable
) -> Iterator[None]:
    """Turns gRPC's errors into this module's; `gone` words that nobody is there."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        reason = _stable_reason(error)
        if error.code() in GONE and not reason:
            raise gone(server) from None
        message = error.details() or "The server ended the call without saying why."
        raise Refused(error.code().name, reason, message) from None


def _stable_reason(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(cast(grpc.Call, error))
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""
