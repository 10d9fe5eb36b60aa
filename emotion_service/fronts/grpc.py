"""The service's own API over gRPC: `protos/emotion_service/v1/emotion_service.proto`."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from importlib.metadata import version
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from emotion_service.delivery.notice import Address, Reconnect
from emotion_service.errors import BadInput
from emotion_service.fronts.stream import CallStream, Service
from emotion_service.fronts.wire import (
    audio_from_proto,
    call_to_proto,
    config_from_proto,
    event_to_proto,
    update_from_proto,
    watched_to_proto,
)
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc

SERVER_OPTIONS = (
    ("grpc.http2.bdp_probe", 0),  # its pings cost more than a larger window would bring
    ("grpc.so_reuseport", 0),  # a second server on the port is an error, not a lottery
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)
# A cancelled stream looks half-closed at first; the cancellation follows at once.
CANCELLATION_SECONDS = 0.02
STATUS_CODES = {
    "CALL_ID_IN_USE": grpc.StatusCode.ALREADY_EXISTS,
    "CALL_UNKNOWN": grpc.StatusCode.NOT_FOUND,
    "MIXED_NOT_ALLOWED": grpc.StatusCode.FAILED_PRECONDITION,
}  # everything else is INVALID_ARGUMENT

Requests: TypeAlias = AsyncIterator[pb.StreamingAnalyzeRequest]
CallContext: TypeAlias = grpc.aio.ServicerContext[
    pb.StreamingAnalyzeRequest, pb.StreamingAnalyzeResponse
]
WatchContext: TypeAlias = grpc.aio.ServicerContext[pb.WatchCuesRequest, pb.WatchCuesResponse]
AnyContext: TypeAlias = grpc.aio.ServicerContext[Any, Any]

log = logging.getLogger(__name__)


class EmotionServicer(pb_grpc.EmotionServiceServicer):
    """All calls of a process. `mixed_allowed`: scoring MIXED legs for tests may be asked for."""

    def __init__(self, service: Service, mixed_allowed: bool) -> None:
        self._service = service
        self._mixed_allowed = mixed_allowed
        self._streams: set[CallStream] = set()
        self._ended = asyncio.Event()

    async def StreamingAnalyze(  # type: ignore[override]
        self, request_iterator: Requests, context: CallContext
    ) -> None:
        async with _statuses(context):
            stream = await self._open(request_iterator)
            reader = asyncio.create_task(_read(request_iterator, stream), name="call reader")
            try:
                await self._write(stream, context)
            finally:
                reader.cancel()
                stream.abandon()
                self._streams.remove(stream)
                self._ended.set()

    async def WatchCues(  # type: ignore[override]
        self, request: pb.WatchCuesRequest, context: WatchContext
    ) -> None:
        wanted = Address(request.call_id, request.tenant, request.queue, request.agent_id)
        watch = self._service.bus.watch(wanted, request.cursor, request.include_scores)
        async with _statuses(context), aclosing(watch) as news:
            async for cursor, watched in news:
                await context.write(watched_to_proto(cursor, watched))

    async def GetCall(self, request: pb.GetCallRequest, context: AnyContext) -> pb.GetCallResponse:
        async with _statuses(context):
            return pb.GetCallResponse(call=call_to_proto(self._service.bus.call(request.call_id)))

    async def GetServiceInfo(
        self, request: pb.GetServiceInfoRequest, context: AnyContext
    ) -> pb.GetServiceInfoResponse:
        scorer = self._service.scorer
        return pb.GetServiceInfoResponse(
            ready=True,
            service_version=version("emotion-service"),
            model_name=scorer.model_name,
            model_version=scorer.model_version,
            model_licence=scorer.model_licence,
            model_sha256=scorer.model_sha256,
            live_calls=self._service.bus.live_calls,
        )

    async def drain(self, grace_seconds: float) -> None:
        """Asks every call to reconnect elsewhere; returns once all have ended."""
        for stream in self._streams:
            stream.say(Reconnect(grace_seconds))
        while self._streams:
            self._ended.clear()
            await self._ended.wait()

    async def _open(self, requests: Requests) -> CallStream:
        first = await anext(aiter(requests), None)
        if first is None or not first.HasField("config"):
            raise BadInput(
                "CONFIG_MISSING",
                "the first message of a call is its config: send that before audio",
            )
        config = config_from_proto(first.config)
        if config.allow_mixed_for_testing and not self._mixed_allowed:
            raise BadInput(
                "MIXED_NOT_ALLOWED",
                "allow_mixed_for_testing is for servers that only this machine can reach: "
                "leave it out, or use a server on loopback",
            )
        stream = CallStream(config, self._service)
        self._streams.add(stream)
        return stream

    async def _write(self, stream: CallStream, context: CallContext) -> None:
        config = stream.config
        async for said in stream.outbox:
            latency = said.latency(self._service.clock())
            await context.write(
                event_to_proto(
                    config.call_id,
                    config.contact_id,
                    said.event,
                    latency,
                    config.latency_budget_ms,
                )
            )


async def _read(requests: Requests, stream: CallStream) -> None:
    """Feeds the call. What goes wrong is handed to the writer, who ends the stream with it."""
    try:
        async for request in requests:
            match request.WhichOneof("request"):
                case "audio":
                    await stream.push(audio_from_proto(request.audio))
                case "update":
                    stream.update(update_from_proto(request.update))
                case "config":
                    raise BadInput("CONFIG_REPEATED", "a call has one config: open another stream")
                case None:
                    raise BadInput("REQUEST_EMPTY", "a message needs audio or an update")
        await asyncio.sleep(CANCELLATION_SECONDS)
        await stream.finish()
    except Exception as error:
        stream.fail(error)


@asynccontextmanager
async def _statuses(context: AnyContext) -> AsyncIterator[None]:
    """Ends the stream of a failure, and nothing else, with one status."""
    try:
        yield
    except BadInput as error:
        code = STATUS_CODES.get(error.reason, grpc.StatusCode.INVALID_ARGUMENT)
        await _abort(context, code, error.reason, str(error))
    except Exception as error:
        # The place, not the message: that might quote a caller.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("defect: %s in %s:%s", type(error).__name__, place.filename, place.lineno)
        message = "a defect of the service ended this stream; its log has the place"
        await _abort(context, grpc.StatusCode.INTERNAL, "DEFECT", message)


async def _abort(context: AnyContext, code: grpc.StatusCode, reason: str, message: str) -> NoReturn:
    detail = AnyMessage()
    detail.Pack(ErrorInfo(reason=reason, domain="emotion-service"))
    status = rpc_status.to_status(Status(code=code.value[0], message=message, details=[detail]))
    await context.abort(status.code, status.details, status.trailing_metadata)


def new_server(servicer: EmotionServicer) -> grpc.aio.Server:
    """A server of this API that still has to be bound and started."""
    server = grpc.aio.server(options=SERVER_OPTIONS)
    pb_grpc.add_EmotionServiceServicer_to_server(servicer, server)
    return server


def bind(server: grpc.aio.Server, host: str, port: int) -> int:
    """Lets the server listen, without encryption; returns its port, chosen by it when 0.

    Raises:
        BadInput: LISTEN_FAILED.
    """
    try:
        return server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise BadInput(
            "LISTEN_FAILED",
            f"cannot listen on {host}:{port}: another program has the port, or the address is "
            "not this machine's; choose another (port 0 takes any)",
        ) from error
