"""However far ahead changes are told, and in whatever steps time passes: the same advice."""

from __future__ import annotations

from functools import cache
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.routing.advisor import Advisor
from emotion_service.routing.rule_file import load
from emotion_service.types import (
    Advice,
    Cue,
    CueKind,
    CuePhase,
    Party,
    Sound,
    SpeechActivity,
    Trend,
)
from tests.routing.script import advisor, config, cue, samples, trend

SECONDS = 400
RULES = load()
CALL = config(Party.CUSTOMER, Party.AGENT, queue="support")
KINDS = (CueKind.AGITATED, CueKind.HAPPY, CueKind.URGENT, CueKind.CURT, CueKind.TALK_OVER)


def course(chance: Random) -> list[Cue | Trend]:
    """States, cues that come and go, and trends, in order."""
    events: list[Cue | Trend] = [trend(at, arousal=chance.random()) for at in range(5, SECONDS, 5)]
    for kind in KINDS:
        at = 0.0
        while (at := at + chance.uniform(1, 80)) < SECONDS:
            events.append(cue(round(at, 2), kind))
            at += chance.uniform(1, 80)
            events.append(cue(round(at, 2), kind, CuePhase.OFFSET))
    return sorted(events, key=time_of)


def time_of(event: Cue | Trend) -> int:
    return event.at if isinstance(event, Trend) else event.decided


def changes(chance: Random) -> list[tuple[int, str, str]]:
    """(at, what, value): attributes, and speech of legs."""
    names = ("queue", "ivr_step", "agent_id", "speaks")
    values = {"speaks": ("customer", "agent")}
    made = [
        (samples(chance.uniform(0, SECONDS)), name, chance.choice(values.get(name, ("", "x"))))
        for name in names
        for _ in range(6)
    ]
    return sorted(made)


def tell(made: Advisor, change: tuple[int, str, str]) -> None:
    at, name, value = change
    if name == "speaks":
        made.hear(SpeechActivity(value, 0, Sound.SPEECH, at, at))
    else:
        made.attribute(at, name, value)


def advised(seed: int, lead: Random | None) -> list[Advice]:
    """Changes are told up to a minute ahead, and time passes in steps, by `lead`."""
    chance = Random(seed)
    events, ahead = course(chance), changes(chance)
    made, said, passed = advisor(RULES, CALL), [], 0
    for event in [*events, None]:
        at = samples(SECONDS + 1) if event is None else time_of(event)
        while ahead and ahead[0][0] <= at + (lead.randrange(480_000) if lead else 0):
            tell(made, ahead.pop(0))
        while lead and lead.random() < 0.6:
            passed = lead.randint(passed, at) if passed <= at else at
            said += made.advance(passed)
        said += made.observe(event) if event else made.end(at)
    return said


@cache
def at_once(seed: int) -> list[Advice]:
    return advised(seed, None)


def test_there_is_something_to_differ_in() -> None:
    assert {each.rule for seed in range(6) for each in at_once(seed)} >= {
        "upset-in-queue",
        "urgent-and-waiting",
        "bot-loses-customer",
        "talks-over-the-bot",
    }


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5), st.integers(0, 1 << 32))
def test_neither_lead_nor_steps_change_the_advice(seed: int, lead: int) -> None:
    expected = at_once(seed)
    assert advised(seed, Random(lead)) == expected
