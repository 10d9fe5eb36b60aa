"""Questions, and opening a call, against scripted servers behind real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from typing import Any, TypeAlias

import grpc
import pytest

from emotion_service.address import parse
from emotion_service.client import EmotionClient, Refused, ServerUnreachable, connection
from emotion_service.errors import BadInput
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.patience import PATIENCE_SECONDS

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]
Refuse: TypeAlias = Callable[..., Awaitable[None]]
Requests: TypeAlias = AsyncIterator[pb.StreamingAnalyzeRequest]

CONFIG = pb.CallConfig(call_id="c1", legs=[pb.LegConfig(leg="customer", encoding="audio/PCMU")])
READY = pb.StreamingAnalyzeResponse(status=pb.Status(call_id="c1", ready=pb.Ready()))
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


# --- questions ---


async def test_questions(serve: Serve, refuse: Refuse) -> None:
    async def call(request: pb.GetCallRequest, context: Any) -> pb.GetCallResponse:
        if request.call_id != "c1":
            await refuse(context, grpc.StatusCode.NOT_FOUND, "CALL_UNKNOWN", "No such call.")
        return pb.GetCallResponse(call=pb.CallState(call_id="c1", live=True))

    async def info(request: pb.GetServiceInfoRequest, context: Any) -> pb.GetServiceInfoResponse:
        return pb.GetServiceInfoResponse(ready=True, model_version="m-1", live_calls=3)

    methods = {"GetCall": call, "GetServiceInfo": info}
    async with serve(methods) as server, EmotionClient(server) as client:
        assert (await client.service_info()).live_calls == 3
        assert (await client.get_call("c1")).live
        with pytest.raises(Refused) as caught:
            await client.get_call("other")
    assert (caught.value.code, caught.value.reason) == ("NOT_FOUND", "CALL_UNKNOWN")


async def test_what_people_say(serve: Serve, refuse: Refuse) -> None:
    heard: list[object] = []

    async def feedback(request: pb.SendFeedbackRequest, context: Any) -> pb.SendFeedbackResponse:
        heard.append(request.feedback)
        return pb.SendFeedbackResponse()

    async def objection(
        request: pb.RecordObjectionRequest, context: Any
    ) -> pb.RecordObjectionResponse:
        if request.call_id != "c1":
            await refuse(context, grpc.StatusCode.NOT_FOUND, "CALL_UNKNOWN", "No such call.")
        heard.append(request.call_id)
        return pb.RecordObjectionResponse()

    methods = {"SendFeedback": feedback, "RecordObjection": objection}
    async with serve(methods) as server, EmotionClient(server) as client:
        await client.send_feedback("c1", 7, pb.VERDICT_WRONG)
        await client.record_objection("c1")
        with pytest.raises(Refused) as caught:
            await client.record_objection("other")
    assert heard == [pb.Feedback(call_id="c1", cue_sequence=7, verdict=pb.VERDICT_WRONG), "c1"]
    assert (caught.value.code, caught.value.reason) == ("NOT_FOUND", "CALL_UNKNOWN")


async def send_feedback(client: EmotionClient) -> None:
    await client.send_feedback("c1", 0, pb.VERDICT_RIGHT)


async def record_objection(client: EmotionClient) -> None:
    await client.record_objection("c1")


async def service_info(client: EmotionClient) -> None:
    await client.service_info()


async def get_call(client: EmotionClient) -> None:
    await client.get_call("c1")


async def open_a_call(client: EmotionClient) -> None:
    async with client.open_call(CONFIG):
        pass


async def watch(client: EmotionClient) -> None:
    async for _ in client.watch(pb.WatchCuesRequest()):
        pass


ASKS = [service_info, get_call, send_feedback, record_objection, open_a_call, watch]


@pytest.mark.parametrize("ask", ASKS)
async def test_nobody_there(ask: Callable[[EmotionClient], Any]) -> None:
    async with EmotionClient("127.0.0.1:1") as client:
        with pytest.raises(ServerUnreachable, match=r"emotion-service serve --listen 127.0.0.1:1"):
            await ask(client)


@pytest.mark.parametrize("ask", ASKS)
async def test_whoever_never_answers_is_not_waited_for(
    ask: Callable[[EmotionClient], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "QUIET_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = f"127.0.0.1:{mute.getsockname()[1]}"
        async with EmotionClient(server, answer_seconds=0.1) as client:
            with pytest.raises(ServerUnreachable, match="No emotion-service answers"):
                await asyncio.wait_for(ask(client), PATIENCE_SECONDS)


@pytest.mark.parametrize("server", ["", "localhost", ":50051", "::1:50051"])
async def test_an_address_needs_host_and_port(server: str) -> None:
    with pytest.raises(BadInput, match="give HOST:PORT"):
        EmotionClient(server)


@pytest.mark.parametrize(
    ("server", "proxy"),
    [("127.0.0.1:1", 0), ("[::1]:1", 0), ("localhost:1", 0), ("emotions.example:1", 1)],
)
def test_loopback_never_goes_through_a_proxy(server: str, proxy: int) -> None:
    options = dict(connection._channel_options(parse(server)))
    assert options["grpc.enable_http_proxy"] == proxy
    assert options["grpc.http2.bdp_probe"] == 0


# --- opening ---


class Busy:
    """Refuses so many calls, then takes them."""

    def __init__(self, refuse: Refuse, refusals: int, retry_seconds: float | None) -> None:
        self._refuse = refuse
        self._refusals = refusals
        self._retry_seconds = retry_seconds
        self.asked: list[float] = []

    async def stream(
        self, requests: Requests, context: Any
    ) -> AsyncIterator[pb.StreamingAnalyzeResponse]:
        self.asked.append(asyncio.get_running_loop().time())
        if len(self.asked) <= self._refusals:
            await self._refuse(context, EXHAUSTED, "SERVER_FULL", "Full.", self._retry_seconds)
        await anext(requests)
        yield READY


@asynccontextmanager
async def connected(serve: Serve, busy: Busy) -> AsyncIterator[EmotionClient]:
    async with (
        serve({"StreamingAnalyze": busy.stream}) as server,
        EmotionClient(server) as client,
    ):
        yield client


@pytest.mark.usefixtures("quick")
async def test_a_busy_server_is_asked_again_no_earlier_than_it_says(
    serve: Serve, refuse: Refuse
) -> None:
    servicer = Busy(refuse, 3, 0.05)
    async with connected(serve, servicer) as client, client.open_call(CONFIG, 10.0) as call:
        assert [event async for event in call.events()] == [READY]
    pauses = [after - before for before, after in pairwise(servicer.asked)]
    assert len(pauses) == 3
    assert min(pauses) >= 0.05


@pytest.mark.parametrize(
    ("retry_seconds", "wait_seconds"),
    [(0.05, 0.0), (60.0, 1.0), (None, 1.0)],
    ids=["no time to wait", "the hint lies beyond it", "no hint"],
)
async def test_a_refusal_is_final_where_waiting_would_not_help(
    serve: Serve, refuse: Refuse, retry_seconds: float | None, wait_seconds: float
) -> None:
    servicer = Busy(refuse, 9, retry_seconds)
    async with connected(serve, servicer) as client:
        with pytest.raises(Refused, match="Full") as caught:
            async with client.open_call(CONFIG, wait_seconds):
                pass
    assert caught.value.retry_seconds == retry_seconds
    assert len(servicer.asked) == 1


@pytest.mark.usefixtures("quick")
async def test_the_last_refusal_is_told_when_the_time_is_over(serve: Serve, refuse: Refuse) -> None:
    servicer = Busy(refuse, 1000, 0.0)
    async with connected(serve, servicer) as client:
        began = asyncio.get_running_loop().time()
        with pytest.raises(Refused, match="Full"):
            async with client.open_call(CONFIG, wait_seconds=0.3):
                pass
        assert asyncio.get_running_loop().time() - began < 3.0
    assert len(servicer.asked) > 3


async def test_a_server_that_is_not_up_yet_is_waited_for(serve: Serve, refuse: Refuse) -> None:
    async with serve({"StreamingAnalyze": Busy(refuse, 0, None).stream}) as server:
        pass

    async def opened() -> list[pb.StreamingAnalyzeResponse]:
        async with EmotionClient(server) as client, client.open_call(CONFIG, 20.0) as call:
            return [event async for event in call.events()]

    opening = asyncio.create_task(opened())
    await asyncio.sleep(0.1)
    async with serve({"StreamingAnalyze": Busy(refuse, 0, None).stream}, at=server):
        assert await opening == [READY]
