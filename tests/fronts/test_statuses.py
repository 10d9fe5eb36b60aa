"""What each failure becomes on the wire: one code, one sentence, google.rpc details."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from structlog.testing import capture_logs

from emotion_service.errors import BadInput, Busy
from emotion_service.fronts.statuses import statuses
from emotion_service.metrics import Metrics


class Context:
    """Keeps what it is aborted with, then raises as gRPC does."""

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.message = ""
        self.details: list[Any] = []

    async def abort(
        self, code: grpc.StatusCode, message: str, metadata: tuple[tuple[str, bytes], ...]
    ) -> None:
        status = Status.FromString(dict(metadata)["grpc-status-details-bin"])
        assert (status.code, status.message) == (code.value[0], message)
        self.code, self.message, self.details = code, message, list(status.details)
        raise grpc.aio.AbortError


async def ended_by(error: BaseException) -> tuple[Context, list[Any], Metrics]:
    context, metrics = Context(), Metrics()
    with capture_logs() as logged, pytest.raises(grpc.aio.AbortError):
        async with statuses(context, metrics):  # type: ignore[arg-type]
            raise error
    return context, logged, metrics


def counted(metrics: Metrics, reason: str) -> float | None:
    return metrics.registry.get_sample_value("emotion_service_refusals_total", {"reason": reason})


def info(context: Context) -> tuple[str, str]:
    unpacked = ErrorInfo()
    assert context.details[0].Unpack(unpacked)
    return unpacked.reason, unpacked.domain


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("AUDIO_INVALID", grpc.StatusCode.INVALID_ARGUMENT),
        ("ANYTHING_ELSE", grpc.StatusCode.INVALID_ARGUMENT),
        ("CALL_ID_IN_USE", grpc.StatusCode.ALREADY_EXISTS),
        ("CALL_UNKNOWN", grpc.StatusCode.NOT_FOUND),
        ("MIXED_NOT_ALLOWED", grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
async def test_bad_input(reason: str, code: grpc.StatusCode) -> None:
    context, logged, metrics = await ended_by(BadInput(reason, "what, what else, what to do"))
    assert (context.code, context.message) == (code, "what, what else, what to do")
    assert info(context) == (reason, "emotion-service")
    assert len(context.details) == 1
    assert counted(metrics, reason) == 1
    assert logged == [
        {"event": "refused", "log_level": "info", "reason": reason, "code": code.name}
    ]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("SERVER_FULL", grpc.StatusCode.RESOURCE_EXHAUSTED),
        ("SERVER_OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED),
        ("TOO_MANY_WATCHERS", grpc.StatusCode.RESOURCE_EXHAUSTED),
        ("READER_TOO_SLOW", grpc.StatusCode.RESOURCE_EXHAUSTED),
        ("SERVER_STOPPING", grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_busy_says_when_to_come_back(reason: str, code: grpc.StatusCode) -> None:
    context, _, metrics = await ended_by(Busy(reason, "try again", 2.25))
    assert (context.code, context.message) == (code, "try again")
    assert info(context) == (reason, "emotion-service")
    retry = RetryInfo()
    assert context.details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 2250
    assert len(context.details) == 2
    assert counted(metrics, reason) == 1


async def test_a_defect_tells_its_place_to_the_log_and_nothing_to_the_client() -> None:
    context, logged, metrics = await ended_by(ValueError("what a caller said"))
    assert context.code is grpc.StatusCode.INTERNAL
    assert context.message == "a defect of the service ended this stream; its log has the place"
    assert info(context) == ("DEFECT", "emotion-service")
    assert counted(metrics, "DEFECT") == 1
    assert [entry["event"] for entry in logged] == ["defect", "refused"]
    assert (logged[0]["error"], logged[0]["log_level"]) == ("ValueError", "error")
    assert logged[0]["place"].startswith(f"{__file__}:")
    assert "caller" not in f"{logged}"


async def test_bytes_that_are_no_message() -> None:
    context, logged, metrics = await ended_by(DecodeError("what a caller said"))
    assert context.code is grpc.StatusCode.INVALID_ARGUMENT
    assert info(context) == ("MESSAGE_UNREADABLE", "emotion-service")
    assert counted(metrics, "MESSAGE_UNREADABLE") == 1
    assert "caller" not in f"{context.message} {logged}"


async def test_cancellation_is_no_failure() -> None:
    context, metrics = Context(), Metrics()
    with capture_logs() as logged, pytest.raises(asyncio.CancelledError):
        async with statuses(context, metrics):  # type: ignore[arg-type]
            raise asyncio.CancelledError
    assert (context.code, logged, counted(metrics, "DEFECT")) == (None, [], None)


async def test_a_client_that_cannot_be_written_to_has_gone_and_is_no_failure() -> None:
    context, metrics = Context(), Metrics()
    with capture_logs() as logged, pytest.raises(asyncio.CancelledError):
        async with statuses(context, metrics):  # type: ignore[arg-type]
            raise grpc.aio.InternalError
    assert (context.code, logged, counted(metrics, "DEFECT")) == (None, [], None)


async def test_a_client_that_has_gone_before_its_status_is_no_failure_either() -> None:
    class Gone(Context):
        async def abort(
            self, code: grpc.StatusCode, message: str, metadata: tuple[tuple[str, bytes], ...]
        ) -> None:
            raise grpc.aio.InternalError

    metrics = Metrics()
    with pytest.raises(asyncio.CancelledError):
        async with statuses(Gone(), metrics):  # type: ignore[arg-type]
            raise BadInput("AUDIO_INVALID", "odd")
    assert counted(metrics, "AUDIO_INVALID") == 1


async def test_without_a_failure_nothing_is_said() -> None:
    context, metrics = Context(), Metrics()
    with capture_logs() as logged:
        async with statuses(context, metrics):  # type: ignore[arg-type]
            pass
    assert (context.code, logged) == (None, [])
