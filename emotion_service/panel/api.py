"""The panel's questions and changes as JSON, each passed on to the service."""

from __future__ import annotations

import json
from http import HTTPStatus

from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from emotion_service.client import EmotionClient
from emotion_service.errors import BadInput
from emotion_service.fronts.wire import to_json_line
from emotion_service.v1 import emotion_service_pb2 as pb

MAX_BODY = 4096  # bytes
MAX_SEQUENCE = 2**64


def api_routes() -> list[BaseRoute]:
    """`/api/…`. A call_id stands percent-encoded in the path; slashes in it do no harm."""
    return [
        Route("/api/service", service, methods=["GET"]),
        Route("/api/calls/{call_id:path}/feedback", feedback, methods=["POST"]),
        Route("/api/calls/{call_id:path}/objection", objection, methods=["POST"]),
        Route("/api/calls/{call_id:path}", call, methods=["GET"]),
    ]


async def service(request: Request) -> Response:
    """Which service and model are behind the panel."""
    return _json(await _client(request).service_info())


async def call(request: Request) -> Response:
    """One call as it stands."""
    state = await _client(request).get_call(_call_id(request))
    return _json(pb.GetCallResponse(call=state))


async def feedback(request: Request) -> Response:
    """What a person thinks of a cue."""
    sequence, verdict = _feedback(await _body(request))
    await _client(request).send_feedback(_call_id(request), sequence, verdict)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def objection(request: Request) -> Response:
    """The customer objects."""
    await _client(request).record_objection(_call_id(request))
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _client(request: Request) -> EmotionClient:
    client: EmotionClient = request.app.state.client
    return client


def _json(message: Message) -> Response:
    return Response(to_json_line(message), media_type="application/json")


def _call_id(request: Request) -> str:
    return str(request.path_params["call_id"])


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise BadInput("BODY_TOO_LONG", f"a change has at most {MAX_BODY} bytes: send less")
    return body


def _feedback(body: bytes) -> tuple[int, pb.Verdict.ValueType]:
    """The cue's number and the verdict.

    Raises:
        BadInput: FEEDBACK_INVALID.
    """
    try:
        given = json.loads(body)
        sequence, verdict = given["cue_sequence"], pb.Verdict.Value(given["verdict"])
    except (ValueError, TypeError, KeyError, RecursionError):
        sequence, verdict = None, pb.VERDICT_UNSPECIFIED
    if type(sequence) is not int or not 0 <= sequence < MAX_SEQUENCE or not verdict:
        known = ", ".join(pb.Verdict.keys()[1:])
        raise BadInput(
            "FEEDBACK_INVALID",
            f"feedback is a cue_sequence, counted from 0, and a verdict: send one of {known}",
        )
    return sequence, verdict
