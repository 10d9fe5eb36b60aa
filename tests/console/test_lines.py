"""Messages as lines of text."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from emotion_service.console.lines import (
    nothing_scored,
    response_lines,
    routing_lines,
    watched_lines,
)
from emotion_service.console.wording import ABSTAINING, clock, percent, word
from emotion_service.v1 import emotion_service_pb2 as pb


def at(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration


AGITATED = pb.Cue(
    call_id="c1",
    leg="customer",
    kind=pb.CUE_KIND_AGITATED,
    phase=pb.CUE_PHASE_ONSET,
    start_offset=at(70.8),
    end_offset=at(72.3),
    confidence=0.71,
    evidence_seconds=4.2,
    reasons=[pb.Reason(text="pitch up"), pb.Reason(text="pace up")],
    latency=pb.Latency(total_ms=38.2),
)
ADVICE = pb.Advice(
    call_id="c1",
    rule="upset",
    phase=pb.ADVICE_PHASE_GIVEN,
    action=pb.ADVICE_ACTION_PREFER_SKILL,
    skill="de-escalation",
    offset=at(12.3),
    expires_offset=at(132.3),
    reason=pb.Text(english="They sound upset.", german="Sie klingen aufgebracht."),
    queue="sales",
)
GIVEN = "0:12.3  advice: prefer skill de-escalation, until 2:12.3: They sound upset. (rule upset)"
SUMMARY = pb.CallSummary(
    call_id="c1",
    duration=at(84.0),
    end_reason=pb.END_REASON_TRANSFERRED,
    talk_overs=3,
    model_version="m-1",
    legs=[
        pb.LegSummary(
            leg="customer",
            party=pb.PARTY_CUSTOMER,
            speech=at(41.0),
            talk_share=0.625,
            scores=54,
            abstained=3,
            skipped_windows=2,
            placement=pb.Placement(gaps=2, lost=at(0.1), reordered=1),
        ),
        pb.LegSummary(
            leg="agent",
            party=pb.PARTY_AGENT,
            speech=at(25.0),
            talk_share=0.375,
            not_scored_reason=pb.NOT_SCORED_REASON_NOT_A_CUSTOMER,
        ),
    ],
    states=[
        pb.StateTime(leg="customer", kind=pb.CUE_KIND_AGITATED, episodes=2, total=at(21.0)),
        pb.StateTime(leg="customer", kind=pb.CUE_KIND_NEUTRAL, episodes=1, total=at(9.0)),
    ],
    turns=[pb.StateTime(leg="agent", kind=pb.CUE_KIND_MONOLOGUE, episodes=1, total=at(61.0))],
    hand_over=pb.Text(english="Upset since minute 3.", german="Verärgert seit Minute 3."),
)


def told(**response: object) -> list[str]:
    return list(response_lines(pb.StreamingAnalyzeResponse(**response)))  # type: ignore[arg-type]


def changed(cue: pb.Cue, **fields: object) -> pb.Cue:
    other = pb.Cue(**fields)  # type: ignore[arg-type]
    result = pb.Cue()
    result.CopyFrom(cue)
    result.MergeFrom(other)
    return result


def test_a_cue_begins() -> None:
    assert told(cue=AGITATED) == [
        " 1:12.3  customer: agitated begins, since 1:10.8 "
        "(71 %, 4.2 s of speech, 38 ms): pitch up; pace up"
    ]


def turn(kind: pb.CueKind.ValueType, phase: pb.CuePhase.ValueType, **fields: object) -> pb.Cue:
    """From 0:08.0 to 0:12.0, of the agent."""
    cue = pb.Cue(leg="agent", kind=kind, phase=phase, start_offset=at(8), end_offset=at(12))
    cue.confidence = 1.0
    return changed(cue, **fields)


def test_turn_taking_has_no_confidence() -> None:
    onset = turn(pb.CUE_KIND_DEAD_AIR, pb.CUE_PHASE_ONSET)
    assert told(cue=onset) == [" 0:12.0  agent: dead air begins, since 0:08.0"]
    offset = turn(pb.CUE_KIND_DEAD_AIR, pb.CUE_PHASE_OFFSET)
    assert told(cue=offset) == [" 0:12.0  agent: dead air ends after 4.0 s"]


def test_a_slow_reply_is_one_line() -> None:
    onset = turn(pb.CUE_KIND_SLOW_REPLY, pb.CUE_PHASE_ONSET)
    assert told(cue=onset) == [" 0:12.0  agent: slow reply after 4.0 s"]
    assert told(cue=turn(pb.CUE_KIND_SLOW_REPLY, pb.CUE_PHASE_OFFSET)) == []


def test_an_index_is_no_percentage() -> None:
    onset = turn(pb.CUE_KIND_URGENT, pb.CUE_PHASE_ONSET, index=0.5625)
    assert told(cue=onset) == [" 0:12.0  agent: urgent begins, since 0:08.0 (index 0.56)"]


def test_trends_are_left_out() -> None:
    assert told(trend=pb.Trend(legs=[pb.LegTrend(leg="customer")])) == []


def test_updates_are_left_out_and_offsets_say_how_long() -> None:
    assert told(cue=changed(AGITATED, phase=pb.CUE_PHASE_UPDATE)) == []
    ended = changed(AGITATED, phase=pb.CUE_PHASE_OFFSET)
    assert told(cue=ended) == [" 1:12.3  customer: agitated ends after 1.5 s"]


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (pb.ABSTAIN_REASON_TOO_LITTLE_SPEECH, "too little speech to say"),
        (pb.ABSTAIN_REASON_NON_SPEECH, "what is heard is no speech"),
    ],
)
def test_abstaining_says_why(reason: pb.AbstainReason.ValueType, why: str) -> None:
    cue = pb.Cue(
        leg="customer",
        kind=pb.CUE_KIND_INSUFFICIENT_EVIDENCE,
        phase=pb.CUE_PHASE_ONSET,
        abstain_reason=reason,
    )
    assert told(cue=cue) == [
        f" 0:00.0  customer: insufficient evidence begins, since 0:00.0: {why}"
    ]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (
            pb.Status(ready=pb.Ready(model_version="m-1", model_licence="CC0-1.0")),
            "ready: model m-1 (CC0-1.0)",
        ),
        (pb.Status(not_scored=pb.NotScored(leg="customer")), "customer: scored"),
        (
            pb.Status(
                not_scored=pb.NotScored(
                    leg="customer",
                    reason=pb.NotScoredReason.Value("NOT_SCORED_REASON_CONSENT_REFUSED"),
                )
            ),
            "customer: not scored, the customer refused",
        ),
        (pb.Status(reconnect=pb.Reconnect()), "the server is about to stop"),
    ],
)
def test_statuses(status: pb.Status, line: str) -> None:
    assert told(status=status) == [line]


def test_scores_activities_and_acknowledgements_are_left_out() -> None:
    assert told(score=pb.Score()) == []
    assert told(activity=pb.SpeechActivity()) == []
    assert told(status=pb.Status(acknowledged=pb.Acknowledged())) == []


def test_the_summary() -> None:
    assert told(summary=SUMMARY) == [
        "Summary: 1:24.0, transferred, 3 talk-overs, model m-1",
        "  customer (customer): spoke 41.0 s (62 %); 54 scores, 3 of them claim nothing, "
        "2 windows skipped",
        "    agitated 21.0 s (2 ×), neutral 9.0 s (1 ×)",
        "    audio: 2 gaps (0.1 s lost), 1 reordered",
        "  agent (agent): spoke 25.0 s (38 %); not scored, only customers are ever scored",
        "    monologue 61.0 s (1 ×)",
        "  Upset since minute 3.",
        "  Verärgert seit Minute 3.",
    ]
    assert nothing_scored(SUMMARY) == ""


@pytest.mark.parametrize(
    ("reasons", "sentence"),
    [
        (
            ["NOT_A_CUSTOMER", "NOT_DISCLOSED"],
            "Nothing was scored: the customer was not told of emotion recognition. When they "
            "were told and agreed, say so with --disclosure-given --consent granted.",
        ),
        (
            ["CONSENT_PENDING"],
            "Nothing was scored: the customer has not agreed yet. "
            "When they have agreed, say so with --consent granted.",
        ),
        (["CONSENT_REFUSED"], "Nothing was scored: the customer refused."),
        (
            ["NOT_A_CUSTOMER", "UNSPECIFIED"],
            "Nothing was scored: too little speech of a customer who may be scored.",
        ),
    ],
)
def test_nothing_scored_says_why_and_what_to_do(reasons: list[str], sentence: str) -> None:
    values = [pb.NotScoredReason.Value(f"NOT_SCORED_REASON_{name}") for name in reasons]
    legs = [pb.LegSummary(leg=str(value), not_scored_reason=value) for value in values]
    assert nothing_scored(pb.CallSummary(legs=legs)) == sentence


def test_what_a_watcher_reads() -> None:
    state = pb.CallState(
        call_id="c1",
        queue="sales",
        agent_id="a7",
        live=True,
        elapsed=at(12.34),
        legs=[pb.LegState(leg="customer", cue=AGITATED), pb.LegState(leg="agent")],
    )
    assert list(watched_lines(pb.WatchCuesResponse(call=state))) == [
        "c1   0:12.3  live, queue sales, agent a7, customer agitated"
    ]
    (cue,) = watched_lines(pb.WatchCuesResponse(cue=AGITATED))
    assert cue.startswith("c1   1:12.3  customer: agitated begins")
    assert all(
        line.startswith("c1  ") for line in watched_lines(pb.WatchCuesResponse(summary=SUMMARY))
    )
    quiet = pb.WatchCuesResponse(heartbeat=pb.Heartbeat())
    assert list(watched_lines(quiet)) == []
    missed = pb.WatchCuesResponse(heartbeat=pb.Heartbeat(dropped=2))
    assert list(watched_lines(missed)) == ["2 events were missed"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0:00.0"), (9.96, "0:10.0"), (59.99, "1:00.0"), (3725.2, "62:05.2")]
)
def test_the_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_words() -> None:
    assert sorted(ABSTAINING) == sorted(pb.AbstainReason.values())
    assert word(pb.CueKind, pb.CUE_KIND_TALK_OVER) == "talk over"
    assert word(pb.Party, pb.PARTY_UNSPECIFIED) == "unspecified"
    assert word(pb.CueKind, 99) == "unknown"
    assert percent(0.714) == "71 %"


def test_advice_says_what_until_when_and_why() -> None:
    assert list(response_lines(pb.StreamingAnalyzeResponse(advice=ADVICE))) == [f" {GIVEN}"]
    assert list(watched_lines(pb.WatchCuesResponse(advice=ADVICE))) == [f"c1   {GIVEN}"]
    assert list(routing_lines(pb.WatchRoutingResponse(advice=ADVICE))) == [f"c1 in sales   {GIVEN}"]


def test_advice_that_ends_says_so() -> None:
    ended = pb.Advice()
    ended.CopyFrom(ADVICE)
    ended.phase, ended.queue = pb.ADVICE_PHASE_ENDED, ""
    (line,) = routing_lines(pb.WatchRoutingResponse(advice=ended))
    assert line == "c1   0:12.3  advice: prefer skill de-escalation, ended (rule upset)"


def test_a_watch_of_advice_tells_what_was_missed_and_nothing_of_other_heartbeats() -> None:
    missed = pb.WatchRoutingResponse(heartbeat=pb.Heartbeat(dropped=3))
    assert list(routing_lines(missed)) == ["3 events were missed"]
    assert list(routing_lines(pb.WatchRoutingResponse(heartbeat=pb.Heartbeat()))) == []
    stopping = pb.WatchRoutingResponse(reconnect=pb.Reconnect())
    assert list(routing_lines(stopping)) == ["the server is about to stop"]
