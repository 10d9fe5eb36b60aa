"""Messages as lines of text."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from emotion_service.console.lines import nothing_scored, response_lines, watched_lines
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
