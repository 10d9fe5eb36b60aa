"""What a request hears that cannot be served: JSON with a reason, and HTTP's status for it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from emotion_service.client import Refused, ServerUnreachable
from emotion_service.errors import BadInput

STATUSES = {
    "ALREADY_EXISTS": HTTPStatus.CONFLICT,
    "FAILED_PRECONDITION": HTTPStatus.CONFLICT,
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "RESOURCE_EXHAUSTED": HTTPStatus.SERVICE_UNAVAILABLE,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
}  # by gRPC's code; any other is BAD_GATEWAY


def refusal(status: int, reason: str, message: str) -> JSONResponse:
    """`reason` is a stable word, `message` for people."""
    return JSONResponse({"reason": reason, "message": message}, status)


async def _bad_input(request: Request, error: BadInput) -> Response:
    return refusal(HTTPStatus.BAD_REQUEST, error.reason, str(error))


async def _refused(request: Request, error: Refused) -> Response:
    status = STATUSES.get(error.code, HTTPStatus.BAD_GATEWAY)
    answer = refusal(status, error.reason or error.code, str(error))
    if error.retry_seconds is not None:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_seconds))
    return answer


async def _unreachable(request: Request, error: ServerUnreachable) -> Response:
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "SERVER_UNREACHABLE", str(error))


async def _unserved(request: Request, error: HTTPException) -> Response:
    """No such page, or not with this method."""
    reason = HTTPStatus(error.status_code).name
    answer = refusal(error.status_code, reason, "the panel serves no such request")
    answer.headers.update(error.headers or {})
    return answer


async def _left(request: Request, error: ClientDisconnect) -> Response:
    return refusal(HTTPStatus.BAD_REQUEST, "BODY_INCOMPLETE", "the body broke off: send it whole")


TROUBLES: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
    BadInput: _bad_input,
    Refused: _refused,
    ServerUnreachable: _unreachable,
    HTTPException: _unserved,
    ClientDisconnect: _left,
}
