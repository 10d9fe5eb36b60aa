"""The scripted call is as busy as it claims, and the same every time."""

from __future__ import annotations

from collections import Counter

from benchmarks.rules import FRAME, Cost, measured, played, script
from emotion_service.routing.rule_file import load
from emotion_service.routing.ruleset import NO_RULES
from emotion_service.types import Cue, CuePhase, SpeechActivity, Trend


def test_the_call_is_as_busy_as_it_claims() -> None:
    told = script(10)
    assert all(frontier % FRAME == 0 for frontier in told)
    events = Counter(type(event) for at in told.values() for event in at)
    assert 39 <= events[Cue] / 10 <= 45
    assert 29 <= events[SpeechActivity] / 10 <= 30
    assert 11 <= events[Trend] / 10 <= 12
    assert events[tuple] == 20
    phases = {event.phase for at in told.values() for event in at if isinstance(event, Cue)}
    assert phases == set(CuePhase)


def test_the_shipped_rules_have_something_to_say_and_none_have_not() -> None:
    told = script(10)
    assert played(load(), told, 10) == played(load(), script(10), 10) > 20
    assert played(NO_RULES, told, 10) == 0


def test_the_cost_is_of_a_second_of_the_call() -> None:
    cost = measured(load(), 1)
    assert isinstance(cost, Cost)
    assert (cost.rules, cost.minutes) == (8, 1)
    assert 0 < cost.microseconds < 5000
