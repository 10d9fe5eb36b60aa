"""Strangers are refused, whatever they ask; browsers are told what pages may do."""

from __future__ import annotations

import pytest

from tests.fronts.running import Server
from tests.panel.asking import DESK, Panel, live
from tests.panel.asking import panel as running_panel

PATHS = ("/", "/agent?call_id=x", "/static/wall.js", "/api/service", "/api/calls/x", "/nowhere")
EVIL = "https://evil.example"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@pytest.mark.parametrize("path", [*PATHS, "/events"])
async def test_a_page_that_has_its_own_name_lead_here_gets_nothing(panel: Panel, path: str) -> None:
    """DNS rebinding: such a page is same-origin to its browser, but the Host is its own."""
    host = f"evil.example:{panel.place.port}"
    answer = await panel.ask(path, host=host, origin=f"http://{host}")
    assert (answer.status, answer.json["reason"]) == (421, "HOST_REFUSED")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", [*PATHS, "/events"])
@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost:1"])
async def test_other_origins_are_refused(panel: Panel, path: str, origin: str) -> None:
    answer = await panel.ask(path, origin=origin)
    assert (answer.status, answer.json["reason"]) == (403, "ORIGIN_REFUSED")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_says_what_pages_may_do(panel: Panel, path: str) -> None:
    """Errors too; the last path has nothing."""
    answer = await panel.ask(path)
    assert answer.headers["content-security-policy"] == f"{POLICY} {DESK}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["vary"] == "Origin"
    static = path.startswith("/static/")
    assert answer.headers["cross-origin-resource-policy"] == (
        "cross-origin" if static else "same-origin"
    )
    assert not {"set-cookie", "server", "access-control-allow-origin"} & set(answer.headers)


async def test_without_origins_given_nobody_may_embed_it(server: Server) -> None:
    async with running_panel(server.address) as alone:
        page = await alone.ask("/agent")
        static = await alone.ask("/static/wall.js")
        desk = await alone.ask("/api/service", origin=DESK)
    assert page.headers["content-security-policy"] == POLICY
    assert static.headers["cross-origin-resource-policy"] == "same-origin"
    assert (desk.status, desk.json["reason"]) == (403, "ORIGIN_REFUSED")


@pytest.mark.parametrize("path", PATHS)
async def test_an_allowed_origin_may_read_every_answer(panel: Panel, path: str) -> None:
    answer = await panel.ask(path, origin=DESK)
    assert answer.headers["access-control-allow-origin"] == DESK
    assert answer.status == {"/nowhere": 404, "/api/calls/x": 404}.get(path, 200)


async def test_an_allowed_origin_may_follow_and_change(panel: Panel, server: Server) -> None:
    live(server.service.bus, "one")
    stream = await panel.events(origin=DESK)
    assert stream.headers["access-control-allow-origin"] == DESK
    await stream.next("heartbeat")
    path = "/api/calls/one/feedback"
    preflight = await panel.ask(path, "OPTIONS", origin=DESK, access_control_request_method="POST")
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == DESK
    assert preflight.headers["access-control-allow-methods"] == "GET, POST"
    assert "content-type" in preflight.headers["access-control-allow-headers"]
    verdict = {"cue_sequence": 0, "verdict": "VERDICT_RIGHT"}
    assert (await panel.change(path, verdict, origin=DESK)).status == 204
    assert (await stream.next("feedback")).data["feedback"]["verdict"] == "VERDICT_RIGHT"
    stream.close()


async def test_a_preflight_of_a_stranger_is_refused(panel: Panel) -> None:
    answer = await panel.ask(
        "/api/calls/one/objection", "OPTIONS", origin=EVIL, access_control_request_method="POST"
    )
    assert answer.status == 403


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"origin": EVIL}, 403, "ORIGIN_REFUSED"),
        ({"content_type": "text/plain"}, 415, "NOT_JSON"),  # what a form could send
        ({"content_type": "application/x-www-form-urlencoded"}, 415, "NOT_JSON"),
    ],
)
async def test_a_change_that_a_page_could_forge(
    panel: Panel, server: Server, headers: dict[str, str], status: int, reason: str
) -> None:
    live(server.service.bus, "one")
    answer = await panel.change("/api/calls/one/objection", {}, **headers)
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert not server.service.bus.objects(("", "one"))


async def test_a_change_needs_an_origin(panel: Panel, server: Server) -> None:
    live(server.service.bus, "one")
    path = "/api/calls/one/objection"
    answer = await panel.ask(path, "POST", b"{}", content_type="application/json")
    assert (answer.status, answer.json["reason"]) == (403, "ORIGIN_MISSING")
    assert not server.service.bus.objects(("", "one"))
