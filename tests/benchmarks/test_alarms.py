"""Which onset counts for what, and what the figures are of; by hand."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks import alarm_figures
from benchmarks.alarm_calls import Stretch
from benchmarks.alarm_figures import (
    ENOUGH,
    Outcome,
    Point,
    by_corpus,
    curve,
    figures,
    outcome,
    told_agitated,
)
from benchmarks.alarm_scores import PERMIT, ScoredCall
from benchmarks.alarms import curve_table, moods, table, verdicts
from emotion_service.cues.states import DEFAULT_RULES
from emotion_service.types import EmotionScore, Indices, Probabilities, Quality

SECOND = 8000
ANGRY, CALM = Probabilities(0.9, 0.05, 0.025, 0.025), Probabilities(0.05, 0.025, 0.025, 0.9)


def score(end: int, heard: Probabilities) -> EmotionScore:
    return EmotionScore(
        permit=PERMIT,
        sequence=0,
        start=max(0, end - 16_000),
        end=end,
        evidence=16_000,
        quality=Quality(),
        model_version="",
        probabilities=heard,
        indices=Indices(0.5, 0.5),
        provisional=False,
        abstain=None,
        reasons=(),
    )


@pytest.fixture
def call() -> ScoredCall:
    """A minute, of which 20 to 28 s are angry and 5 s from 50 on are taken for it."""
    angry = [(20, 28), (50, 55)]
    ends = range(2 * SECOND, 60 * SECOND, SECOND // 2)
    scores = tuple(
        score(end, ANGRY if any(a < end / SECOND <= b for a, b in angry) else CALM) for end in ends
    )
    stretches = (
        Stretch("neutral", SECOND, 20 * SECOND),
        Stretch("anger", 20 * SECOND, 28 * SECOND),
        Stretch("happiness", 29 * SECOND, 59 * SECOND),
    )
    return ScoredCall("ann", "tiny", 60 * SECOND, stretches, scores)


def test_it_is_told_with_the_second_angry_score(call: ScoredCall) -> None:
    """And as over when no evidence is left, with the third calm score and the second."""
    assert told_agitated(call, DEFAULT_RULES) == [
        (21 * SECOND, 29.5 * SECOND),
        (51 * SECOND, 56.5 * SECOND),
    ]


def test_an_onset_counts_for_the_episode_it_is_told_in(call: ScoredCall) -> None:
    """Calm are 60 s less the 8 of the episode and the 2 of its grace."""
    assert outcome(call, DEFAULT_RULES) == Outcome(
        "ann", "tiny", 50.0, 5.5, Counter(happiness=1), (1.0,)
    )


@pytest.mark.parametrize(
    ("told", "delays", "alarms"),
    [
        ([160_000], (0.0,), Counter()),
        ([159_999], (None,), Counter(neutral=1)),
        ([240_000], (10.0,), Counter()),
        ([240_001], (None,), Counter(happiness=1)),
        ([180_000, 200_000], (2.5,), Counter()),
        ([232_000, 400_000, 100_000], (9.0,), Counter(happiness=1, neutral=1)),
    ],
)
def test_grace(
    call: ScoredCall,
    told: list[int],
    delays: tuple[float | None, ...],
    alarms: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spans = [(at, at + SECOND) for at in told]
    monkeypatch.setattr(alarm_figures, "told_agitated", lambda call, rules: spans)
    found = outcome(call, DEFAULT_RULES)
    assert (found.delays, found.alarms) == (delays, alarms)


def test_what_is_shown_outside_of_the_episode_is_counted(
    call: ScoredCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = [(19 * SECOND, 21 * SECOND), (29 * SECOND, 33 * SECOND), (40 * SECOND, 41 * SECOND)]
    monkeypatch.setattr(alarm_figures, "told_agitated", lambda call, rules: spans)
    assert outcome(call, DEFAULT_RULES).shown == 1 + 3 + 1


CALLS = [
    Outcome("ann", "one", 1800.0, 90.0, Counter(happiness=2), (1.0, None)),
    Outcome("ann", "one", 1800.0, 54.0, Counter(neutral=1), (2.0, 3.0)),
    Outcome("bob", "two", 3600.0, 0.0, Counter(), (None, 6.0)),
]


def test_figures() -> None:
    found = figures(CALLS)
    assert (found.speakers, found.hours, found.episodes) == (2, 2.0, 6)
    assert found.alarms == {"happiness": 2, "neutral": 1}
    # Two speakers are drawn with replacement: ann alone is the one extreme, bob alone the other.
    of = found.alarms_an_hour
    assert (of.value, of.low, of.high) == (1.5, 0.0, 3.0)
    assert (found.shown.value, found.shown.low, found.shown.high) == (0.02, 0.0, 0.04)
    assert (found.recall.value, found.recall.low, found.recall.high) == (4 / 6, 0.5, 0.75)
    assert (found.delay_median.value, found.delay_median.low) == (2.5, 2.0)
    assert found.delay_90.value == pytest.approx(5.1)


def test_where_nothing_was_told_there_is_no_delay() -> None:
    silent = [replace(CALLS[0], delays=(None,)), CALLS[2]]
    assert figures(silent).delay_median.value == 6.0
    assert math.isnan(alarm_figures.delay(silent[:1], 50))


def test_the_curve_sweeps_what_is_enough(call: ScoredCall) -> None:
    points = curve([call], DEFAULT_RULES)
    assert [point.enough for point in points] == list(ENOUGH)
    assert points[0] == Point(0.25, 72.0, 1.0, 1.0, 1.0)
    # Each angry score adds 2.25: for 6.0 a third is needed.
    assert [point.delay_median for point in points] == [
        pytest.approx(0.5 * max(2, math.ceil(enough / 2.25))) for enough in ENOUGH
    ]


def test_calls_are_grouped_by_corpus(call: ScoredCall) -> None:
    other = replace(call, corpus="other")
    assert by_corpus([call, other], "all") == {
        "all": [call, other],
        "tiny": [call],
        "other": [other],
    }


def points(*found: tuple[float, float]) -> list[Point]:
    return [Point(1.0, alarms, recall, 2.0, 4.0) for alarms, recall in found]


@pytest.mark.parametrize(
    ("pooled", "emodb", "kept"),
    [
        (points((12.0, 0.7)), points((2.0, 0.7)), [True, True]),
        (points((13.0, 0.9), (11.0, 0.69)), points((2.1, 0.7)), [False, False]),
        (points((20.0, 0.9), (12.0, 0.71)), points((1.0, 0.5)), [True, False]),
    ],
)
def test_alarms_are_judged_at_seventy_per_cent_of_the_episodes(
    pooled: list[Point], emodb: list[Point], kept: list[bool]
) -> None:
    found = verdicts({"all": figures(CALLS)}, {"all": pooled, "emodb": emodb})
    assert list(found.values()) == [*kept, True, False]  # median 2.5 s, 90 % 5.1 s
    assert list(found) == [
        "all: at most 12 false alarms an hour at 70% recall",
        "emodb: at most 2 false alarms an hour at 70% recall",
        "cue after at most 3 s (median)",
        "cue after at most 5 s (90 %)",
    ]


def test_without_emodb_nothing_is_said_of_it() -> None:
    assert len(verdicts({"all": figures(CALLS)}, {"all": points((1.0, 1.0))})) == 3


def test_the_tables_have_a_row_a_corpus_and_a_row_a_threshold() -> None:
    shown = table({"all": figures(CALLS)})
    cells = [list(column.cells) for column in shown.columns]
    assert cells == [
        ["all"],
        ["2.0"],
        ["6"],
        ["1.5\n0.0–3.0"],
        ["2%"],
        ["0.67\n0.50–0.75"],
        ["2.5\n2.0–6.0"],
        ["5.1\n3.0–6.0"],
    ]
    assert moods(figures(CALLS)) == "happiness 2, neutral 1"
    assert moods(figures(CALLS[2:])) == "none"
    below = curve_table({"all": points((12.0, 0.7))})
    assert [list(column.cells) for column in below.columns] == [["1.00"], ["12.0 at 70%"]]
