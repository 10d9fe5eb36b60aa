"""A service on loopback, and a client that sees what gRPC itself shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status

from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.bus import Bus
from emotion_service.fronts.admission import Admission
from emotion_service.fronts.grpc import EmotionServicer
from emotion_service.fronts.grpc_server import GrpcServer
from emotion_service.fronts.stream import Service
from emotion_service.routing.ruleset import NO_RULES, RuleSet
from emotion_service.scoring.batcher import Batcher
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceStub
from tests.patience import PATIENCE_SECONDS

BYTES_A_SECOND = 16_000
# Without bdp_probe a client's window stays at the 64 KiB that HTTP/2 begins with.
CHANNEL = (("grpc.enable_http_proxy", 0), ("grpc.http2.bdp_probe", 0))
EVENTS = ("score", "cue", "activity", "summary")


class Server:
    """A service on loopback, and a channel to it."""

    def __init__(
        self,
        service: Service,
        servicer: EmotionServicer,
        server: GrpcServer,
        port: int,
        channel: Any,
    ) -> None:
        self.service = service
        self.servicer = servicer
        self.server = server
        self.address = f"127.0.0.1:{port}"
        self.channel = channel
        self.stub: Any = EmotionServiceStub(channel)

    async def call(
        self, requests: Iterable[pb.StreamingAnalyzeRequest]
    ) -> list[pb.StreamingAnalyzeResponse]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return [response async for response in self.stub.StreamingAnalyze(iter(requests))]

    async def opened(self, **changes: Any) -> Any:
        """The stream of a call that has been accepted; its first three statuses are read."""
        stream = self.stub.StreamingAnalyze()
        await stream.write(config(**changes))
        for _ in range(3):
            await stream.read()
        return stream

    def refusals(self) -> dict[str, float]:
        """How many streams and questions were refused, by reason."""
        metrics = self.service.metrics.registry.collect()
        (family,) = [metric for metric in metrics if metric.name == "emotion_service_refusals"]
        counted = [sample for sample in family.samples if sample.name.endswith("_total")]
        return {sample.labels["reason"]: sample.value for sample in counted}

    async def refused(self, requests: list[pb.StreamingAnalyzeRequest]) -> tuple[str, str]:
        """The status code and the reason that a call is ended with, after the last request."""
        stream = self.stub.StreamingAnalyze()
        for request in requests:
            await stream.write(request)
        if not requests:
            await stream.done_writing()
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await asyncio.wait_for(rest(stream), PATIENCE_SECONDS)
        return error.value.code().name, reason(error.value)


@asynccontextmanager
async def serving(
    scorer: Scorer,
    mixed_allowed: bool = True,
    admission: Admission | None = None,
    slow_reader_seconds: float = 30.0,
    reflection: bool = False,
    port: int = 0,
    rules: RuleSet = NO_RULES,
) -> AsyncIterator[Server]:
    async with Batcher(scorer) as batcher, admission or Admission() as door:
        service = Service(scorer, batcher, Bus(heartbeat_seconds=0.05), rules, admission=door)
        servicer = EmotionServicer(service, mixed_allowed, slow_reader_seconds)
        server = GrpcServer(servicer, reflection)
        port = server.bind("127.0.0.1", port)
        await server.start()
        await server.serving(True)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL) as channel:
            yield Server(service, servicer, server, port, channel)
        await server.stop(None)


def config(**changes: Any) -> pb.StreamingAnalyzeRequest:
    fields: dict[str, Any] = {
        "call_id": "call-1",
        "queue": "sales",
        "pacing": pb.PACING_RECORDED,
        "legs": [
            leg("customer", pb.PARTY_CUSTOMER),
            leg("agent", pb.PARTY_AGENT),
        ],
        "disclosure_given": True,
        "consent": pb.CONSENT_GRANTED,
    }
    return pb.StreamingAnalyzeRequest(config=pb.CallConfig(**{**fields, **changes}))


def leg(name: str, party: pb.Party.ValueType) -> pb.LegConfig:
    return pb.LegConfig(leg=name, party=party, encoding="audio/pcm", sample_rate_hertz=8000)


def audio(speech: bytes, milliseconds: int = 70) -> Iterator[pb.StreamingAnalyzeRequest]:
    step = BYTES_A_SECOND * milliseconds // 1000
    for number, start in enumerate(range(0, len(speech), step)):
        yield pb.StreamingAnalyzeRequest(
            audio=pb.AudioChunk(leg="customer", data=speech[start : start + step], sequence=number)
        )


def kinds(responses: Iterable[pb.StreamingAnalyzeResponse]) -> list[str]:
    return [str(response.WhichOneof("response")) for response in responses]


async def rest(stream: Any) -> list[Any]:
    """What has not been read yet, to the end."""
    responses = []
    while (response := await stream.read()) is not grpc.aio.EOF:
        responses.append(response)
    return responses


async def turned_away(stream: Any) -> tuple[str, str, float]:
    """With which code and reason a stream ends, and after how many seconds to try again."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asyncio.wait_for(rest(stream), PATIENCE_SECONDS)
    return error.value.code().name, reason(error.value), retry_seconds(error.value)


def untimed(responses: Iterable[Any], kind: str) -> list[Any]:
    """The messages of a kind, without what differs from run to run and reader to reader."""
    messages = [getattr(response, kind) for response in responses if response.HasField(kind)]
    for message in messages:
        if kind in ("score", "cue"):
            message.ClearField("latency")
            message.ClearField("within_budget")
    return messages


def reason(error: grpc.aio.AioRpcError) -> str:
    info = ErrorInfo()
    assert _details(error)[0].Unpack(info)
    assert info.domain == "emotion-service"
    return str(info.reason)


def retry_seconds(error: grpc.aio.AioRpcError) -> float:
    retry = RetryInfo()
    assert _details(error)[1].Unpack(retry)
    return float(retry.retry_delay.ToNanoseconds() / 1e9)


def _details(error: grpc.aio.AioRpcError) -> Any:
    status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]
    return status.details


def is_accepting(task: asyncio.Task[Any]) -> bool:
    """Whether it is gRPC waiting for the next call of some method."""
    return "_request_registered_call" in repr(task)


async def nothing_left(server: Server, before: set[asyncio.Task[Any]]) -> None:
    """Every task of a call is gone before long, and so is the call."""
    bus = server.service.bus
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (
            bus.live_calls
            or bus.watchers
            or {task for task in asyncio.all_tasks() - before if not is_accepting(task)}
        ):
            await asyncio.sleep(0.01)
