"""Trends: when they are told, and what they say, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.trend import Drift, Trends
from emotion_service.types import (
    Abstain,
    Consent,
    CueKind,
    EmotionScore,
    Indices,
    LegTrend,
    Party,
    Permit,
    Probabilities,
    Quality,
    Trend,
)

STEP = 40_000
LEGS = ("customer", "agent")
PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
SHARES = {"customer": 0.25, "agent": 0.75}


def score(end: int, arousal: float | None, valence: float = 0.5) -> EmotionScore:
    return EmotionScore(
        permit=PERMIT,
        sequence=0,
        start=max(0, end - 32_000),
        end=end,
        evidence=16_000,
        quality=Quality(),
        model_version="test",
        probabilities=None if arousal is None else Probabilities(0.25, 0.25, 0.25, 0.25),
        indices=None if arousal is None else Indices(arousal, valence),
        provisional=False,
        abstain=Abstain.NON_SPEECH if arousal is None else None,
        reasons=(),
    )


def trends(urgency: float | None = None, curtness: float | None = None) -> Trends:
    known = {CueKind.URGENT: urgency, CueKind.CURT: curtness}
    return Trends(LEGS, lambda legs, at: SHARES, lambda leg, kind: known[kind])


def test_they_lie_on_a_grid_of_five_seconds() -> None:
    told = trends()
    assert told.latest is None
    assert told.due == STEP + 1
    assert told.advance(STEP) == []  # what is decided at that very sample still counts
    assert [trend.at for trend in told.advance(STEP + 1)] == [STEP]
    assert [trend.at for trend in told.advance(4 * STEP)] == [2 * STEP, 3 * STEP]
    assert told.due == 4 * STEP + 1
    assert told.latest is not None and told.latest.at == 3 * STEP


def test_of_a_leg_that_is_not_scored_the_share_is_all() -> None:
    told = trends(0.5, 0.5)
    told.observe(score(4000, 0.9))
    (trend,) = told.advance(STEP + 1)
    assert trend == Trend(STEP, (LegTrend("customer", 0.25), LegTrend("agent", 0.75)))


def test_a_scored_leg_has_indices() -> None:
    told = trends(0.4, None)
    told.open("customer")
    for end, arousal, valence in ((4000, 0.25, 0.5), (8000, 0.75, 0.25)):
        told.observe(score(end, arousal, valence))
    told.observe(score(12_000, None))
    (trend,) = told.advance(STEP + 1)
    assert trend.legs[0] == LegTrend("customer", 0.25, 0.5, 0.375, None, 0.4, None)


def test_a_leg_that_is_shut_takes_what_was_known_with_it() -> None:
    told = trends(0.4, 0.4)
    told.open("customer")
    told.observe(score(4000, 0.5))
    told.advance(STEP + 1)
    told.shut("customer")
    plain = Trend(STEP, (LegTrend("customer", 0.25), LegTrend("agent", 0.75)))
    assert told.latest == plain
    told.open("customer")  # somebody else
    (trend,) = told.advance(2 * STEP + 1)
    assert trend.legs[0] == LegTrend("customer", 0.25, None, None, None, 0.4, 0.4)


def drift(*arousals: float | None) -> Drift:
    """One score, or none, in each step of 5 s."""
    drift = Drift()
    for number, arousal in enumerate(arousals):
        if arousal is not None:
            drift.observe(score(number * STEP + 4000, arousal))
        drift.step()
    return drift


def test_arousal_is_the_mean_of_fifteen_seconds() -> None:
    assert drift(0.9, 0.25, 0.5, 0.75).lately() == (0.5, 0.5)
    assert drift(0.9, 0.25, None, 0.75).lately() == (0.5, 0.5)
    assert drift(0.9, None, None).lately()[0] == 0.9
    assert drift(0.9, None, None, None).lately() == (None, None)


@pytest.mark.parametrize(
    ("arousals", "slope"),
    [
        ((0.5,) * 6, None),  # only 25 s from the first to the last
        ((0.5,) * 7, 0.0),
        ((0.25, 0.25, 0.25, None, 0.75, 0.75, 0.75), 9 / 7),
        (tuple(number / 16 for number in range(12)), 0.75),
        ((0.0, *(number / 16 for number in range(12))), 0.75),  # what is older does not count
        ((None,) * 12, None),
    ],
)
def test_the_slope_is_that_of_the_last_minute(
    arousals: tuple[float | None, ...], slope: float | None
) -> None:
    """In the third case: steps -3, -2, -1, 1, 2, 3 are 0.25 below and above, 3/28 a step."""
    assert drift(*arousals).slope() == (slope if slope is None else pytest.approx(slope))


@given(st.lists(st.none() | st.floats(0.0, 1.0), min_size=12, max_size=30), st.floats(0.0, 0.5))
def test_a_slope_knows_no_level(arousals: list[float | None], more: float) -> None:
    shifted = [None if arousal is None else arousal + more for arousal in arousals]
    before, after = drift(*arousals).slope(), drift(*shifted).slope()
    assert (before is None) == (after is None)
    assert before is None or before == pytest.approx(after, abs=1e-9)


@given(st.lists(st.integers(1, 60_000), max_size=20))
def test_however_the_time_passes_the_trends_are_the_same(steps: list[int]) -> None:
    told, at = trends(), 0
    heard = []
    for step in steps:
        at += step
        heard += told.advance(at)
    assert heard == trends().advance(at)
