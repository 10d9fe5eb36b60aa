"""The panel's JSON: questions, feedback, objections, and what they hear that cannot be answered."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from emotion_service.types import Feedback, NotScored, Verdict
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.conftest import babble
from tests.fronts.running import Server, audio, rest
from tests.panel.asking import Panel, live
from tests.panel.asking import panel as running_panel
from tests.patience import PATIENCE_SECONDS

WITHDRAWN = "NOT_SCORED_REASON_CONSENT_WITHDRAWN"


async def test_which_service_is_behind_it(panel: Panel) -> None:
    answer = await panel.ask("/api/service")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["model_name"] == "stub"
    assert answer.json["live_calls"] == 0  # zeros are written out


@pytest.mark.parametrize("call_id", ["one", "a/b", "a/feedback", "ä ö?&#%", "../../etc"])
async def test_a_call_of_any_name(panel: Panel, server: Server, call_id: str) -> None:
    live(server.service.bus, call_id)
    path = f"/api/calls/{quote(call_id, safe='')}"
    answer = await panel.ask(path)
    assert (answer.status, answer.json["call"]["call_id"]) == (200, call_id)
    verdict = {"cue_sequence": 7, "verdict": "VERDICT_WRONG"}
    assert (await panel.change(f"{path}/feedback", verdict)).status == 204
    assert server.service.bus.call(call_id).feedback == (Feedback(7, Verdict.WRONG),)
    assert (await panel.change(f"{path}/objection", {})).status == 204
    assert server.service.bus.objects(("", call_id))


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_feedback_arrives_at_every_browser(
    panel: Panel, server: Server, verdict: Verdict
) -> None:
    live(server.service.bus, "one")
    streams = [await panel.events(query) for query in ("", "?call_id=one")]
    for stream in streams:
        await stream.next("heartbeat")
    given = {"cue_sequence": 2**64 - 1, "verdict": f"VERDICT_{verdict.name}"}
    assert (await panel.change("/api/calls/one/feedback", given)).status == 204
    for stream in streams:
        event = await stream.next("feedback")
        assert event.data["feedback"] == {
            "call_id": "one",
            "cue_sequence": str(2**64 - 1),
            "verdict": f"VERDICT_{verdict.name}",
        }
        stream.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"cue_sequence": 1}',
        b'{"cue_sequence": 1, "verdict": "VERDICT_UNSPECIFIED"}',
        b'{"cue_sequence": 1, "verdict": "WRONG"}',
        b'{"cue_sequence": 1, "verdict": 2}',
        b'{"cue_sequence": -1, "verdict": "VERDICT_WRONG"}',
        b'{"cue_sequence": 18446744073709551616, "verdict": "VERDICT_WRONG"}',
        b'{"cue_sequence": "1", "verdict": "VERDICT_WRONG"}',
        b'{"cue_sequence": true, "verdict": "VERDICT_WRONG"}',
        b'{"cue_sequence": 1.0, "verdict": "VERDICT_WRONG"}',
        b"\xff\xfe",
        b"[" * 4000,
    ],
)
async def test_what_is_no_feedback(panel: Panel, server: Server, body: bytes) -> None:
    live(server.service.bus, "one")
    answer = await panel.ask(
        "/api/calls/one/feedback",
        "POST",
        body,
        origin=panel.origin,
        content_type="application/json",
    )
    assert (answer.status, answer.json["reason"]) == (400, "FEEDBACK_INVALID")
    assert server.service.bus.call("one").feedback == ()


async def test_who_leaves_in_the_middle_of_a_body_is_no_defect(
    panel: Panel, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection(panel.place.host, panel.place.port)
    headers = f"host: {panel.place}\r\norigin: {panel.origin}\r\ncontent-type: application/json"
    writer.write(f"POST /api/calls/x/feedback HTTP/1.1\r\n{headers}\r\n".encode())
    writer.write(b"content-length: 100\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await asyncio.sleep(0.2)
    assert (await panel.ask("/api/service")).status == 200
    assert "Traceback" not in caplog.text + capfd.readouterr().err


async def test_a_body_without_end_is_not_read(panel: Panel) -> None:
    answer = await panel.ask(
        "/api/calls/one/feedback",
        "POST",
        b"[" * 100_000,
        origin=panel.origin,
        content_type="application/json",
    )
    assert (answer.status, answer.json["reason"]) == (400, "BODY_TOO_LONG")


@pytest.mark.parametrize("path", ["/api/calls/nobody", "/api/calls/"])
async def test_an_unknown_call(panel: Panel, path: str) -> None:
    answer = await panel.ask(path)
    assert (answer.status, answer.json["reason"]) == (404, "CALL_UNKNOWN")
    assert "nobody" not in answer.json["message"]


@pytest.mark.parametrize("what", ["feedback", "objection"])
async def test_a_change_of_an_unknown_call(panel: Panel, what: str) -> None:
    given = {"cue_sequence": 0, "verdict": "VERDICT_WRONG"}
    answer = await panel.change(f"/api/calls/nobody/{what}", given)
    assert (answer.status, answer.json["reason"]) == (404, "CALL_UNKNOWN")


@pytest.mark.parametrize(
    ("path", "method", "status", "reason"),
    [
        ("/nowhere", "GET", 404, "NOT_FOUND"),
        ("/static/nothing.js", "GET", 404, "NOT_FOUND"),
        ("/static/../server.py", "GET", 404, "NOT_FOUND"),
        ("/static/%2e%2e/server.py", "GET", 404, "NOT_FOUND"),
        ("/api/service", "DELETE", 405, "METHOD_NOT_ALLOWED"),
        ("/api/calls/one/objection", "GET", 404, "CALL_UNKNOWN"),  # a call of that name
    ],
)
async def test_what_is_not_served(
    panel: Panel, path: str, method: str, status: int, reason: str
) -> None:
    answer = await panel.ask(path, method)
    assert (answer.status, answer.json["reason"]) == (status, reason)


async def test_a_service_that_is_not_there() -> None:
    async with running_panel("127.0.0.1:1") as alone:
        answer = await alone.ask("/api/service")
    assert (answer.status, answer.json["reason"]) == (503, "SERVER_UNREACHABLE")


async def test_a_service_that_takes_no_more_watchers_is_asked_again(
    panel: Panel, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.service.admission, "_max_watchers", 0)
    stream = await panel.events()
    assert (await stream.next()).data == {"connected": False}
    monkeypatch.setattr(server.service.admission, "_max_watchers", 1)
    hello = await stream.next("server")
    while not hello.data["connected"]:
        hello = await stream.next("server")
    assert (await stream.next()).kind == "heartbeat"
    stream.close()


async def test_a_customer_objects_and_inference_has_stopped_when_that_is_answered(
    panel: Panel, server: Server
) -> None:
    """A live call in real time, its scores watched from the service itself."""
    speech = (babble(6.0, seed=5) * 32767).astype("<i2").tobytes()
    call = await server.opened(pacing=pb.PACING_LIVE)
    watch = server.stub.WatchCues(pb.WatchCuesRequest(include_scores=True))
    browser = await panel.events("?call_id=call-1")
    sending = asyncio.create_task(_speak(call, speech))
    heard: list[pb.WatchCuesResponse] = []

    async def listen() -> None:
        async for response in watch:
            heard.append(response)

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(_scores(heard)) < 2:
            await asyncio.sleep(0.01)
    assert (await panel.change("/api/calls/call-1/objection", {})).status == 204
    customer = server.service.bus.call("call-1").legs[0]
    assert customer.not_scored is NotScored.CONSENT_WITHDRAWN
    event = await browser.next("call")
    while event.data["call"]["legs"][0]["not_scored_reason"] != WITHDRAWN:
        event = await browser.next("call")
    await sending
    await call.done_writing()
    responses = await rest(call)
    assert responses[-1].summary.legs[0].speech.seconds >= 3  # spoken on, and not scored
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not heard[-1].HasField("summary"):
            await asyncio.sleep(0.01)
    stopped = next(i for i, response in enumerate(heard) if _withdrawn(response))
    assert _scores(heard) == _scores(heard[:stopped])
    listening.cancel()
    watch.cancel()
    browser.close()


def _scores(heard: list[pb.WatchCuesResponse]) -> list[pb.Score]:
    return [response.score for response in heard if response.HasField("score")]


def _withdrawn(heard: pb.WatchCuesResponse) -> bool:
    reasons = [leg.not_scored_reason for leg in heard.call.legs]
    return pb.NOT_SCORED_REASON_CONSENT_WITHDRAWN in reasons


async def _speak(call: Any, speech: bytes) -> None:
    for request in audio(speech, 100):
        await call.write(request)
        await asyncio.sleep(0.1)
