"""How a stream or question ends that cannot go on: one gRPC status with google.rpc details."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from traceback import clear_frames
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from emotion_service.errors import BadInput, Busy
from emotion_service.logs import place_of
from emotion_service.metrics import Metrics

DOMAIN = "emotion-service"
CODES = {
    "CALL_ID_IN_USE": grpc.StatusCode.ALREADY_EXISTS,
    "CALL_UNKNOWN": grpc.StatusCode.NOT_FOUND,
    "MIXED_NOT_ALLOWED": grpc.StatusCode.FAILED_PRECONDITION,
    "SERVER_STOPPING": grpc.StatusCode.UNAVAILABLE,
}  # other BadInput is INVALID_ARGUMENT, other Busy RESOURCE_EXHAUSTED

AnyContext: TypeAlias = grpc.aio.ServicerContext[Any, Any]

log = structlog.get_logger()


@asynccontextmanager
async def statuses(context: AnyContext, metrics: Metrics) -> AsyncIterator[None]:
    """Ends the stream of a failure, and nothing else, with one status."""
    with _until_gone():
        async with _answered(context, metrics):
            with _let_go():
                yield


@contextmanager
def _until_gone() -> Iterator[None]:
    """A client that goes cancels its stream; one that cannot be written to has gone already."""
    try:
        yield
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None


@contextmanager
def _let_go() -> Iterator[None]:
    """Empties the frames that an error came through: gRPC keeps how a call was aborted, with that
    this error, and with its traceback all that the call held, until Python looks for cycles."""
    try:
        yield
    except Exception as error:
        clear_frames(error.__traceback__)
        raise


@asynccontextmanager
async def _answered(context: AnyContext, metrics: Metrics) -> AsyncIterator[None]:
    try:
        yield
    except grpc.aio.InternalError:
        raise
    except BadInput as error:
        code = CODES.get(error.reason, grpc.StatusCode.INVALID_ARGUMENT)
        await _end(context, metrics, code, error.reason, str(error))
    except Busy as error:
        code = CODES.get(error.reason, grpc.StatusCode.RESOURCE_EXHAUSTED)
        retry = RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_seconds * 1e9))
        await _end(context, metrics, code, error.reason, str(error), retry)
    except DecodeError:
        message = "a message is none of emotion_service.v1: generate the client from its .proto"
        code = grpc.StatusCode.INVALID_ARGUMENT
        await _end(context, metrics, code, "MESSAGE_UNREADABLE", message)
    except Exception as error:
        log.error("defect", **place_of(error))
        message = "a defect of the service ended this stream; its log has the place"
        await _end(context, metrics, grpc.StatusCode.INTERNAL, "DEFECT", message)


async def _end(
    context: AnyContext,
    metrics: Metrics,
    code: grpc.StatusCode,
    reason: str,
    message: str,
    *more: Message,
) -> NoReturn:
    metrics.refused(reason)
    log.info("refused", reason=reason, code=code.name)
    details = [_packed(ErrorInfo(reason=reason, domain=DOMAIN)), *map(_packed, more)]
    status = rpc_status.to_status(Status(code=code.value[0], message=message, details=details))
    await context.abort(status.code, status.details, status.trailing_metadata)


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
