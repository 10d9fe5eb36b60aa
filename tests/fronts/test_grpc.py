"""The whole service over a real socket: what a client sees, and what is left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, NoReturn

import grpc
import numpy as np
import pytest
from structlog.testing import capture_logs

from emotion_service.calls.scorer import Scorer, Scoring
from emotion_service.delivery.notice import Address
from emotion_service.fronts.wire import audio_from_proto, config_from_proto, event_to_proto
from emotion_service.offline import analyze
from emotion_service.scoring.request import ScoringRequest
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import (
    BYTES_A_SECOND,
    EVENTS,
    Server,
    audio,
    config,
    kinds,
    leg,
    nothing_left,
    reason,
    rest,
    serving,
    untimed,
)
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer) as running:
        yield running


# --- a call ---


async def test_a_streamed_call_is_the_offline_analysis_of_its_file(
    server: Server, speech: bytes
) -> None:
    requests = [config(), *audio(speech)]
    responses = await server.call(requests)
    domain = config_from_proto(requests[0].config)
    chunks = [audio_from_proto(request.audio) for request in requests[1:]]
    offline = [
        event_to_proto(Address.of(domain), domain.contact_id, event, None, 300)
        for event in analyze(domain, chunks, server.service.scorer)
    ]
    for kind in EVENTS:
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
    large = pb.AudioChunk(leg="customer", data=bytes((1 << 18) + 2))
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


async def test_a_stream_that_never_says_what_it_is_ends(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_service.fronts.grpc.CONFIG_SECONDS", 0.1)
    stream = server.stub.StreamingAnalyze()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asyncio.wait_for(rest(stream), PATIENCE_SECONDS)
    assert reason(error.value) == "CONFIG_MISSING"


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
        def begun(self, batch: list[ScoringRequest]) -> NoReturn:
            raise ValueError("secret")

    caplog.set_level(logging.DEBUG)
    async with serving(Broken(scorer._model)) as server:
        with capture_logs() as logged:
            refused = await server.refused([config(), *audio(speech, 4500)])
        assert kinds(await server.call([config()]))[-1] == "summary"
    assert refused == ("INTERNAL", "DEFECT")
    place = logged[0].pop("place")
    assert logged == [
        {"event": "defect", "log_level": "error", "error": "ValueError"},
        {"event": "refused", "log_level": "info", "reason": "DEFECT", "code": "INTERNAL"},
    ]
    assert place.startswith(f"{__file__}:")
    assert "secret" not in caplog.text


# --- cancellation, at any message ---


@pytest.mark.parametrize("sent", [0, 1, 2, 20, 64])
async def test_cancelling_leaves_no_task_and_no_call(
    server: Server, speech: bytes, sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    stream = server.stub.StreamingAnalyze()
    with capture_logs() as logged:
        for request in [config(), *audio(speech)][:sent]:
            await stream.write(request)
        if sent:
            await stream.read()
        stream.cancel()
        del stream
        await nothing_left(server, before)
    assert (logged, caplog.records) == ([], [])
    assert kinds(await server.call([config()]))[-1] == "summary"


async def test_a_client_that_never_reads_leaves_nothing_behind(
    server: Server, speech: bytes
) -> None:
    before = asyncio.all_tasks()
    stream = server.stub.StreamingAnalyze()
    await stream.write(config(attributes={str(i): "x" * 256 for i in range(32)}))
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
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not heard or not heard[-1].HasField("summary"):
            if not (response := await watch.read()).HasField("heartbeat"):  # of a busy machine
                heard.append(response)
    watch.cancel()
    assert heard[0].call.live
    for kind in EVENTS:
        assert untimed(heard, kind) == untimed(responses, kind)

    resumed = server.stub.WatchCues(pb.WatchCuesRequest(cursor=heard[0].cursor))
    replayed = await resumed.read()
    resumed.cancel()
    others = ("score", "activity")
    first = next(r for r in heard[1:] if r.WhichOneof("event") not in others)
    assert replayed.cursor == first.cursor


async def test_a_watcher_hears_that_a_call_broke_off(server: Server) -> None:
    stream = server.stub.StreamingAnalyze()
    await stream.write(config())
    await stream.read()
    watch = server.stub.WatchCues(pb.WatchCuesRequest(call_id="call-1"))
    assert (await watch.read()).call.live
    stream.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
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


# --- neighbours ---


class Poisoned(Scorer):
    """Breaks over every batch that holds the poison leg's windows, after all speakers learned."""

    @contextmanager
    def begun(self, batch: list[ScoringRequest]) -> Iterator[Scoring]:
        with super().begun(batch) as scoring:
            yield scoring
            if any(request.leg == "poison" for request in batch):
                raise ValueError("poison")


async def test_one_calls_garbage_leaves_49_others_bit_identical(
    scorer: Scorer, speech: bytes
) -> None:
    heard = speech[: BYTES_A_SECOND * 3 // 2]
    noise = np.random.default_rng(1).bytes(BYTES_A_SECOND)

    async def neighbour(server: Server, call_id: str) -> list[list[Any]]:
        opening = config(call_id=call_id, contact_id="anybody")
        responses = await server.call([opening, *audio(heard)])
        events = [untimed(responses, kind) for kind in EVENTS]
        for event in chain(*events):
            assert event.call_id == call_id
            event.ClearField("call_id")
        return events

    async def garbage(server: Server) -> list[tuple[str, str]]:
        poison = config(call_id="poison", legs=[leg("poison", pb.PARTY_CUSTOMER)])
        words = pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg="poison", data=heard))
        odd = pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg="customer", data=noise[1:]))
        return [
            await server.refused([poison, words]),
            await server.refused([config(call_id="odd"), odd]),
        ]

    async with serving(scorer) as server:
        alone = await neighbour(server, "0")
    async with serving(Poisoned(scorer._model)) as server:
        neighbours = asyncio.gather(*(neighbour(server, f"{i}") for i in range(49)))
        disturbed, refusals = await asyncio.gather(neighbours, garbage(server))
    assert disturbed == [alone] * 49
    assert all(alone)
    assert [code for code, _ in refusals] == ["INTERNAL", "INVALID_ARGUMENT"]
