"""The panel: pages, events and a JSON API over HTTP, for browsers on this machine.

A client of the service like any other; it keeps nothing but open streams.
"""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog
import uvicorn
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from emotion_service.address import Address
from emotion_service.client import ClientTls, EmotionClient
from emotion_service.errors import BadInput
from emotion_service.panel.api import api_routes
from emotion_service.panel.door import Door
from emotion_service.panel.guard import Guard
from emotion_service.panel.relay import relay
from emotion_service.panel.trouble import TROUBLES
from emotion_service.v1 import emotion_service_pb2 as pb

PAGES = Path(__file__).parent / "pages"
# A browser that takes nothing for so long is let go; the service would cut the stream after 30 s.
SLOW_BROWSER_SECONDS = 20.0
MAX_CONNECTIONS = 1000
LAST_SECONDS = 1  # for streams to end in once the panel is told to stop

log = structlog.get_logger()


def serve_panel(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serves on `listener` until SIGTERM, and then returns, or SIGINT: KeyboardInterrupt."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, _stopped)
    with suppress(_Stopped):
        server.run([listener])


def panel_app(
    service: str, tls: ClientTls | None, door: Door, ready: Callable[[], None] = lambda: None
) -> Guard:
    """The panel of the service at `service`; `ready` is called once requests are taken.

    Whether the service can be reached does not matter at the start: the pages say so, and go on
    once it can.
    """

    @asynccontextmanager
    async def with_client(app: Starlette) -> AsyncGenerator[None, None]:
        async with EmotionClient(service, tls) as client:
            app.state.client = client
            ready()
            yield

    app = Starlette(
        routes=[*_page_routes(), Route("/events", events), *api_routes()],
        exception_handlers=TROUBLES,
        lifespan=with_client,
    )
    return Guard(app, door)


def panel_server(app: Guard) -> uvicorn.Server:
    """Serves the app, and tells nobody which calls somebody looks at."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        loop="asyncio",  # whatever else is installed
        ws="none",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    return uvicorn.Server(config)


def listen(at: Address) -> tuple[socket.socket, Address]:
    """A bound socket, and where it is: the system chooses the port when it is 0.

    Raises:
        BadInput: LISTEN_FAILED.
    """
    try:
        (family, _, _, _, where), *_ = socket.getaddrinfo(
            at.host.strip("[]"), at.port, type=socket.SOCK_STREAM
        )
        bound = socket.create_server(where[:2], family=family)
    except OSError as error:
        raise BadInput(
            "LISTEN_FAILED",
            f"cannot listen on {at}: another program has the port, or the address is "
            "not this machine's; choose another (port 0 takes any)",
        ) from error
    return bound, Address(at.host, bound.getsockname()[1])


async def events(request: Request) -> Response:
    """The calls that the query asks for; after the last event that the browser has, if it says."""
    asked = request.query_params
    cursor = request.headers.get("last-event-id") or asked.get("last_event_id", "")
    wanted = pb.WatchCuesRequest(
        call_id=asked.get("call_id", ""),
        agent_id=asked.get("agent_id", ""),
        queue=asked.get("queue", ""),
        tenant=asked.get("tenant", ""),
        cursor=cursor,
    )
    stream = relay(request.app.state.client, wanted)
    return EventStream(stream, send_timeout=SLOW_BROWSER_SECONDS)


class EventStream(EventSourceResponse):
    """Ends in good order when the panel stops, and when its browser is too slow: that is no
    defect of ours."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("a browser was too slow")
        else:
            if self.active and scope["method"] != "HEAD":  # which has had its answer already
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def _page_routes() -> list[BaseRoute]:
    return [
        Route("/", _page("wall.html")),
        Route("/agent", _page("agent.html")),
        Mount("/static", StaticFiles(directory=PAGES)),
    ]


def _page(name: str) -> Callable[[Request], FileResponse]:
    def page(request: Request) -> FileResponse:
        return FileResponse(PAGES / name)

    return page


class _Stopped(BaseException):
    """SIGTERM came."""


def _stopped(number: int, frame: FrameType | None) -> NoReturn:
    raise _Stopped
