"""The whole service over a real socket: what a client sees, and what is left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from emotion_service.calls.scorer import Scorer, Window
from emotion_service.delivery.bus import Bus
from emotion_service.fronts.grpc import EmotionServicer, new_server
from emotion_service.fronts.stream import Service
from emotion_service.fronts.wire import audio_from_proto, config_from_proto, event_to_proto
from emotion_service.offline import analyze
from emotion_service.scoring.batcher import Batcher
from emotion_service.scoring.request import ScoredBatch, ScoringRequest
from emotion_service.types import EmotionScore
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceStub

BYTES_A_SECOND = 16_000
LOCAL = (("grpc.enable_http_proxy", 0),)


class Server:
    """A service on loopback, and a channel to it."""

    def __init__(self, service: Service, servicer: EmotionServicer, channel: Any) -> None:
        self.service = service
        self.servicer = servicer
        self.stub: Any = EmotionServiceStub(channel)

    async def call(
        self, requests: Iterable[pb.StreamingAnalyzeRequest]
    ) -> list[pb.StreamingAnalyzeResponse]:
        async with asyncio.timeout(20):
            return [response async for response in self.stub.StreamingAnalyze(iter(requests))]

    async def refused(self, requests: list[pb.StreamingAnalyzeRequest]) -> tuple[str, str]:
        """The status code and the reason that a call is ended with, after the last request."""
        stream = self.stub.StreamingAnalyze()
        for request in requests:
            await stream.write(request)
        if not requests:
            await stream.done_writing()
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await asyncio.wait_for(rest(stream), 20)
        return error.value.code().name, reason(error.value)


def reason(error: grpc.aio.AioRpcError) -> str:
    status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "emotion-service"
    return str(info.reason)


@asynccontextmanager
async def serving(scorer: Scorer, mixed_allowed: bool = True) -> AsyncIterator[Server]:
    async with Batcher(scorer) as batcher:
        service = Service(scorer, batcher, Bus(heartbeat_seconds=0.05))
        servicer = EmotionServicer(service, mixed_allowed)
        server = new_server(servicer)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=LOCAL) as channel:
            yield Server(service, servicer, channel)
        await server.stop(None)


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer) as running:
        yield running


def config(**changes: Any) -> pb.StreamingAnalyzeRequest:
    fields: dict[str, Any] = {
        "call_id": "call-1",
        "queue": "sales",
        "pacing": pb.PACING_RECORDED,
        "legs": [
            leg("customer", pb.PARTY_CUSTOMER),
            leg("agent", pb.PARTY_AGENT),
        ],
        "disclosure_given": True,
        "consent": pb.CONSENT_GRANTED,
    }
    return pb.StreamingAnalyzeRequest(config=pb.CallConfig(**{**fields, **changes}))


def leg(name: str, party: pb.Party.ValueType) -> pb.LegConfig:
    return pb.LegConfig(leg=name, party=party, encoding="audio/pcm", sample_rate_hertz=8000)


def audio(speech: bytes, milliseconds: int = 70) -> Iterator[pb.StreamingAnalyzeRequest]:
    step = BYTES_A_SECOND * milliseconds // 1000
    for number, start in enumerate(range(0, len(speech), step)):
        yield pb.StreamingAnalyzeRequest(
            audio=pb.AudioChunk(leg="customer", data=speech[start : start + step], sequence=number)
        )


def kinds(responses: Iterable[pb.StreamingAnalyzeResponse]) -> list[str]:
    return [str(response.WhichOneof("response")) for response in responses]


async def rest(stream: Any) -> list[pb.StreamingAnalyzeResponse]:
    """What has not been read yet, to the end."""
    responses = []
    while isinstance(response := await stream.read(), pb.StreamingAnalyzeResponse):
        responses.append(response)
    return responses


def untimed(responses: Iterable[Any], kind: str) -> list[Any]:
    """The messages of a kind, without what differs from run to run and reader to reader."""
    messages = [getattr(response, kind) for response in responses if response.HasField(kind)]
    for message in messages:
        if kind in ("score", "cue"):
            message.ClearField("latency")
            message.ClearField("within_budget")
    return messages


def is_accepting(task: asyncio.Task[Any]) -> bool:
    """Whether it is gRPC waiting for the next call of some method."""
    return "_request_registered_call" in repr(task)


async def nothing_left(server: Server, before: set[asyncio.Task[Any]]) -> None:
    """Every task of a call is gone within a second, and so is the call."""
    for _ in range(100):
        left = {task for task in asyncio.all_tasks() - before if not is_accepting(task)}
        if not left and not server.service.bus.live_calls:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{server.service.bus.live_calls} calls are live, and {left}")


# --- a call ---


async def test_a_streamed_call_is_the_offline_analysis_of_its_file(
    server: Server, speech: bytes
) -> None:
    requests = [config(), *audio(speech)]
    responses = await server.call(requests)
    domain = config_from_proto(requests[0].config)
    chunks = [audio_from_proto(request.audio) for request in requests[1:]]
    offline = [
        event_to_proto(domain.call_id, domain.contact_id, event, None, 300)
        for event in analyze(domain, chunks, server.service.scorer)
    ]
    for kind in ("score", "cue", "activity", "summary"):
        assert untimed(responses, kind) == untimed(offline, kind)
    assert kinds(responses).count("score") >= 5
    assert responses[0].status.ready.model_version == "stub-1"
    assert responses[-1].WhichOneof("response") == "summary"


async def test_scores_carry_latency_and_whether_the_budget_was_kept(
    server: Server, speech: bytes
) -> None:
    responses = await server.call([config(latency_budget_ms=10_000), *audio(speech)])
    scores = [r.score for r in responses if r.HasField("score")]
    assert scores
    for score in scores:
        assert 0 < score.latency.total_ms < 10_000
        assert score.within_budget


async def test_half_close_at_once_gives_an_empty_summary(server: Server) -> None:
    responses = await server.call([config()])
    assert kinds(responses) == ["status", "status", "status", "summary"]
    assert responses[-1].summary.duration.ToNanoseconds() == 0


async def test_the_last_sequence_is_acknowledged_before_the_summary(
    server: Server, speech: bytes
) -> None:
    sent = list(audio(speech))
    responses = await server.call([config(), *sent])
    acknowledged = [r.status.acknowledged for r in responses if r.status.HasField("acknowledged")]
    assert acknowledged[-1] == pb.Acknowledged(leg="customer", sequence=len(sent) - 1)


# --- refusals: one status each, with a reason for machines ---


async def test_refusals(server: Server, speech: bytes) -> None:
    chunk = next(audio(speech))
    odd = pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg="customer", data=b"odd"))
    large = pb.AudioChunk(leg="customer", data=bytes((1 << 20) + 2))
    expected = {
        "CONFIG_MISSING": [chunk],
        "CONFIG_REPEATED": [config(), config()],
        "REQUEST_EMPTY": [config(), pb.StreamingAnalyzeRequest()],
        "CALL_ID_INVALID": [config(call_id="")],
        "AUDIO_INVALID": [config(), pb.StreamingAnalyzeRequest(audio=large)],
        "UPDATE_INVALID": [config(), pb.StreamingAnalyzeRequest(update=pb.CallUpdate())],
    }
    for name, requests in expected.items():
        assert await server.refused(requests) == ("INVALID_ARGUMENT", name)
    assert await server.refused([]) == ("INVALID_ARGUMENT", "CONFIG_MISSING")
    assert (await server.refused([config(), odd]))[0] == "INVALID_ARGUMENT"
    assert server.service.bus.live_calls == 0


async def test_a_live_call_id_is_refused_and_its_call_goes_on(server: Server) -> None:
    first = server.stub.StreamingAnalyze()
    await first.write(config())
    await first.read()
    assert await server.refused([config()]) == ("ALREADY_EXISTS", "CALL_ID_IN_USE")
    await first.done_writing()
    assert kinds(await rest(first))[-1] == "summary"
    assert kinds(await server.call([config()]))[-1] == "summary"  # free again


async def test_scoring_mixed_legs_is_for_loopback_only(scorer: Scorer) -> None:
    mixed = config(legs=[leg("both", pb.PARTY_MIXED)], allow_mixed_for_testing=True)
    async with serving(scorer, mixed_allowed=False) as server:
        refused = await server.refused([mixed])
    assert refused == ("FAILED_PRECONDITION", "MIXED_NOT_ALLOWED")
    async with serving(scorer) as server:
        assert kinds(await server.call([mixed]))[-1] == "summary"


async def test_a_defect_is_internal_names_no_data_and_spares_other_calls(
    speech: bytes, scorer: Scorer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Scorer):
        def score(self, batch: list[ScoringRequest]) -> ScoredBatch:
            raise ValueError("secret")

    caplog.set_level(logging.DEBUG)
    async with serving(Broken(scorer._model)) as server:
        assert await server.refused([config(), *audio(speech, 4500)]) == ("INTERNAL", "DEFECT")
        assert kinds(await server.call([config()]))[-1] == "summary"
    assert "defect: ValueError in" in caplog.text
    assert "secret" not in caplog.text


# --- cancellation, at any message ---


@pytest.mark.parametrize("sent", [0, 1, 2, 20, 64])
async def test_cancelling_leaves_no_task_and_no_call(
    server: Server, speech: bytes, sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    stream = server.stub.StreamingAnalyze()
    for request in [config(), *audio(speech)][:sent]:
        await stream.write(request)
    if sent:
        await stream.read()
    stream.cancel()
    del stream
    await nothing_left(server, before)
    assert caplog.records == []
    assert kinds(await server.call([config()]))[-1] == "summary"


async def test_a_client_that_never_reads_leaves_nothing_behind(
    server: Server, speech: bytes
) -> None:
    before = asyncio.all_tasks()
    stream = server.stub.StreamingAnalyze()
    await stream.write(config(attributes={str(i): "x" * 1000 for i in range(32)}))
    for request in audio(speech, 20):
        await stream.write(request)
    await asyncio.sleep(0.1)
    stream.cancel()
    await nothing_left(server, before)


# --- questions ---


async def test_service_info(server: Server) -> None:
    info = await server.stub.GetServiceInfo(pb.GetServiceInfoRequest())
    assert info == pb.GetServiceInfoResponse(
        ready=True,
        service_version="0.1.0",
        model_name="stub",
        model_version="stub-1",
        model_licence="CC0-1.0",
        model_sha256="0" * 64,
        live_calls=0,
    )


async def test_get_call_while_live_after_its_end_and_never(server: Server) -> None:
    stream = server.stub.StreamingAnalyze()
    await stream.write(config())
    await stream.read()
    live = (await server.stub.GetCall(pb.GetCallRequest(call_id="call-1"))).call
    assert (live.live, live.queue, [leg.leg for leg in live.legs]) == (
        True,
        "sales",
        ["customer", "agent"],
    )
    await stream.done_writing()
    *_, last = await rest(stream)
    ended = (await server.stub.GetCall(pb.GetCallRequest(call_id="call-1"))).call
    assert (ended.live, ended.summary) == (False, last.summary)
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await server.stub.GetCall(pb.GetCallRequest(call_id="nobody"))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(unknown.value) == "CALL_UNKNOWN"


# --- watching ---


async def test_watching_a_call_from_before_its_start_to_its_end(
    server: Server, speech: bytes
) -> None:
    watch = server.stub.WatchCues(pb.WatchCuesRequest(queue="sales", include_scores=True))
    assert (await watch.read()).HasField("heartbeat")  # nothing is live
    responses = await server.call([config(), *audio(speech)])
    heard: list[pb.WatchCuesResponse] = []
    async with asyncio.timeout(5):
        while not heard or not heard[-1].HasField("summary"):
            heard.append(await watch.read())
    watch.cancel()
    assert heard[0].call.live
    for kind in ("score", "cue", "activity", "summary"):
        assert untimed(heard, kind) == untimed(responses, kind)

    resumed = server.stub.WatchCues(pb.WatchCuesRequest(cursor=heard[0].cursor))
    replayed = await resumed.read()
    resumed.cancel()
    others = ("score", "activity", "heartbeat")  # a heartbeat comes when the machine is busy
    first = next(r for r in heard[1:] if r.WhichOneof("event") not in others)
    assert replayed.cursor == first.cursor


async def test_a_watcher_hears_that_a_call_broke_off(server: Server) -> None:
    stream = server.stub.StreamingAnalyze()
    await stream.write(config())
    await stream.read()
    watch = server.stub.WatchCues(pb.WatchCuesRequest(call_id="call-1"))
    assert (await watch.read()).call.live
    stream.cancel()
    async with asyncio.timeout(5):
        while not (heard := await watch.read()).HasField("call"):
            assert heard.HasField("heartbeat")
    assert not heard.call.live
    watch.cancel()


async def test_a_bad_cursor_is_refused_and_leaving_watchers_leave_nothing(server: Server) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.stub.WatchCues(pb.WatchCuesRequest(cursor="?")).read()
    assert reason(refused.value) == "CURSOR_INVALID"
    watch = server.stub.WatchCues(pb.WatchCuesRequest())
    await watch.read()
    watch.cancel()
    await nothing_left(server, before)


# --- the end of the service ---


async def test_draining_asks_to_reconnect_and_waits_for_the_calls(server: Server) -> None:
    stream = server.stub.StreamingAnalyze()
    await stream.write(config())
    for _ in range(3):
        await stream.read()
    draining = asyncio.create_task(server.servicer.drain(2.5))
    asked = await stream.read()
    assert asked.status.reconnect.grace.ToMilliseconds() == 2500
    assert not draining.done()
    await stream.done_writing()
    assert kinds(await rest(stream))[-1] == "summary"
    await asyncio.wait_for(draining, 1)


# --- neighbours ---


class Poisoned(Scorer):
    """Breaks over every batch that holds the poison leg's windows, after all speakers learned."""

    def _scores(self, windows: list[Window]) -> list[EmotionScore]:
        scores = super()._scores(windows)
        if any(window.request.leg == "poison" for window in windows):
            raise ValueError("poison")
        return scores


async def test_one_calls_garbage_leaves_49_others_bit_identical(
    scorer: Scorer, speech: bytes
) -> None:
    heard = speech[: BYTES_A_SECOND * 3 // 2]
    noise = np.random.default_rng(1).bytes(BYTES_A_SECOND)

    async def others(server: Server) -> list[list[Any]]:
        calls = [server.call([config(call_id=f"{i}"), *audio(heard)]) for i in range(49)]
        return [
            [untimed(responses, kind) for kind in ("score", "cue", "activity", "summary")]
            for responses in await asyncio.gather(*calls)
        ]

    async def garbage(server: Server) -> list[tuple[str, str]]:
        poison = config(call_id="poison", legs=[leg("poison", pb.PARTY_CUSTOMER)])
        words = pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg="poison", data=heard))
        odd = pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg="customer", data=noise[1:]))
        return [
            await server.refused([poison, words]),
            await server.refused([config(call_id="odd"), odd]),
        ]

    async with serving(scorer) as server:
        alone = await others(server)
    async with serving(Poisoned(scorer._model)) as server:
        disturbed, refusals = await asyncio.gather(others(server), garbage(server))
    assert disturbed == alone
    assert alone[0][0]
    assert [code for code, _ in refusals] == ["INTERNAL", "INVALID_ARGUMENT"]
