"""Which mood an onset counts for, and what the rates are of; by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.alarm_calls import Stretch
from benchmarks.alarm_scores import PERMIT
from benchmarks.manners import HOUR, Heard, heard, mood_at, rates, together, usual
from emotion_service.types import (
    CallEvent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    Indices,
    Probabilities,
    Quality,
)

STRETCHES = (Stretch("neutral", 100, 200), Stretch("anger", 300, 350))
CURT = Cue(
    leg="customer",
    sequence=0,
    kind=CueKind.CURT,
    phase=CuePhase.ONSET,
    start=310,
    end=320,
    decided=320,
    confidence=0.0,
    evidence=0,
    abstain=None,
    reasons=(),
    quality=Quality(),
    model_version="",
)
SCORE = EmotionScore(
    permit=PERMIT,
    sequence=0,
    start=0,
    end=100,
    evidence=100,
    quality=Quality(),
    model_version="",
    probabilities=Probabilities(0.5, 0.2, 0.1, 0.2),
    indices=Indices(0.7, 0.1),
    provisional=False,
    abstain=None,
    reasons=(),
)


@pytest.mark.parametrize(
    ("at", "mood"),
    [(0, "neutral"), (100, "neutral"), (250, "neutral"), (300, "anger"), (999, "anger")],
)
def test_what_comes_after_a_stretch_counts_for_it(at: int, mood: str) -> None:
    assert mood_at(at, STRETCHES) == mood


def test_onsets_alone_count_and_firm_scores_of_calm_speech_with_an_opinion() -> None:
    told: list[CallEvent] = [
        CURT,
        replace(CURT, phase=CuePhase.UPDATE),
        replace(CURT, kind=CueKind.URGENT, start=150),
        replace(CURT, kind=CueKind.AGITATED),
        SCORE,
        replace(SCORE, end=310),  # the last of it is angry
        replace(SCORE, start=310, end=900),
        replace(SCORE, provisional=True),
        replace(SCORE, probabilities=None, indices=None),
    ]
    of = heard(told, STRETCHES)
    assert of.samples == {"neutral": 100, "anger": 50}
    assert of.onsets == {("anger", CueKind.CURT): 1, ("neutral", CueKind.URGENT): 1}
    assert of.opinions == ((0.7, 0.5),)


def test_rates_are_onsets_an_hour_of_the_mood() -> None:
    call = Heard(
        Counter(anger=HOUR // 4, sadness=HOUR), Counter({("anger", CueKind.CURT): 3}), ((0.5, 0.1),)
    )
    both = together([call, replace(call, opinions=((0.7, 0.5),))])
    assert rates(both) == {
        "anger": {"hours": 0.5, "urgent": 0.0, "curt": 12.0},
        "sadness": {"hours": 2.0, "urgent": 0.0, "curt": 0.0},
    }
    assert usual(both)["arousal"] == pytest.approx((0.6, 0.1))
    assert usual(both)["anger"] == pytest.approx((0.3, 0.2))
