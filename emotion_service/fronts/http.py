"""`/metrics` over HTTP, in threads of its own: no scrape holds up the audio."""

from __future__ import annotations

import io
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO
from wsgiref.simple_server import WSGIRequestHandler

import structlog
from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from emotion_service.errors import BadInput
from emotion_service.fronts.tls import TlsFiles
from emotion_service.logs import place_of
from emotion_service.metrics import Metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SILENT_SECONDS = 10.0

log = structlog.get_logger()


@contextmanager
def metrics_served(
    metrics: Metrics, host: str, port: int, tls: TlsFiles | None = None
) -> Iterator[int]:
    """Serves until the end; yields the port, chosen by the system when `port` is 0.

    Raises:
        BadInput: METRICS_LISTEN_FAILED or TLS_INVALID.
    """
    secured = None if tls is None else tls.context()
    try:
        server = _server_class(host, port)((host.strip("[]"), port), _Request)
    except OSError as error:
        raise BadInput(
            "METRICS_LISTEN_FAILED",
            f"cannot serve metrics on {host}:{port} ({error.strerror}): choose another address "
            "with metrics_listen (port 0 takes any, an empty text turns metrics off)",
        ) from error
    server.set_app(_without_text(make_wsgi_app(metrics.registry)))
    if secured is not None:  # the handshake is left to the thread of the request
        server.socket = secured.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Request(WSGIRequestHandler):
    """Not logged, and given up when its client is silent."""

    timeout = SILENT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def get_stderr(self) -> TextIO:
        """Where the standard library would write what went wrong, with the request's own words."""
        return io.StringIO()


def _without_text(answer: WSGIApplication) -> WSGIApplication:
    """A request that makes it fail, as some headers do, is refused; the log has type and place."""

    def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return answer(environ, start_response)
        except Exception as error:
            log.info("a scrape failed", **place_of(error))
            start_response("400 Bad Request", [])
            return [b""]

    return answered


class _Server(ThreadingWSGIServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client left, or the handshake failed: the other side's affair."""
        error = sys.exc_info()[1]
        log.info("a scrape failed", error=type(error).__name__)


def _server_class(host: str, port: int) -> type[_Server]:
    """The class is where the standard library's servers look for the address family."""
    (family, *_), *_ = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return type("_Server", (_Server,), {"address_family": family})
