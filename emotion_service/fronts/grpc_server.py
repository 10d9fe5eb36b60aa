"""The gRPC server around the API: connections, encryption, health, reflection."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from emotion_service.errors import BadInput
from emotion_service.fronts.grpc import EmotionServicer
from emotion_service.fronts.tls import TlsFiles, credentials
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc

OPTIONS = (
    ("grpc.http2.bdp_probe", 0),  # its pings cost more than a larger window would bring
    ("grpc.so_reuseport", 0),  # a second server on the port is an error, not a lottery
    # Well above what the API allows, so that a message that is too long gets the API's answer.
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),  # the one that counts; a minute if left out
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)
SERVICE = pb.DESCRIPTOR.services_by_name["EmotionService"].full_name
TELLING_SECONDS = 1.0
FRONTS = (health.OVERALL_HEALTH, SERVICE)  # what grpc.health.v1 can be asked for


class _Health(health.aio.HealthServicer):  # type: ignore[misc]  # it has no types
    async def set(self, service: str, status: Any) -> None:
        self._server_status[service] = status  # for Check, even while a watcher is not reading
        await super().set(service, status)


class GrpcServer:
    """A server of this API, to be bound and started. Health checks are told that it does not
    serve until `serving(True)`."""

    def __init__(self, servicer: EmotionServicer, with_reflection: bool = False) -> None:
        self._server = grpc.aio.server(options=OPTIONS)
        self._health = _Health()
        pb_grpc.add_EmotionServiceServicer_to_server(servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if with_reflection:
            names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    def bind(self, host: str, port: int, tls: TlsFiles | None = None) -> int:
        """Lets the server listen; returns its port, chosen by it when 0.

        Raises:
            BadInput: LISTEN_FAILED or TLS_INVALID.
        """
        address = f"{host}:{port}"
        secured = None if tls is None else credentials(tls)
        try:
            if secured is None:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, secured)
        except RuntimeError as error:
            raise BadInput(
                "LISTEN_FAILED",
                f"cannot listen on {address}: another program has the port, or the address is "
                "not this machine's; choose another (port 0 takes any)"
                + ("" if tls is None else "; or gRPC takes no key of this kind: use RSA or P-256"),
            ) from error

    async def start(self) -> None:
        """Takes connections from now on."""
        await self.serving(False)
        await self._server.start()

    async def serving(self, ready: bool) -> None:
        """What health checks are told from now on."""
        status = health_pb2.HealthCheckResponse
        for front in FRONTS:
            # It waits for whoever is being told and does not read: they must not hold up a stop.
            with suppress(TimeoutError):
                async with asyncio.timeout(TELLING_SECONDS):
                    await self._health.set(front, status.SERVING if ready else status.NOT_SERVING)

    async def stop(self, grace_seconds: float | None) -> None:
        """Takes no new streams; those that are left may end within the grace."""
        await self._server.stop(grace_seconds)
