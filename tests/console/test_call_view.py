"""How messages fold into what the live view shows."""

from __future__ import annotations

import itertools

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.console.call_view import Stretch, Told, new_view, quantile, shares
from emotion_service.console.truth import Truth, TruthSegment
from emotion_service.v1 import emotion_service_pb2 as pb

CONFIG = pb.CallConfig(legs=[pb.LegConfig(leg="customer", party=pb.PARTY_CUSTOMER)])


def state_cue(
    kind: pb.CueKind.ValueType, phase: pb.CuePhase.ValueType, start: int, end: int
) -> pb.StreamingAnalyzeResponse:
    cue = pb.Cue(
        leg="customer",
        kind=kind,
        phase=phase,
        start_offset=Duration(seconds=start),
        end_offset=Duration(seconds=end),
    )
    return pb.StreamingAnalyzeResponse(cue=cue)


def test_states_follow_one_another() -> None:
    view = new_view(CONFIG, 60.0, None)
    leg = view.legs["customer"]
    view.take(state_cue(pb.CUE_KIND_NEUTRAL, pb.CUE_PHASE_ONSET, 1, 2))
    view.take(state_cue(pb.CUE_KIND_NEUTRAL, pb.CUE_PHASE_UPDATE, 1, 5))
    assert leg.states == [Stretch("neutral", 1.0)]
    assert leg.cue is not None
    assert leg.cue.end_offset.seconds == 5
    view.take(state_cue(pb.CUE_KIND_NEUTRAL, pb.CUE_PHASE_OFFSET, 1, 6))
    assert leg.cue is None
    view.take(state_cue(pb.CUE_KIND_AGITATED, pb.CUE_PHASE_ONSET, 8, 9))
    assert leg.states == [Stretch("neutral", 1.0, 6.0), Stretch("agitated", 8.0)]


def test_an_onset_ends_the_state_before_it() -> None:
    view = new_view(CONFIG, 60.0, None)
    view.take(state_cue(pb.CUE_KIND_NEUTRAL, pb.CUE_PHASE_ONSET, 1, 2))
    view.take(state_cue(pb.CUE_KIND_HAPPY, pb.CUE_PHASE_ONSET, 4, 5))
    assert view.legs["customer"].states == [Stretch("neutral", 1.0, 4.0), Stretch("happy", 4.0)]
    view.take(state_cue(pb.CUE_KIND_NEUTRAL, pb.CUE_PHASE_OFFSET, 1, 4))
    assert view.legs["customer"].cue is not None  # the offset was of the state before


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (pb.CUE_KIND_TALK_OVER, "talk over"),
        (pb.CUE_KIND_DEAD_AIR, "dead air"),
        (pb.CUE_KIND_SLOW_REPLY, "slow reply"),
        (pb.CUE_KIND_MONOLOGUE, "monologue"),
        (pb.CUE_KIND_FAST_PACE, "fast pace"),
        (pb.CUE_KIND_URGENT, "urgent"),
        (pb.CUE_KIND_CURT, "curt"),
    ],
)
def test_what_lasts_beside_the_state_is_none(kind: pb.CueKind.ValueType, label: str) -> None:
    view = new_view(CONFIG, 60.0, None)
    leg = view.legs["customer"]
    view.take(state_cue(kind, pb.CUE_PHASE_ONSET, 3, 4))
    assert list(leg.beside) == [kind]
    view.take(state_cue(kind, pb.CUE_PHASE_OFFSET, 3, 5))
    assert (leg.beside, leg.states, leg.cue) == ({}, [], None)
    assert view.told == [Told(label, "customer", 3.0)]


def test_advice_stands_until_it_ends() -> None:
    view = new_view(CONFIG, 60.0, None)
    given = pb.Advice(rule="upset", phase=pb.ADVICE_PHASE_GIVEN)
    view.take(pb.StreamingAnalyzeResponse(advice=given))
    view.take(pb.StreamingAnalyzeResponse(advice=pb.Advice(rule="waits")))
    view.take(pb.StreamingAnalyzeResponse(advice=given))
    assert list(view.advice) == ["waits", "upset"]
    ended = pb.Advice(rule="upset", phase=pb.ADVICE_PHASE_ENDED)
    view.take(pb.StreamingAnalyzeResponse(advice=ended))
    assert list(view.advice) == ["waits"]


def test_trends_change_nothing() -> None:
    view = new_view(CONFIG, 60.0, None)
    view.take(pb.StreamingAnalyzeResponse(trend=pb.Trend(legs=[pb.LegTrend(leg="customer")])))
    assert view == new_view(CONFIG, 60.0, None)


def test_scores_without_latency_count_for_no_budget() -> None:
    view = new_view(CONFIG, 60.0, None)
    score = pb.Score(leg="customer", evidence_seconds=1.5)
    view.take(pb.StreamingAnalyzeResponse(score=score))
    assert view.legs["customer"].evidence_seconds == 1.5
    assert view.legs["customer"].latencies_ms == []
    assert view.legs["customer"].over_budget == 0


def test_the_servers_own_news() -> None:
    view = new_view(CONFIG, 60.0, None)
    ready = pb.Ready(model_version="m-1")
    view.take(pb.StreamingAnalyzeResponse(status=pb.Status(ready=ready)))
    assert view.ready == ready
    assert not view.stopping
    view.take(pb.StreamingAnalyzeResponse(status=pb.Status(reconnect=pb.Reconnect())))
    assert view.stopping


def test_truth_of_declared_legs_with_labels() -> None:
    segments = (
        TruthSegment("customer", 0.0, 1.0, "anger"),
        TruthSegment("customer", 1.0, 2.0, ""),
        TruthSegment("elsewhere", 0.0, 1.0, "anger"),
    )
    view = new_view(CONFIG, 60.0, Truth(synthetic=True, segments=segments))
    assert view.legs["customer"].truth == [Stretch("anger", 0.0, 1.0)]
    assert view.remark.startswith("The voices are synthetic")


def test_shares_of_a_cell() -> None:
    stretches = [Stretch("a", 0.0, 1.0), Stretch("b", 1.0, 1.25), Stretch("a", 1.25)]
    assert shares(stretches, 0.5, 1.5, now=9.0) == pytest.approx({"a": 0.75, "b": 0.25})
    assert shares(stretches, 2.0, 3.0, now=2.25) == pytest.approx({"a": 0.25})
    assert shares(stretches, -1.0, 0.0, now=9.0) == {}


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 10), st.floats(0, 5))
def test_shares_never_exceed_the_cell(bounds: list[float], start: float, length: float) -> None:
    edges = sorted(bounds)
    stretches = [Stretch(f"s{i % 3}", a, b) for i, (a, b) in enumerate(itertools.pairwise(edges))]
    held = shares(stretches, start, start + length, now=100.0)
    assert sum(held.values()) <= length + 1e-9
    assert all(share > 0 for share in held.values())


@pytest.mark.parametrize(
    ("values", "fraction", "expected"),
    [
        ([5.0], 0.99, 5.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_quantiles_by_nearest_rank(values: list[float], fraction: float, expected: float) -> None:
    assert quantile(values, fraction) == expected
