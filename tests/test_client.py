"""The client against a scripted server behind a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Detail
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from emotion_service import client as client_module
from emotion_service.client import EmotionClient, Refused, ServerUnreachable
from emotion_service.errors import BadInput
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc

CONFIG = pb.CallConfig(call_id="c1", legs=[pb.LegConfig(leg="customer", encoding="audio/PCMU")])
READY = pb.StreamingAnalyzeResponse(status=pb.Status(call_id="c1", ready=pb.Ready()))
ANY_PORT = "127.0.0.1:0"


class Scripted(pb_grpc.EmotionServiceServicer):
    """Echoes each audio's size as an acknowledgement and keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[pb.StreamingAnalyzeRequest] = []
        self.cursors: list[str] = []
        self.ended = asyncio.Event()
        self.refuse_with: tuple[grpc.StatusCode, str, str] | None = None

    async def StreamingAnalyze(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamingAnalyzeRequest], context: Any
    ) -> AsyncIterator[pb.StreamingAnalyzeResponse]:
        context.add_done_callback(lambda _: self.ended.set())
        async for request in request_iterator:
            self.requests.append(request)
            if request.HasField("config"):
                yield READY
            elif self.refuse_with is not None:
                await refuse(context, *self.refuse_with)
            else:
                yield acknowledgement(len(request.audio.data))
        yield pb.StreamingAnalyzeResponse(summary=pb.CallSummary(call_id="c1"))

    async def WatchCues(  # noqa: N802
        self, request: pb.WatchCuesRequest, context: Any
    ) -> AsyncIterator[pb.WatchCuesResponse]:
        self.cursors.append(request.cursor)
        begun = int(request.cursor or "0")
        for number in (begun + 1, begun + 2):
            yield pb.WatchCuesResponse(cursor=str(number), cue=pb.Cue(sequence=number))
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")

    async def GetCall(self, request: pb.GetCallRequest, context: Any) -> pb.GetCallResponse:  # noqa: N802
        if request.call_id != "c1":
            await refuse(context, grpc.StatusCode.NOT_FOUND, "NO_SUCH_CALL", "No such call.")
        return pb.GetCallResponse(call=pb.CallState(call_id="c1", live=True))

    async def GetServiceInfo(  # noqa: N802
        self, request: pb.GetServiceInfoRequest, context: Any
    ) -> pb.GetServiceInfoResponse:
        return pb.GetServiceInfoResponse(ready=True, model_version="m-1", live_calls=3)


def acknowledgement(number: int) -> pb.StreamingAnalyzeResponse:
    acknowledged = pb.Acknowledged(leg="customer", sequence=number)
    return pb.StreamingAnalyzeResponse(status=pb.Status(acknowledged=acknowledged))


async def refuse(context: Any, code: grpc.StatusCode, reason: str, message: str) -> None:
    detail = Detail()
    detail.Pack(ErrorInfo(reason=reason, domain="emotion-service"))
    status = Status(code=code.value[0], message=message, details=[detail])
    await context.abort_with_status(rpc_status.to_status(status))


@asynccontextmanager
async def scripted(servicer: Scripted) -> AsyncIterator[EmotionClient]:
    server = grpc.aio.server()
    pb_grpc.add_EmotionServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port(ANY_PORT)
    await server.start()
    try:
        async with EmotionClient(f"127.0.0.1:{port}") as client:
            yield client
    finally:
        await server.stop(None)


async def test_a_call_from_config_to_summary() -> None:
    servicer = Scripted()
    async with scripted(servicer) as client, client.open_call(CONFIG) as call:
        await call.send_audio("customer", b"abc", offset_seconds=0.0125)
        await call.send_audio("customer", b"de", sequence=7)
        await call.update(pb.CallUpdate(queue="sales"))
        await call.close()
        heard = [event async for event in call.events()]
    assert heard[0] == READY
    assert [e.status.acknowledged.sequence for e in heard[1:4]] == [3, 2, 0]
    assert heard[4].summary.call_id == "c1"
    assert len(heard) == 5
    config, first, second, update = servicer.requests
    assert config.config == CONFIG
    assert first.audio.offset.ToNanoseconds() == 12_500_000
    assert not first.audio.HasField("sequence")
    assert second.audio.sequence == 7
    assert not second.audio.HasField("offset")
    assert update.update.queue == "sales"


async def test_leaving_a_call_early_cancels_it() -> None:
    servicer = Scripted()
    async with scripted(servicer) as client:
        async with client.open_call(CONFIG):
            pass
        await asyncio.wait_for(servicer.ended.wait(), 5)
    assert len(servicer.requests) == 1


async def test_a_refusal_carries_code_reason_and_message() -> None:
    servicer = Scripted()
    servicer.refuse_with = (grpc.StatusCode.INVALID_ARGUMENT, "ODD_BYTES", "3 bytes were given.")
    async with scripted(servicer) as client, client.open_call(CONFIG) as call:
        await call.send_audio("customer", b"abc")
        with pytest.raises(Refused, match="3 bytes were given") as caught:
            [event async for event in call.events()]
        assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "ODD_BYTES")
        with pytest.raises(Refused, match="3 bytes were given") as caught:
            await call.send_audio("customer", b"more")
        assert caught.value.reason == "ODD_BYTES"


async def test_sending_after_close_is_the_callers_mistake() -> None:
    async with scripted(Scripted()) as client, client.open_call(CONFIG) as call:
        await call.close()
        with pytest.raises(asyncio.InvalidStateError):
            await call.send_audio("customer", b"abc")


async def test_questions() -> None:
    async with scripted(Scripted()) as client:
        assert (await client.service_info()).live_calls == 3
        assert (await client.get_call("c1")).live
        with pytest.raises(Refused) as caught:
            await client.get_call("other")
        assert (caught.value.code, caught.value.reason) == ("NOT_FOUND", "NO_SUCH_CALL")


@pytest.fixture
async def closed_address() -> str:
    async with scripted(Scripted()) as client:
        return client.server


async def service_info(client: EmotionClient) -> None:
    await client.service_info()


async def open_a_call(client: EmotionClient) -> None:
    async with client.open_call(CONFIG):
        pass


async def watch(client: EmotionClient) -> None:
    async for _ in client.watch(pb.WatchCuesRequest()):
        pass


@pytest.mark.parametrize("ask", [service_info, open_a_call, watch])
async def test_nobody_there(closed_address: str, ask: Callable[[EmotionClient], Any]) -> None:
    async with EmotionClient(closed_address) as client:
        with pytest.raises(
            ServerUnreachable, match=f"emotion-service serve --listen {client.server}"
        ):
            await ask(client)


async def test_a_server_that_goes_away_in_the_middle() -> None:
    servicer = Scripted()
    servicer.refuse_with = (grpc.StatusCode.UNAVAILABLE, "", "stopping")
    async with scripted(servicer) as client, client.open_call(CONFIG) as call:
        await call.send_audio("customer", b"abc")
        with pytest.raises(ServerUnreachable, match="went away in the middle of the call"):
            [event async for event in call.events()]


class Silent(Scripted):
    async def StreamingAnalyze(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamingAnalyzeRequest], context: Any
    ) -> AsyncIterator[pb.StreamingAnalyzeResponse]:
        async for _ in request_iterator:
            pass
        yield READY


async def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.2)
    async with scripted(Silent()) as client:
        with pytest.raises(ServerUnreachable, match="No emotion-service answers"):
            await open_a_call(client)


async def test_a_lost_watch_goes_on_at_its_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_RETRY_SECONDS", 0.02)
    servicer = Scripted()
    waits: list[float] = []
    async with scripted(servicer) as client:
        watched = client.watch(pb.WatchCuesRequest(cursor="10"), waits.append)
        cues = [response.cue.sequence async for response in take(watched, 5)]
    assert cues == [11, 12, 13, 14, 15]
    assert servicer.cursors == ["10", "12", "14"]
    assert len(waits) == 2
    assert all(0.01 <= wait <= 0.02 for wait in waits)


async def take(
    responses: AsyncIterator[pb.WatchCuesResponse], count: int
) -> AsyncIterator[pb.WatchCuesResponse]:
    for _ in range(count):
        yield await anext(responses)


async def test_back_off_doubles_up_to_its_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(client_module, "LAST_RETRY_SECONDS", 0.004)
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    waits: list[float] = []
    async with scripted(Scripted()) as asked:
        client = EmotionClient(asked.server)
        watched = client.watch(pb.WatchCuesRequest(), waits.append)
        assert [r.cursor async for r in take(watched, 2)] == ["1", "2"]
    following = asyncio.ensure_future(anext(watched))
    while len(waits) < 5:
        await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await client._channel.close(None)
    assert waits[:5] == [0.001, 0.002, 0.004, 0.004, 0.004]


@pytest.mark.parametrize("server", ["", "localhost", "localhost:", ":50051", "host:port"])
async def test_an_address_needs_host_and_port(server: str) -> None:
    with pytest.raises(BadInput, match="give HOST:PORT"):
        EmotionClient(server)


@pytest.mark.parametrize(
    ("host", "proxy"), [("127.0.0.1", 0), ("[::1]", 0), ("localhost", 0), ("emotions.example", 1)]
)
def test_loopback_never_goes_through_a_proxy(host: str, proxy: int) -> None:
    options = dict(client_module._channel_options(host))
    assert options["grpc.enable_http_proxy"] == proxy
    assert options["grpc.http2.bdp_probe"] == 0
