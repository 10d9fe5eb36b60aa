"""The server around the API: health, reflection, limits of the connection, ports, encryption."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from emotion_service.calls.scorer import Scorer
from emotion_service.errors import BadInput
from emotion_service.fronts.grpc import EmotionServicer
from emotion_service.fronts.grpc_server import FRONTS, GrpcServer
from emotion_service.fronts.stream import Service
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import CHANNEL, Server, config, rest, serving
from tests.patience import PATIENCE_SECONDS

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer) as running:
        yield running


def health(server: Server) -> Any:
    return health_pb2_grpc.HealthStub(server.channel)


def asked(service: str) -> Any:
    return health_pb2.HealthCheckRequest(service=service)


# --- health ---


def test_health_can_be_asked_for_the_whole_and_for_the_front() -> None:
    assert FRONTS == ("", "emotion_service.v1.EmotionService")


@pytest.mark.parametrize("front", FRONTS)
async def test_check_follows_the_service(server: Server, front: str) -> None:
    assert (await health(server).Check(asked(front))).status == SERVING
    await server.server.serving(False)
    assert (await health(server).Check(asked(front))).status == NOT_SERVING
    await server.server.serving(True)
    assert (await health(server).Check(asked(front))).status == SERVING


@pytest.mark.parametrize("front", FRONTS)
async def test_watch_tells_each_change(server: Server, front: str) -> None:
    watch = health(server).Watch(asked(front))
    assert (await watch.read()).status == SERVING
    await server.server.serving(False)
    assert (await watch.read()).status == NOT_SERVING
    watch.cancel()


async def test_an_unknown_service_is_not_found_and_may_be_watched(server: Server) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await health(server).Check(asked("no.such.Service"))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    watch = health(server).Watch(asked("no.such.Service"))
    assert (await watch.read()).status == SERVICE_UNKNOWN
    watch.cancel()


async def test_a_started_server_does_not_serve_until_told(service: Service) -> None:
    server = GrpcServer(EmotionServicer(service, mixed_allowed=True))
    port = server.bind("127.0.0.1", 0)
    await server.start()
    options = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        for front in FRONTS:
            assert (await stub.Check(asked(front))).status == NOT_SERVING
    await server.stop(None)


async def test_a_prober_hears_that_it_stops_though_a_watcher_reads_nothing(server: Server) -> None:
    """A client that is frozen: its window for the answer is full from the start."""
    frozen = (*CHANNEL, ("grpc.http2.lookahead_bytes", 0), ("grpc.use_local_subchannel_pool", 1))
    async with grpc.aio.insecure_channel(server.address, options=frozen) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(asked(""))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not server.server._health._watcher_count_by_service:
                await asyncio.sleep(0.01)
        await server.server.serving(False)
        assert (await health(server).Check(asked(""))).status == NOT_SERVING
        watch.cancel()


# --- reflection ---


async def services(server: Server) -> list[str]:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = await rest(stub.ServerReflectionInfo(iter([request])))
    return [service.name for service in answer.list_services_response.service]


async def test_reflection_is_off_unless_switched_on(scorer: Scorer, server: Server) -> None:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await rest(stub.ServerReflectionInfo(iter(())))  # a message could cross with the refusal
    assert unknown.value.code() is grpc.StatusCode.UNIMPLEMENTED
    async with serving(scorer, reflection=True) as open_to_all:
        assert sorted(await services(open_to_all)) == [
            "emotion_service.v1.EmotionService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        ]


# --- connections ---


async def test_messages_above_the_apis_limit_get_the_apis_answer_up_to_16_mib(
    server: Server,
) -> None:
    def chunk(length: int) -> pb.StreamingAnalyzeRequest:
        return pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg="customer", data=bytes(length)))

    almost = (16 << 20) - 100
    assert await server.refused([config(), chunk(almost)]) == ("INVALID_ARGUMENT", "AUDIO_INVALID")
    stream = server.stub.StreamingAnalyze(iter([config(), chunk(16 << 20)]))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await asyncio.wait_for(rest(stream), PATIENCE_SECONDS)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert server.service.bus.live_calls == 0


async def test_a_taken_port_is_refused_even_to_another_emotion_service(
    service: Service, server: Server
) -> None:
    second = GrpcServer(EmotionServicer(service, mixed_allowed=True))
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(BadInput) as refused:
        second.bind("127.0.0.1", port)
    assert refused.value.reason == "LISTEN_FAILED"
    assert str(refused.value).startswith(f"cannot listen on 127.0.0.1:{port}: another program has")
    await second.stop(None)


async def test_an_address_of_another_machine_is_refused(service: Service) -> None:
    server = GrpcServer(EmotionServicer(service, mixed_allowed=True))
    with pytest.raises(BadInput) as refused:
        server.bind("192.0.2.1", 0)  # reserved for documentation
    assert refused.value.reason == "LISTEN_FAILED"
    await server.stop(None)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
async def test_ipv6_is_written_in_brackets(service: Service) -> None:
    server = GrpcServer(EmotionServicer(service, mixed_allowed=True))
    assert server.bind("[::1]", 0) > 0
    await server.stop(None)
