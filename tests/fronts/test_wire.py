"""Both directions of the API's messages, field by field where it matters."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from emotion_service import types
from emotion_service.delivery.notice import (
    Acknowledged,
    Address,
    CallState,
    Heartbeat,
    Latency,
    Notice,
    Ready,
    Reconnect,
    Watched,
)
from emotion_service.errors import BadInput
from emotion_service.fronts.messages import domain_enum, duration, wire_enum
from emotion_service.fronts.wire import (
    audio_from_proto,
    config_from_proto,
    event_to_proto,
    to_json_line,
    update_from_proto,
    watched_to_proto,
)
from emotion_service.types import Consent, Cue, CueKind, CuePhase, Pacing, Party
from emotion_service.v1 import emotion_service_pb2 as pb

CUE = Cue("customer", 3, CueKind.AGITATED, CuePhase.ONSET, 8000, 12345, 12500, 0.75, 9600)
PERMIT = types.Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
SCORE = types.EmotionScore(
    permit=PERMIT,
    sequence=1,
    start=0,
    end=16000,
    evidence=12000,
    quality=types.Quality(0.25, 0.5, 2),
    model_version="stub-1",
    probabilities=types.Probabilities(0.5, 0.25, 0.125, 0.125),
    indices=types.Indices(0.75, 0.25),
    provisional=False,
    abstain=None,
    reasons=(types.Reason("pace", 6.0, 4.0, "syllables/s", 2.0, True, "pace 50 % above"),),
    non_speech=0.0,
)
SUMMARY = types.CallSummary(16000, types.EndReason.TRANSFERRED, (), (), 2, "stub-1")


def leg(**changes: Any) -> pb.LegConfig:
    fields = {"leg": "customer", "encoding": "audio/PCMU", "sample_rate_hertz": 8000}
    return pb.LegConfig(**{**fields, **changes})


def config(**changes: Any) -> pb.CallConfig:
    return pb.CallConfig(**{"call_id": "c", "legs": [leg()], **changes})


# --- in ---


def test_a_short_config_gets_the_documented_defaults() -> None:
    assert config_from_proto(config()) == types.CallConfig(
        call_id="c",
        legs=(types.LegConfig("customer", Party.UNSPECIFIED, "audio/PCMU", 8000, 1),),
        contact_id="c",
        latency_budget_ms=300,
        pacing=Pacing.LIVE,
        disclosure_given=False,
        consent=Consent.PENDING,
    )


def test_a_full_config_arrives_whole() -> None:
    given = config_from_proto(
        config(
            contact_id="k",
            tenant="t",
            queue="q",
            agent_id="a",
            attributes={"vip": "yes", "age": "old"},
            latency_budget_ms=500,
            pacing=pb.PACING_RECORDED,
            legs=[leg(party=pb.PARTY_CUSTOMER, channels=2), leg(leg="x", party=pb.PARTY_AGENT)],
            disclosure_given=True,
            consent=pb.CONSENT_GRANTED,
            allow_mixed_for_testing=True,
        )
    )
    assert given == types.CallConfig(
        call_id="c",
        contact_id="k",
        tenant="t",
        queue="q",
        agent_id="a",
        attributes=(("age", "old"), ("vip", "yes")),
        latency_budget_ms=500,
        pacing=Pacing.RECORDED,
        legs=(
            types.LegConfig("customer", Party.CUSTOMER, "audio/PCMU", 8000, 2),
            types.LegConfig("x", Party.AGENT, "audio/PCMU", 8000, 1),
        ),
        disclosure_given=True,
        consent=Consent.GRANTED,
        allow_mixed_for_testing=True,
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"call_id": ""}, "CALL_ID_INVALID"),
        ({"call_id": "x" * 129}, "CALL_ID_INVALID"),
        ({"call_id": ".."}, "CALL_ID_INVALID"),
        ({"call_id": "c\n1"}, "CALL_ID_INVALID"),
        ({"legs": []}, "LEGS_INVALID"),
        ({"legs": [leg(leg=str(i)) for i in range(9)]}, "LEGS_INVALID"),
        ({"legs": [leg(leg="")]}, "LEG_NAME_INVALID"),
        ({"legs": [leg(leg="x" * 33)]}, "LEG_NAME_INVALID"),
        ({"legs": [leg(), leg()]}, "LEG_NAME_INVALID"),
        ({"legs": [leg(party=99)]}, "ENUM_INVALID"),
        ({"latency_budget_ms": 0}, "LATENCY_BUDGET_INVALID"),
        ({"latency_budget_ms": 10_001}, "LATENCY_BUDGET_INVALID"),
        ({"attributes": {str(i): "" for i in range(33)}}, "ATTRIBUTES_INVALID"),
        ({"attributes": {"x" * 129: ""}}, "ATTRIBUTES_INVALID"),
        ({"attributes": {"x": "y" * 257}}, "ATTRIBUTES_INVALID"),
        ({"contact_id": "x" * 129}, "CONTACT_ID_INVALID"),
        ({"tenant": "x" * 129}, "TENANT_INVALID"),
        ({"queue": "x" * 129}, "QUEUE_INVALID"),
        ({"agent_id": "x" * 129}, "AGENT_ID_INVALID"),
        ({"consent": 99}, "ENUM_INVALID"),
        ({"pacing": 99}, "ENUM_INVALID"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        config_from_proto(config(**changes))
    assert refused.value.reason == reason


def test_the_limits_themselves_are_allowed() -> None:
    most = config(
        call_id="x" * 128,
        contact_id="x" * 128,
        tenant="x" * 128,
        queue="x" * 128,
        agent_id="x" * 128,
        legs=[leg(leg=str(i) * 32) for i in range(8)],
        attributes={f"{i:0128}": "y" * 256 for i in range(32)},
        latency_budget_ms=10_000,
    )
    assert len(config_from_proto(most).legs) == 8


def test_errors_never_quote_the_caller() -> None:
    with pytest.raises(BadInput) as refused:
        config_from_proto(config(call_id="secret" * 30))
    assert str(refused.value) == "call_id: 180 characters were given; send 1 to 128"


def test_audio_keeps_unset_apart_from_zero() -> None:
    unset = audio_from_proto(pb.AudioChunk(leg="a", data=b"xy"))
    assert unset == types.EncodedAudio("a", b"xy", None, None)
    zero = audio_from_proto(pb.AudioChunk(offset=Duration(), sequence=0))
    assert zero == types.EncodedAudio("", b"", 0.0, 0)
    placed = audio_from_proto(pb.AudioChunk(offset=Duration(seconds=2, nanos=125_000)))
    assert placed.offset_seconds == 2.000125


def test_a_mebibyte_of_audio_is_the_most() -> None:
    assert len(audio_from_proto(pb.AudioChunk(data=bytes(1 << 18))).data) == 1 << 18
    with pytest.raises(BadInput) as refused:
        audio_from_proto(pb.AudioChunk(data=bytes((1 << 18) + 1)))
    assert refused.value.reason == "AUDIO_INVALID"


@pytest.mark.parametrize(
    ("update", "change"),
    [
        (pb.CallUpdate(agent_id="a"), types.AttributeChange("agent_id", "a")),
        (pb.CallUpdate(queue="q"), types.AttributeChange("queue", "q")),
        (pb.CallUpdate(ivr_step="s"), types.AttributeChange("ivr_step", "s")),
        (
            pb.CallUpdate(leg_party=pb.LegParty(leg="l", party=pb.PARTY_BOT)),
            types.PartyChange("l", Party.BOT),
        ),
        (
            pb.CallUpdate(leg_line=pb.LegLine(leg="l", state=pb.LINE_STATE_ON_HOLD)),
            types.LineChange("l", types.LineState.ON_HOLD),
        ),
        (pb.CallUpdate(dtmf_digit="#"), types.DtmfDigit()),
        (pb.CallUpdate(consent=pb.CONSENT_WITHDRAWN), types.ConsentChange(Consent.WITHDRAWN)),
        (pb.CallUpdate(consent=pb.CONSENT_UNSPECIFIED), types.ConsentChange(Consent.PENDING)),
        (pb.CallUpdate(disclosure_given=False), types.DisclosureChange(False)),
        (
            pb.CallUpdate(end_reason=pb.END_REASON_FAILED),
            types.EndReasonChange(types.EndReason.FAILED),
        ),
    ],
)
def test_updates(update: pb.CallUpdate, change: types.CallUpdate) -> None:
    assert update_from_proto(update) == change


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        (pb.CallUpdate(), "UPDATE_INVALID"),
        (pb.CallUpdate(dtmf_digit="12"), "DTMF_DIGIT_INVALID"),
        (pb.CallUpdate(dtmf_digit="E"), "DTMF_DIGIT_INVALID"),
        (pb.CallUpdate(dtmf_digit=""), "DTMF_DIGIT_INVALID"),
        (pb.CallUpdate(leg_line=pb.LegLine(leg="l")), "ENUM_INVALID"),
        (pb.CallUpdate(agent_id="x" * 129), "AGENT_ID_INVALID"),
        (pb.CallUpdate(queue="x" * 129), "QUEUE_INVALID"),
        (pb.CallUpdate(ivr_step="x" * 129), "IVR_STEP_INVALID"),
    ],
)
def test_bad_updates(update: pb.CallUpdate, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        update_from_proto(update)
    assert refused.value.reason == reason


# --- both ways ---


@pytest.mark.parametrize(
    ("domain", "wire"),
    [
        (types.Party, pb.Party),
        (types.Consent, pb.Consent),
        (types.Pacing, pb.Pacing),
        (types.Sound, pb.Sound),
        (types.CueKind, pb.CueKind),
        (types.CuePhase, pb.CuePhase),
        (types.Abstain, pb.AbstainReason),
        (types.NotScored, pb.NotScoredReason),
        (types.LineState, pb.LineState),
        (types.EndReason, pb.EndReason),
    ],
)
def test_every_enum_has_the_same_members_on_both_sides(domain: type[Enum], wire: Any) -> None:
    numbers = {wire_enum(wire, member) for member in domain}
    assert numbers | {0} == set(wire.values())
    assert [domain_enum(domain, wire, wire_enum(wire, member)) for member in domain] == [*domain]
    assert wire_enum(wire, None) == 0


@given(st.integers(0, 1 << 40))
def test_offsets_are_exact(samples: int) -> None:
    offset = Duration()
    duration(offset, samples)
    assert offset.ToNanoseconds() == samples * 125_000


# --- out ---


def test_a_score_with_its_latency() -> None:
    latency = Latency(250.0, 1.0, 2.0, 3.0)
    response = event_to_proto(Address("c"), "k", SCORE, latency, budget_ms=250)
    assert response.score == pb.Score(
        call_id="c",
        leg="customer",
        sequence=1,
        start_offset=Duration(),
        end_offset=Duration(seconds=2),
        probabilities=pb.Probabilities(anger=0.5, happiness=0.25, sadness=0.125, neutral=0.125),
        indices=pb.Indices(arousal=0.75, valence=0.25),
        confidence=0.5,
        evidence_seconds=1.5,
        reasons=[
            pb.Reason(
                feature="pace",
                value=6.0,
                baseline=4.0,
                unit="syllables/s",
                shift=2.0,
                own_baseline=True,
                text="pace 50 % above",
            )
        ],
        quality=pb.Quality(lost_fraction=0.25, clipped_fraction=0.5, skipped_windows=2),
        model_version="stub-1",
        latency=pb.Latency(total_ms=250.0, queue_ms=1.0, features_ms=2.0, model_ms=3.0),
        within_budget=True,
        non_speech=0.0,
    )
    late = event_to_proto(Address("c"), "k", SCORE, latency, budget_ms=249)
    assert late.score.within_budget is False


@pytest.mark.parametrize(
    ("abstain", "non_speech"),
    [(types.Abstain.NON_SPEECH, 0.625), (types.Abstain.TOO_LITTLE_SPEECH, None)],
)
def test_a_score_that_claims_nothing(abstain: types.Abstain, non_speech: float | None) -> None:
    nothing = replace(
        SCORE, probabilities=None, indices=None, abstain=abstain, reasons=(), non_speech=non_speech
    )
    said = event_to_proto(Address("c"), "k", nothing, None, 300).score
    assert said.abstain_reason == pb.AbstainReason.Value(f"ABSTAIN_REASON_{abstain.name}")
    assert not said.HasField("probabilities")
    assert not said.HasField("indices")
    assert said.confidence == 0.0
    assert said.HasField("non_speech") == (non_speech is not None)
    assert said.non_speech == (non_speech or 0.0)


def test_offline_has_no_latency() -> None:
    response = event_to_proto(Address("c"), "k", CUE, None, 300)
    assert not response.cue.HasField("latency")
    assert not response.cue.HasField("within_budget")


def test_a_cue_as_a_json_line() -> None:
    line = to_json_line(event_to_proto(Address("c"), "k", CUE, None, 300))
    assert "\n" not in line
    assert json.loads(line) == {
        "cue": {
            "call_id": "c",
            "leg": "customer",
            "sequence": "3",  # proto-JSON writes 64-bit integers as strings
            "kind": "CUE_KIND_AGITATED",
            "phase": "CUE_PHASE_ONSET",
            "start_offset": "1s",
            "end_offset": "1.543125s",
            "decided_offset": "1.562500s",
            "confidence": 0.75,
            "evidence_seconds": 1.2,
            "abstain_reason": "ABSTAIN_REASON_UNSPECIFIED",
            "reasons": [],
            "quality": {"lost_fraction": 0.0, "clipped_fraction": 0.0, "skipped_windows": 0},
            "model_version": "",
        }
    }


def test_a_line_of_a_watcher_holds_one_event() -> None:
    assert json.loads(to_json_line(pb.WatchCuesResponse(cursor="a:1"))) == {"cursor": "a:1"}


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (
            types.ScoringStatus("a", types.NotScored.NOT_A_CUSTOMER),
            {"not_scored": {"leg": "a", "reason": "NOT_SCORED_REASON_NOT_A_CUSTOMER"}},
        ),
        (
            types.ScoringStatus("a", None),
            {"not_scored": {"leg": "a", "reason": "NOT_SCORED_REASON_UNSPECIFIED"}},
        ),
        (
            Ready("stub-1", "CC0-1.0", 300),
            {
                "ready": {
                    "model_version": "stub-1",
                    "model_licence": "CC0-1.0",
                    "latency_budget_ms": 300,
                }
            },
        ),
        (Reconnect(2.5), {"reconnect": {"grace": "2.500s"}}),
        (Acknowledged("a", 7), {"acknowledged": {"leg": "a", "sequence": "7"}}),
    ],
)
def test_statuses(
    event: types.ScoringStatus | Ready | Reconnect | Acknowledged, status: dict[str, Any]
) -> None:
    line = to_json_line(event_to_proto(Address("c"), "k", event, None, 300))
    assert json.loads(line) == {"status": {"call_id": "c", **status}}


def test_a_summary_says_which_contact_it_belongs_to() -> None:
    summary = event_to_proto(Address("c"), "k", SUMMARY, None, 300).summary
    assert (summary.call_id, summary.contact_id, summary.talk_overs) == ("c", "k", 2)
    assert summary.end_reason == pb.END_REASON_TRANSFERRED
    assert summary.duration == Duration(seconds=2)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (CUE, "cue"),
        (SCORE, "score"),
        (SUMMARY, "summary"),
        (types.SpeechActivity("a", 0, types.Sound.MUSIC, 0, 160), "activity"),
    ],
)
def test_watchers_get_the_very_message_the_stream_gets(
    event: types.EmotionScore | Cue | types.SpeechActivity | types.CallSummary, kind: str
) -> None:
    at = Address("c", "t", "q", "a")
    latency = Latency(1.0)
    watched = watched_to_proto([("e:1", Notice((at, at), "k", event, latency, 300))])
    said = event_to_proto(Address("c"), "k", event, latency, 300)
    assert watched.cursor == "e:1"
    assert getattr(watched, kind) == getattr(said, kind)
    assert watched.WhichOneof("event") == kind


def test_call_states_and_heartbeats() -> None:
    state = CallState(Address("c", "t", "q", "a"), "k", False, 8000, (), SUMMARY)
    expected = pb.CallState(
        call_id="c",
        contact_id="k",
        tenant="t",
        queue="q",
        agent_id="a",
        live=False,
        elapsed=Duration(seconds=1),
        summary=event_to_proto(Address("c"), "k", SUMMARY, None, 300).summary,
    )
    assert watched_to_proto([("", state)]) == pb.WatchCuesResponse(call=expected)
    assert watched_to_proto([("e:2", Heartbeat(4))]) == pb.WatchCuesResponse(
        cursor="e:2", heartbeat=pb.Heartbeat(dropped=4)
    )


def test_several_events_in_one_message_each_have_their_own_cursor() -> None:
    at = Address("c", "t", "q", "a")
    watched: list[Watched] = [
        ("e:1", Notice((at, at), "k", CUE, None, 300)),
        ("e:3", Notice((at, at), "k", types.Feedback(3, types.Verdict.RIGHT), None, 300)),
        ("e:3", Heartbeat(0)),
    ]
    one = watched_to_proto(watched)
    expected = watched_to_proto(watched[:1])
    expected.more.extend(watched_to_proto([each]) for each in watched[1:])
    assert one == expected
    assert [said.cursor for said in (one, *one.more)] == ["e:1", "e:3", "e:3"]
    assert one.more[0].feedback.cue_sequence == 3
    assert one.more[1].HasField("heartbeat")  # of zeros only
