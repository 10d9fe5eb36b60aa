"""Scripted servers behind real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Detail
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc


@pytest.fixture
def serve() -> Callable[..., AbstractAsyncContextManager[str]]:
    """`async with serve({"WatchCues": cues}) as address`: a server of these methods, over TLS with
    `credentials`; on a free port, or the one of `at`."""

    @asynccontextmanager
    async def serve(
        methods: dict[str, Callable[..., Any]],
        credentials: grpc.ServerCredentials | None = None,
        at: str = "127.0.0.1:0",
    ) -> AsyncIterator[str]:
        servicer = pb_grpc.EmotionServiceServicer()  # type: ignore[abstract]
        for name, method in methods.items():
            setattr(servicer, name, method)
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        pb_grpc.add_EmotionServiceServicer_to_server(servicer, server)
        if credentials is None:
            port = server.add_insecure_port(at)
        else:
            port = server.add_secure_port(at, credentials)
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(None)

    return serve


@pytest.fixture
def refuse() -> Callable[..., Awaitable[None]]:
    """`await refuse(context, code, reason, message, retry_seconds)`, as the service does it."""

    async def refuse(
        context: Any,
        code: grpc.StatusCode,
        reason: str,
        message: str,
        retry_seconds: float | None = None,
    ) -> None:
        details = [ErrorInfo(reason=reason, domain="emotion-service")]
        if retry_seconds is not None:
            retry = RetryInfo()
            retry.retry_delay.FromNanoseconds(round(retry_seconds * 1e9))
            details.append(retry)
        packed = [Detail() for _ in details]
        for into, detail in zip(packed, details, strict=True):
            into.Pack(detail)
        status = Status(code=code.value[0], message=message, details=packed)
        await context.abort_with_status(rpc_status.to_status(status))

    return refuse


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits a hundred times shorter."""
    monkeypatch.setattr("emotion_service.client.backoff.FIRST_SECONDS", 0.005)
    monkeypatch.setattr("emotion_service.client.backoff.LAST_SECONDS", 0.05)
