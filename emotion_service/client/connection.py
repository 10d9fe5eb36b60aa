"""One connection to a service, and the questions that it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Self

import grpc

from emotion_service import address
from emotion_service.address import Address
from emotion_service.client.backoff import FIRST_SECONDS, LAST_SECONDS, Backoff
from emotion_service.client.call import OpenCall, open_call
from emotion_service.client.reopened import RequestT, ResponseT, reopened
from emotion_service.client.status import Refused, ServerUnreachable, understood, unreachable
from emotion_service.client.tls import ClientTls, channel_credentials
from emotion_service.client.together import singly
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceStub

ANSWER_SECONDS = 10.0
QUIET_SECONDS = 20.0  # a watched server says something every 5 s


class EmotionClient:
    """One connection to `server` (HOST:PORT), encrypted with `tls`, or in plain text without.

    Every question, and the opening of a call, is answered within `answer_seconds` or fails.
    Make it inside a running event loop.

    Raises:
        BadInput: ADDRESS_INVALID.
    """

    def __init__(
        self, server: str, tls: ClientTls | None = None, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        options = _channel_options(address.parse(server))
        self.server = server
        self._answer_seconds = answer_seconds
        if tls is None:
            self._channel = grpc.aio.insecure_channel(server, options)
        else:
            self._channel = grpc.aio.secure_channel(server, channel_credentials(tls), options)
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
        with understood(self.server):
            return await self._stub.GetServiceInfo(
                pb.GetServiceInfoRequest(), timeout=self._answer_seconds
            )

    async def get_call(self, call_id: str) -> pb.CallState:
        """The state of a live or recently ended call; `Refused` with NOT_FOUND for others."""
        with understood(self.server):
            answer = await self._stub.GetCall(
                pb.GetCallRequest(call_id=call_id), timeout=self._answer_seconds
            )
        return answer.call

    async def send_feedback(
        self, call_id: str, cue_sequence: int, verdict: pb.Verdict.ValueType
    ) -> None:
        """What a person thinks of a live call's cue; `Refused` with NOT_FOUND for other calls."""
        feedback = pb.Feedback(call_id=call_id, cue_sequence=cue_sequence, verdict=verdict)
        with understood(self.server):
            await self._stub.SendFeedback(
                pb.SendFeedbackRequest(feedback=feedback), timeout=self._answer_seconds
            )

    async def record_objection(self, call_id: str) -> None:
        """The customer of this call objects: once this returns, nothing more is inferred on it,
        nor on others of its contact_id. `Refused` with NOT_FOUND for calls that are not known."""
        with understood(self.server):
            await self._stub.RecordObjection(
                pb.RecordObjectionRequest(call_id=call_id), timeout=self._answer_seconds
            )

    @asynccontextmanager
    async def open_call(
        self, config: pb.CallConfig, wait_seconds: float = 0.0
    ) -> AsyncIterator[OpenCall]:
        """A call that the server has accepted; left early, it is cancelled.

        While the server is unreachable or busy, tries again until `wait_seconds` are over, with
        the waits of `Backoff`, and never earlier than the server asks.

        Raises:
            Refused, ServerUnreachable: from the last try.
        """
        call = await self._opened(config, wait_seconds)
        try:
            yield call
        finally:
            call.cancel()

    async def _opened(self, config: pb.CallConfig, wait_seconds: float) -> OpenCall:
        clock = asyncio.get_running_loop().time
        give_up, backoff = clock() + wait_seconds, Backoff()
        while True:
            try:
                return await open_call(self._stub, self.server, config, self._answer_seconds)
            except (Refused, ServerUnreachable) as error:
                if error.retry_seconds is None:
                    raise
                pause = backoff.pause(error.retry_seconds)
                if clock() + pause > give_up:
                    raise
            await asyncio.sleep(pause)

    def watch(
        self, request: pb.WatchCuesRequest, on_lost: Callable[[float], None] | None = None
    ) -> AsyncGenerator[pb.WatchCuesResponse, None]:
        """Events of other streams' calls, without end, one by one: also where `batched` asks for
        several in one message, which is cheaper for both sides.

        Once connected, a lost connection is opened again at the last cursor after a wait of
        `Backoff`, of which `on_lost` is told. Lost is also one that the server ended but allows
        again, and one on which nothing came for 20 s.

        Raises:
            Refused, ServerUnreachable: when the first connection fails.
            Refused: later, when trying again will not help.
        """
        return reopened(self.watch_once, request, on_lost)

    def watch_routing(
        self, request: pb.WatchRoutingRequest, on_lost: Callable[[float], None] | None = None
    ) -> AsyncGenerator[pb.WatchRoutingResponse, None]:
        """Advice on other streams' calls, what stands first; all else as `watch`."""
        return reopened(partial(self._streamed, self._stub.WatchRouting), request, on_lost)

    async def watch_once(
        self, request: pb.WatchCuesRequest
    ) -> AsyncGenerator[pb.WatchCuesResponse, None]:
        """As `watch`, until the connection is lost, or the server ends it; close it to leave.

        Raises:
            Refused, ServerUnreachable: it was lost, or there was none.
        """
        async with aclosing(self._streamed(self._stub.WatchCues, request)) as responses:
            async for response in responses:
                for event in singly(response):
                    yield event

    async def _streamed(
        self, method: grpc.aio.UnaryStreamMultiCallable[RequestT, ResponseT], request: RequestT
    ) -> AsyncGenerator[ResponseT, None]:
        stream = method(request)
        try:
            responses = aiter(stream)
            while (response := await self._heard(responses)) is not None:
                yield response
        finally:
            stream.cancel()

    async def _heard(self, responses: AsyncIterator[ResponseT]) -> ResponseT | None:
        with understood(self.server):
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    return await anext(responses)
            except StopAsyncIteration:
                return None
            except TimeoutError:
                raise unreachable(self.server) from None


def _channel_options(server: Address) -> list[tuple[str, int]]:
    return [
        ("grpc.http2.bdp_probe", 0),  # its pings cost more than a larger window would bring
        ("grpc.enable_http_proxy", int(not server.is_loopback)),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.ping_timeout_ms", 10_000),  # the one that counts; a minute if left out
        ("grpc.initial_reconnect_backoff_ms", round(FIRST_SECONDS * 1000)),
        ("grpc.max_reconnect_backoff_ms", round(LAST_SECONDS * 1000)),
    ]
