"""In front of every route: refuses strangers, and says to browsers what pages may do."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_service.panel.door import Door
from emotion_service.panel.trouble import refusal

STATIC = "/static/"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "content-type, last-event-id",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "600",
}


class Guard:
    """ASGI middleware around the panel's routes."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door
        self._policy = " ".join((CONTENT_POLICY, *door.allowed_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._mark(MutableHeaders(scope=message), asked, scope["path"])
            await send(message)

        answer = self._refused(asked, scope["method"]) or _preflight(asked, scope["method"])
        await (answer or self._app)(scope, receive, send_guarded)

    def _refused(self, asked: Headers, method: str) -> Response | None:
        host, origin = asked.get("host", ""), asked.get("origin")
        if not self._door.knows_host(host):
            return refusal(
                421,
                "HOST_REFUSED",
                f"the request is addressed to another host: ask http://{self._door.listen}",
            )
        if origin is None and method == "POST":
            return refusal(403, "ORIGIN_MISSING", "a change needs an Origin: browsers send one")
        if origin is not None and not self._door.knows_origin(origin, host):
            return refusal(
                403,
                "ORIGIN_REFUSED",
                "pages of this origin may not ask: start the panel with --allow-origin for it",
            )
        if method == "POST" and _media_type(asked) != "application/json":
            return refusal(415, "NOT_JSON", "a change is sent as application/json")
        return None

    def _mark(self, answer: MutableHeaders, asked: Headers, path: str) -> None:
        """The headers that every answer has; code may be embedded elsewhere, figures may not."""
        allowed = self._door.allowed_origins
        shared = allowed and path.startswith(STATIC)
        answer["Content-Security-Policy"] = self._policy
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Referrer-Policy"] = "no-referrer"
        answer["Cross-Origin-Resource-Policy"] = "cross-origin" if shared else "same-origin"
        answer.setdefault("Cache-Control", "no-cache" if path.startswith(STATIC) else "no-store")
        if allowed:
            answer.add_vary_header("Origin")
        if (origin := asked.get("origin")) in allowed:
            answer["Access-Control-Allow-Origin"] = origin


def _preflight(asked: Headers, method: str) -> Response | None:
    """The answer to a browser that asks before it sends; its origin is known."""
    if method == "OPTIONS" and "access-control-request-method" in asked:
        return Response(status_code=204, headers=PREFLIGHT)
    return None


def _media_type(asked: Headers) -> str:
    return asked.get("content-type", "").partition(";")[0].strip().lower()
