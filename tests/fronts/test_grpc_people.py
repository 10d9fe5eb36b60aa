"""What people say of calls over gRPC: feedback on cues, and objections, which hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import Server, audio, reason, rest, serving
from tests.patience import PATIENCE_SECONDS

WITHDRAWN = pb.NOT_SCORED_REASON_CONSENT_WITHDRAWN
GRANTED = pb.StreamingAnalyzeRequest(update=pb.CallUpdate(consent=pb.CONSENT_GRANTED))


@pytest.fixture
async def server(scorer: Scorer) -> AsyncIterator[Server]:
    async with serving(scorer) as running:
        yield running


def metric(server: Server, name: str) -> dict[tuple[str, ...], float]:
    """A counter's values by its labels'."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in server.service.metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"emotion_service_{name}_total"
    }


async def judge(server: Server, call_id: str, sequence: int, verdict: pb.Verdict.ValueType) -> None:
    feedback = pb.Feedback(call_id=call_id, cue_sequence=sequence, verdict=verdict)
    await server.stub.SendFeedback(pb.SendFeedbackRequest(feedback=feedback))


async def object_to(server: Server, call_id: str) -> None:
    await server.stub.RecordObjection(pb.RecordObjectionRequest(call_id=call_id))


async def reasons(server: Server, call_id: str) -> list[int]:
    """Why each leg is not scored."""
    answer = await server.stub.GetCall(pb.GetCallRequest(call_id=call_id))
    return [leg.not_scored_reason for leg in answer.call.legs]


async def test_feedback_reaches_watchers_the_state_and_the_metrics(server: Server) -> None:
    call = await server.opened()
    watch = server.stub.WatchCues(pb.WatchCuesRequest(call_id="call-1"))
    others = server.stub.WatchCues(pb.WatchCuesRequest(call_id="call-2"))
    assert (await watch.read()).HasField("call")
    assert (await others.read()).HasField("heartbeat")
    await judge(server, "call-1", 3, pb.VERDICT_WRONG)
    await judge(server, "call-1", 4, pb.VERDICT_DISMISSED)
    expected = [
        pb.Feedback(call_id="call-1", cue_sequence=3, verdict=pb.VERDICT_WRONG),
        pb.Feedback(call_id="call-1", cue_sequence=4, verdict=pb.VERDICT_DISMISSED),
    ]
    heard: list[pb.Feedback] = []
    while len(heard) < 2:
        response = await asyncio.wait_for(watch.read(), PATIENCE_SECONDS)
        if not response.HasField("heartbeat"):
            heard.append(response.feedback)
    assert heard == expected
    assert (await others.read()).HasField("heartbeat")
    answer = await server.stub.GetCall(pb.GetCallRequest(call_id="call-1"))
    assert list(answer.call.feedback) == expected
    assert metric(server, "feedback") == {("wrong",): 1.0, ("dismissed",): 1.0}
    watch.cancel(), others.cancel()
    await call.done_writing()
    await rest(call)


@pytest.mark.parametrize(
    ("call_id", "verdict", "code", "why"),
    [
        ("nobody", pb.VERDICT_WRONG, "NOT_FOUND", "CALL_UNKNOWN"),
        ("call-1", pb.VERDICT_UNSPECIFIED, "INVALID_ARGUMENT", "ENUM_INVALID"),
        ("call-1", 77, "INVALID_ARGUMENT", "ENUM_INVALID"),
    ],
)
async def test_feedback_that_is_refused(
    server: Server, call_id: str, verdict: Any, code: str, why: str
) -> None:
    call = await server.opened()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await judge(server, call_id, 0, verdict)
    assert (refused.value.code().name, reason(refused.value)) == (code, why)
    assert metric(server, "feedback") == {}
    call.cancel()


async def test_after_an_objection_nothing_is_scored_whatever_consent_is_sent(
    server: Server, speech: bytes
) -> None:
    """The same audio before and after; the objection comes between two messages."""
    call = await server.opened()
    for request in audio(speech):
        await call.write(request)
    before: list[pb.StreamingAnalyzeResponse] = []
    while not (before and before[-1].HasField("score")):
        before.append(await asyncio.wait_for(call.read(), PATIENCE_SECONDS))
    await object_to(server, "call-1")
    assert await reasons(server, "call-1") == [WITHDRAWN, pb.NOT_SCORED_REASON_NOT_A_CUSTOMER]
    await call.write(GRANTED)
    for request in audio(speech):
        request.audio.ClearField("sequence")
        await call.write(request)
    await call.done_writing()
    after = await asyncio.wait_for(rest(call), PATIENCE_SECONDS)
    told = [r.status.not_scored.reason for r in after if r.status.HasField("not_scored")]
    assert told == [WITHDRAWN]
    objected = [r.status.HasField("not_scored") for r in after].index(True)
    assert not [r for r in after[objected:] if r.HasField("score")]
    assert after[-1].summary.legs[0].not_scored_reason == WITHDRAWN
    assert after[-1].summary.legs[0].speech.seconds >= 6  # turn-taking went on
    assert metric(server, "objections") == {(): 1.0}


async def test_an_objection_holds_for_the_contact_and_is_said_but_once(server: Server) -> None:
    first = await server.opened(call_id="first", contact_id="ann")
    beside = await server.opened(call_id="beside", contact_id="ann")
    stranger = await server.opened(call_id="stranger", contact_id="bob")
    watch = server.stub.WatchCues(pb.WatchCuesRequest(call_id="beside"))
    assert not (await watch.read()).call.legs[0].not_scored_reason
    for _ in range(2):
        await object_to(server, "first")
    response = await watch.read()
    while response.HasField("heartbeat"):
        response = await watch.read()
    assert response.call.legs[0].not_scored_reason == WITHDRAWN
    next_one = await server.opened(call_id="next", contact_id="ann")
    assert [(await reasons(server, name))[0] for name in ("first", "beside", "next")] == [
        *3 * [WITHDRAWN]
    ]
    assert (await reasons(server, "stranger"))[0] == 0
    assert metric(server, "objections") == {(): 1.0}
    watch.cancel()
    for call in (first, beside, stranger, next_one):
        await call.done_writing()
        await rest(call)


async def test_without_a_contact_id_an_objection_is_of_its_call_alone(server: Server) -> None:
    one, two = await server.opened(call_id="one"), await server.opened(call_id="two")
    await object_to(server, "one")
    assert [(await reasons(server, name))[0] for name in ("one", "two")] == [WITHDRAWN, 0]
    for call in (one, two):
        await call.done_writing()
        await rest(call)


async def test_an_objection_while_the_last_scores_are_awaited(
    server: Server, speech: bytes
) -> None:
    """The sender has ended; the call must still come to its summary."""
    call = await server.opened(pacing=pb.PACING_LIVE)
    for request in audio(speech):
        await call.write(request)
    await call.done_writing()
    await object_to(server, "call-1")
    responses = await asyncio.wait_for(rest(call), PATIENCE_SECONDS)
    assert responses[-1].summary.legs[0].not_scored_reason == WITHDRAWN


async def test_an_objection_on_a_call_that_is_not_known(server: Server) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await object_to(server, "nobody")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(refused.value) == "CALL_UNKNOWN"
    assert metric(server, "objections") == {(): 0.0}
