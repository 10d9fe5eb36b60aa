"""`panel`: pages for agents and supervisors, served from what a service tells its watchers."""

from __future__ import annotations

from emotion_service import address, logs
from emotion_service.client import ClientTls
from emotion_service.config import LogFormat
from emotion_service.panel.door import Door, expect_loopback, parse_origin
from emotion_service.panel.server import listen, panel_app, panel_server, serve_panel


def panel(server: str, tls: ClientTls | None, at: str, allow_origins: list[str]) -> None:
    """Serves until it is stopped; prints where the pages are once they can be asked for.

    Raises:
        BadInput: ADDRESS_INVALID, LISTEN_REMOTE, LISTEN_FAILED or ORIGIN_INVALID.
    """
    address.parse(server)
    wanted = address.parse(at)
    expect_loopback(wanted)
    origins = tuple(parse_origin(origin) for origin in allow_origins)
    logs.configure(LogFormat.AUTO)
    listener, place = listen(wanted)

    def ready() -> None:
        print(f"All calls:  http://{place}/")
        print(f"One call:   http://{place}/agent?call_id=…", flush=True)

    with listener:
        app = panel_app(server, tls, Door(place, origins), ready)
        serve_panel(panel_server(app), listener)
