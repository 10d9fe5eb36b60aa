"""The service's own API over gRPC: `protos/emotion_service/v1/emotion_service.proto`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib.metadata import version
from typing import Generic, TypeAlias, TypeVar

import grpc

from emotion_service.delivery.interest import advice, all_but_scores, everything
from emotion_service.delivery.notice import Address, Reconnect
from emotion_service.errors import BadInput, Busy
from emotion_service.fronts import call_messages
from emotion_service.fronts.admission import stopping
from emotion_service.fronts.routing_messages import routing_to_proto
from emotion_service.fronts.statuses import AnyContext, statuses
from emotion_service.fronts.stream import CallStream, Service
from emotion_service.fronts.wire import (
    audio_from_proto,
    config_from_proto,
    event_to_proto,
    feedback_from_proto,
    update_from_proto,
    watched_to_proto,
)
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc

# A cancelled stream looks half-closed at first; the cancellation follows at once.
CANCELLATION_SECONDS = 0.02
CONFIG_SECONDS = 10.0  # for a stream to say what it is; until then it counts as no call
SLOW_READER_RETRY_SECONDS = 1.0

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")

Requests: TypeAlias = AsyncIterator[pb.StreamingAnalyzeRequest]
CallContext: TypeAlias = grpc.aio.ServicerContext[
    pb.StreamingAnalyzeRequest, pb.StreamingAnalyzeResponse
]
WatchContext: TypeAlias = grpc.aio.ServicerContext[pb.WatchCuesRequest, pb.WatchCuesResponse]
RoutingContext: TypeAlias = grpc.aio.ServicerContext[
    pb.WatchRoutingRequest, pb.WatchRoutingResponse
]


class EmotionServicer(pb_grpc.EmotionServiceServicer):
    """All calls of a process.

    `mixed_allowed`: scoring MIXED legs for tests may be asked for. A stream whose client does
    not read for `slow_reader_seconds` is ended.
    """

    def __init__(
        self, service: Service, mixed_allowed: bool, slow_reader_seconds: float = 30.0
    ) -> None:
        self._service = service
        self._mixed_allowed = mixed_allowed
        self._slow_reader_seconds = slow_reader_seconds
        self._streams: set[CallStream] = set()
        self._ended = asyncio.Event()

    async def StreamingAnalyze(  # type: ignore[override]
        self, request_iterator: Requests, context: CallContext
    ) -> None:
        async with statuses(context, self._service.metrics):
            await self._serve(request_iterator, context)

    async def WatchCues(  # type: ignore[override]
        self, request: pb.WatchCuesRequest, context: WatchContext
    ) -> None:
        service = self._service
        async with statuses(context, service.metrics):
            service.admission.admit_watcher(service.bus.watchers)
            wanted = Address(request.call_id, request.tenant, request.queue, request.agent_id)
            interest = everything if request.include_scores else all_but_scores
            watch = service.bus.watch(wanted, request.cursor, interest)
            out = _Writer(context, self._slow_reader_seconds)
            async with aclosing(watch) as news:
                async for together in news:
                    for part in [together] if request.batched else [[one] for one in together]:
                        await out.write(watched_to_proto(part))

    async def GetCall(self, request: pb.GetCallRequest, context: AnyContext) -> pb.GetCallResponse:
        async with statuses(context, self._service.metrics):
            state = self._service.bus.call(request.call_id)
            response = pb.GetCallResponse()
            call_messages.call(response.call, state)
            return response

    async def WatchRouting(  # type: ignore[override]
        self, request: pb.WatchRoutingRequest, context: RoutingContext
    ) -> None:
        service = self._service
        async with statuses(context, service.metrics):
            service.admission.admit_watcher(service.bus.watchers)
            wanted = Address(request.call_id, request.tenant, request.queue)
            watch = service.bus.watch(wanted, request.cursor, advice)
            out = _Writer(context, self._slow_reader_seconds)
            async with aclosing(watch) as news:
                async for together in news:
                    for cursor, watched in together:
                        for response in routing_to_proto(cursor, watched):
                            await out.write(response)

    async def SendFeedback(
        self, request: pb.SendFeedbackRequest, context: AnyContext
    ) -> pb.SendFeedbackResponse:
        service = self._service
        async with statuses(context, service.metrics):
            feedback = feedback_from_proto(request.feedback)
            service.bus.feedback(request.feedback.call_id, feedback)
            service.metrics.judged(feedback)
            return pb.SendFeedbackResponse()

    async def RecordObjection(
        self, request: pb.RecordObjectionRequest, context: AnyContext
    ) -> pb.RecordObjectionResponse:
        service = self._service
        async with statuses(context, service.metrics):
            if service.bus.object(request.call_id):
                service.metrics.objected()
            return pb.RecordObjectionResponse()

    async def GetServiceInfo(
        self, request: pb.GetServiceInfoRequest, context: AnyContext
    ) -> pb.GetServiceInfoResponse:
        scorer = self._service.scorer
        return pb.GetServiceInfoResponse(
            ready=self._service.admission.open,
            service_version=version("emotion-service"),
            model_name=scorer.model_name,
            model_version=scorer.model_version,
            model_licence=scorer.model_licence,
            model_sha256=scorer.model_sha256,
            live_calls=self._service.bus.live_calls,
            rules_sha256=self._service.rules.sha256,
        )

    async def drain(self, grace_seconds: float) -> int:
        """Asks every stream to go elsewhere and gives the calls so long to end; those that have
        not are ended then. How many these were."""
        for stream in self._streams:
            stream.say(Reconnect(grace_seconds))
        self._service.bus.announce(Reconnect(grace_seconds))
        try:
            async with asyncio.timeout(grace_seconds):
                while self._streams:
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            for stream in self._streams:
                stream.fail(stopping())
        return len(self._streams)

    async def _serve(self, requests: Requests, context: CallContext) -> None:
        """One call. Nothing outside holds its stream: it is freed when this returns or raises."""
        stream = await self._open(requests)
        reader = asyncio.create_task(_read(requests, stream), name="call reader")
        try:
            await self._tell(stream, context)
        finally:
            reader.cancel()
            stream.abandon()
            self._streams.remove(stream)
            self._ended.set()

    async def _open(self, requests: Requests) -> CallStream:
        try:
            async with asyncio.timeout(CONFIG_SECONDS):
                first = await anext(aiter(requests), None)
        except TimeoutError:
            first = None
        if first is None or not first.HasField("config"):
            raise BadInput(
                "CONFIG_MISSING",
                "the first message of a call is its config: send that before audio, at once",
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

    async def _tell(self, stream: CallStream, context: CallContext) -> None:
        config, out = stream.config, _Writer(context, self._slow_reader_seconds)
        async for said in stream.outbox:
            latency = said.latency(self._service.clock())
            response = event_to_proto(
                stream.address, config.contact_id, said.event, latency, config.latency_budget_ms
            )
            await out.write(response)


class _Writer(Generic[RequestT, ResponseT]):
    """Writes to one client, who is given so long to read each response."""

    def __init__(
        self, context: grpc.aio.ServicerContext[RequestT, ResponseT], slow_reader_seconds: float
    ) -> None:
        self._context = context
        self._seconds = slow_reader_seconds
        self._begun = False

    async def write(self, response: ResponseT) -> None:
        """Returns once the response is on its way; its client's flow control may hold it up.

        The headers go before the first, by themselves. Had they gone with one that was given up as
        too slow, gRPC would send them again with the status, fail, and never end the stream.

        Raises:
            Busy: READER_TOO_SLOW.
        """
        if not self._begun:
            self._begun = True
            await self._context.send_initial_metadata(())
        try:
            async with asyncio.timeout(self._seconds):
                await self._context.write(response)
        except TimeoutError:
            raise Busy(
                "READER_TOO_SLOW",
                f"nothing was read from this stream for {self._seconds:g} s: read in a task of its "
                "own, and go on at the last cursor",
                SLOW_READER_RETRY_SECONDS,
            ) from None


async def _read(requests: Requests, stream: CallStream) -> None:
    """Feeds the call. What goes wrong is handed to the writer, who ends the stream with it."""
    try:
        async for request in requests:
            match request.WhichOneof("request"):
                case "audio":
                    await stream.push(audio_from_proto(request.audio))
                case "update":
                    stream.update(update_from_proto(request.update))
                    await stream.caught_up()
                case "config":
                    raise BadInput("CONFIG_REPEATED", "a call has one config: open another stream")
                case None:
                    raise BadInput("REQUEST_EMPTY", "a message needs audio or an update")
        await asyncio.sleep(CANCELLATION_SECONDS)
        await stream.finish()
    except Exception as error:
        stream.fail(error)
