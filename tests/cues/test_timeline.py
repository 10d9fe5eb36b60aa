"""Both legs' events come out in the call's own order, whenever the scores come back."""

from __future__ import annotations

import pytest

from emotion_service.cues.timeline import PATIENCE, Moment, TimedEvent, Timeline
from emotion_service.types import (
    Abstain,
    Consent,
    EmotionScore,
    Party,
    Permit,
    Quality,
    Sound,
    SpeechActivity,
)

LEGS = ("customer", "agent")


def activity(leg: str, decided: int, sequence: int = 0) -> SpeechActivity:
    return SpeechActivity(leg, sequence, Sound.SPEECH, max(0, decided - 480), decided)


def score(leg: str, end: int, sequence: int = 0) -> EmotionScore:
    return EmotionScore(
        permit=Permit(leg, Party.CUSTOMER, True, Consent.GRANTED),
        sequence=sequence,
        start=max(0, end - 8000),
        end=end,
        evidence=0,
        quality=Quality(),
        model_version="test",
        probabilities=None,
        indices=None,
        provisional=False,
        abstain=Abstain.TOO_LITTLE_SPEECH,
        reasons=(),
    )


def decide(timeline: Timeline, customer: int, agent: int) -> list[TimedEvent]:
    timeline.decided("customer", customer)
    timeline.decided("agent", agent)
    return [moment.event for moment in timeline.advance()]


# --- one rule at a time -----------------------------------------------------------------------


def test_events_wait_until_every_leg_is_decided() -> None:
    timeline = Timeline(LEGS)
    timeline.add(activity("customer", 1000))
    assert decide(timeline, 1600, 999) == []
    assert timeline.frontier == 999
    assert decide(timeline, 1600, 1000) == [activity("customer", 1000)]
    assert timeline.frontier == 1000


def test_order_at_one_instant_is_leg_then_scores_then_sequence() -> None:
    timeline = Timeline(LEGS)
    timeline.expect("agent", 800)
    expected: list[TimedEvent] = [
        score("customer", 800),
        activity("customer", 800, 4),
        activity("customer", 800, 5),
        score("agent", 800),
        activity("agent", 800),
    ]
    for event in reversed(expected):
        timeline.add(event)
    timeline.resolved("agent", 800)
    assert decide(timeline, 800, 800) == expected
    assert timeline.late == 0


def test_decided_never_goes_back() -> None:
    timeline = Timeline(LEGS)
    decide(timeline, 2000, 2000)
    decide(timeline, 1000, 1000)
    assert timeline.frontier == 2000


def test_a_missing_leg_holds_the_other_for_500_ms() -> None:
    timeline = Timeline(LEGS)
    timeline.add(activity("customer", 480))
    timeline.decided("customer", 480 + PATIENCE - 1)
    assert timeline.advance() == []
    timeline.decided("customer", 480 + PATIENCE)
    assert timeline.advance() == [Moment(480, activity("customer", 480))]
    assert timeline.frontier == 480


def test_a_score_on_its_way_holds_without_limit() -> None:
    timeline = Timeline(LEGS)
    timeline.expect("customer", 8000)
    timeline.add(activity("agent", 7999))
    timeline.add(activity("agent", 8001, 1))
    assert decide(timeline, 80_000, 80_000) == [activity("agent", 7999)]
    assert timeline.frontier == 7999
    timeline.resolved("customer", 8000)
    timeline.add(score("customer", 8000))
    assert timeline.advance() == [
        Moment(8000, score("customer", 8000)),
        Moment(8001, activity("agent", 8001, 1)),
    ]
    assert timeline.frontier == 80_000


def test_a_dropped_score_lets_go() -> None:
    timeline = Timeline(LEGS)
    timeline.expect("customer", 8000)
    assert decide(timeline, 9000, 9000) == []
    timeline.resolved("customer", 8000)
    assert timeline.advance() == []
    assert timeline.frontier == 9000


def test_scores_come_out_in_order_though_they_return_in_another() -> None:
    timeline = Timeline(LEGS)
    for end in (4000, 8000, 12_000):
        timeline.expect("customer", end)
    decide(timeline, 12_000, 12_000)
    for end in (12_000, 8000):
        timeline.resolved("customer", end)
        timeline.add(score("customer", end))
        assert timeline.advance() == []
    timeline.resolved("customer", 4000)
    timeline.add(score("customer", 4000))
    assert [moment.at for moment in timeline.advance()] == [4000, 8000, 12_000]
    assert timeline.late == 0


def test_what_was_never_expected_cannot_be_resolved() -> None:
    timeline = Timeline(LEGS)
    with pytest.raises(KeyError):
        timeline.resolved("customer", 4000)


def test_late_events_are_released_next_in_the_order_of_coming_and_counted() -> None:
    timeline = Timeline(LEGS)
    timeline.decided("customer", 10_000)
    timeline.advance()
    assert timeline.frontier == 6000
    timeline.add(activity("agent", 5000))
    timeline.expect("agent", 4000)
    timeline.add(activity("agent", 6001, 1))
    timeline.decided("agent", 6500)
    assert timeline.advance() == []  # all of these stand behind 6000, where the score is awaited
    assert timeline.frontier == 6000
    timeline.resolved("agent", 4000)
    timeline.add(score("agent", 4000))
    assert timeline.advance() == [
        Moment(6000, activity("agent", 5000)),
        Moment(6000, score("agent", 4000)),
        Moment(6001, activity("agent", 6001, 1)),
    ]
    assert timeline.late == 2


def test_flush_releases_the_rest_in_order() -> None:
    timeline = Timeline(LEGS)
    timeline.add(activity("agent", 900))
    timeline.add(activity("customer", 1000))
    timeline.decided("customer", 2000)
    assert timeline.advance() == []
    assert timeline.flush() == [
        Moment(900, activity("agent", 900)),
        Moment(1000, activity("customer", 1000)),
    ]
    assert timeline.frontier == 2000
    assert timeline.flush() == []


def test_an_event_at_the_time_already_reached_is_late() -> None:
    timeline = Timeline(LEGS)
    timeline.decided("customer", 10_000)
    timeline.advance()
    timeline.add(activity("agent", 6000))
    timeline.add(activity("agent", 6001))
    assert timeline.late == 1
