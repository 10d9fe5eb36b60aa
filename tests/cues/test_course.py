"""The course of a call: cues of all legs, numbered, in the order of the call's own time."""

from __future__ import annotations

import pytest

from emotion_service.cues.course import Course
from emotion_service.cues.summary import LegEnd
from emotion_service.types import (
    CallSummary,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    EndReason,
    Indices,
    Party,
    Permit,
    Placement,
    Probabilities,
    Quality,
    Sound,
    SpeechActivity,
    StateTime,
    Trend,
)

HANGOVER = 2400
LEGS = ("customer", "agent")
ANGRY = Probabilities(anger=0.94, happiness=0.02, sadness=0.02, neutral=0.02)
PERMITS = {leg: Permit(leg, Party.CUSTOMER, True, Consent.GRANTED) for leg in LEGS}
Told = tuple[str, CueKind, CuePhase, int, int]


def score(end: int, leg: str = "customer") -> EmotionScore:
    return EmotionScore(
        permit=PERMITS[leg],
        sequence=end // 4000,
        start=max(0, end - 32_000),
        end=end,
        evidence=16_000,
        quality=Quality(),
        model_version="test-1",
        probabilities=ANGRY,
        indices=Indices(0.9, 0.1),
        provisional=False,
        abstain=None,
        reasons=(),
    )


def sound(leg: str, sound: Sound, start: int, decided: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, sound, start, decided)


def told(cues: list[Cue]) -> list[Told]:
    return [(cue.leg, cue.kind, cue.phase, cue.start, cue.end) for cue in cues]


def opened(*legs: str) -> Course:
    course = Course(LEGS, HANGOVER)
    for leg in legs:
        course.open(leg)
    return course


def advanced(course: Course, upto: int, *events: EmotionScore | SpeechActivity) -> list[Cue]:
    """Both legs are decided up to here, and these events are known; what is told but trends."""
    for event in events:
        course.add(event)
    for leg in LEGS:
        course.decided(leg, upto)
    return cues(course.advance())


def cues(events: list[Cue | Trend]) -> list[Cue]:
    return [event for event in events if isinstance(event, Cue)]


def agitated(course: Course) -> list[Cue]:
    """The customer is, from 4000 on; told by 8000."""
    return advanced(course, 8000, score(4000), score(8000))


ONSET_OF_NOTHING = ("customer", CueKind.INSUFFICIENT_EVIDENCE, CuePhase.ONSET, 0, 4000)
OFFSET_OF_NOTHING = ("customer", CueKind.INSUFFICIENT_EVIDENCE, CuePhase.OFFSET, 0, 4000)
ONSET_OF_ANGER = ("customer", CueKind.AGITATED, CuePhase.ONSET, 4000, 8000)


def summarised(course: Course) -> CallSummary:
    ends = [LegEnd(leg, Party.CUSTOMER, Placement(), 0, None) for leg in LEGS]
    return course.summary(24_000, EndReason.COMPLETED, "test-1", ends)


# --- states -----------------------------------------------------------------------------------


def test_scores_of_an_open_leg_become_its_state() -> None:
    course = opened("customer")
    assert course.state("customer") is None
    heard = agitated(course)
    assert told(heard) == [ONSET_OF_NOTHING, OFFSET_OF_NOTHING, ONSET_OF_ANGER]
    assert [cue.sequence for cue in heard] == [0, 1, 2]
    assert course.state("customer") == heard[2]
    assert course.state("agent") is None


def test_scores_of_a_leg_that_is_not_open_are_counted_and_no_more() -> None:
    course = opened("agent")
    assert agitated(course) == []
    assert course.end(8000) == []
    assert summarised(course).legs[0].scores == 2


def test_a_leg_that_is_shut_leaves_its_state() -> None:
    course = opened("customer")
    agitated(course)
    (offset,) = course.shut("customer", 9000)
    assert told([offset]) == [("customer", CueKind.AGITATED, CuePhase.OFFSET, 4000, 9000)]
    assert offset.sequence == 3
    assert course.state("customer") is None
    assert course.shut("customer", 9000) == []
    assert advanced(course, 12_000, score(12_000)) == []


def test_a_leg_that_is_opened_again_starts_anew() -> None:
    course = opened("customer")
    agitated(course)
    course.shut("customer", 9000)
    course.open("customer")
    (onset,) = advanced(course, 12_000, score(12_000))
    assert (onset.kind, onset.phase) == (CueKind.INSUFFICIENT_EVIDENCE, CuePhase.ONSET)
    assert onset.sequence == 4


def test_a_score_that_was_still_waiting_does_not_reach_the_next_person() -> None:
    course = opened("customer")
    course.add(score(4000))
    course.decided("customer", 4000)
    assert course.advance() == []  # the agent's leg is not that far yet
    course.shut("customer", 4000)
    course.open("customer")
    assert advanced(course, 8000) == []


# --- order ------------------------------------------------------------------------------------


def test_a_score_on_its_way_holds_what_comes_after_it() -> None:
    course = opened(*LEGS)
    course.expect("agent", 4000)
    assert agitated(course) == []
    course.resolved("agent", 4000)  # it was dropped
    assert told(cues(course.advance())) == [ONSET_OF_NOTHING, OFFSET_OF_NOTHING, ONSET_OF_ANGER]


def test_cues_of_all_legs_share_one_numbering() -> None:
    course = opened(*LEGS)
    cues = advanced(
        course, 8000, score(8000), score(4000, "agent"), score(4000), score(8000, "agent")
    )
    assert [cue.leg for cue in cues] == ["customer", "agent", *["customer"] * 2, *["agent"] * 2]
    assert [cue.sequence for cue in cues] == list(range(6))


def talk_over(course: Course, start: int) -> list[Cue]:
    """Both speak from `start` on; the agent began first."""
    speech = (sound("agent", Sound.SPEECH, start - 800, start - 320),)
    breaks_in = (sound("customer", Sound.SPEECH, start, start + 480),)
    return advanced(course, start + 480, *speech, *breaks_in)


@pytest.mark.parametrize(
    ("start", "order"),
    [
        (82_400, [CueKind.TALK_OVER, CueKind.AGITATED, CueKind.INSUFFICIENT_EVIDENCE]),
        (82_401, [CueKind.TALK_OVER, CueKind.AGITATED, CueKind.INSUFFICIENT_EVIDENCE]),
        (82_402, [CueKind.AGITATED, CueKind.INSUFFICIENT_EVIDENCE, CueKind.TALK_OVER]),
    ],
)
def test_what_falls_due_is_told_in_the_order_of_its_time(start: int, order: list[CueKind]) -> None:
    """A mood is forgotten after 10 s without a score, at 88,001; a talk-over is told 400 ms and
    the hangover after its start."""
    course = opened("customer")
    agitated(course)
    assert talk_over(course, start) == []
    cues = advanced(course, 200_000)
    assert [cue.kind for cue in cues] == order
    assert [cue.sequence for cue in cues] == [3, 4, 5]


def test_however_far_the_time_jumps_the_cues_are_the_same() -> None:
    at_once, step_by_step = opened("customer"), opened("customer")
    for course in (at_once, step_by_step):
        agitated(course)
        talk_over(course, 40_000)
    cues = [cue for upto in range(40_480, 100_000, 160) for cue in advanced(step_by_step, upto)]
    assert advanced(at_once, 100_000) == cues
    assert len(cues) == 3


def test_talking_over_is_no_state() -> None:
    course = opened("customer")
    state = agitated(course)[-1]
    talk_over(course, 16_000)
    (onset,) = advanced(course, 24_000)
    assert told([onset]) == [("customer", CueKind.TALK_OVER, CuePhase.ONSET, 16_000, 19_200)]
    assert course.state("customer") == state


# --- the end ----------------------------------------------------------------------------------


def test_the_end_tells_what_waited_and_ends_what_lasted() -> None:
    course = opened("customer")
    agitated(course)
    talk_over(course, 16_000)
    course.add(score(16_400))  # the agent's leg never got that far
    cues = course.end(24_000)
    assert told(cues) == [
        ("customer", CueKind.TALK_OVER, CuePhase.ONSET, 16_000, 19_200),
        ("customer", CueKind.TALK_OVER, CuePhase.OFFSET, 16_000, 24_000),
        ("customer", CueKind.AGITATED, CuePhase.OFFSET, 4000, 24_000),
    ]
    assert [cue.sequence for cue in cues] == [3, 4, 5]
    assert course.state("customer") is None


def test_the_summary_holds_what_was_told() -> None:
    course = opened("customer")
    agitated(course)
    talk_over(course, 16_000)
    course.end(24_000)
    summary = summarised(course)
    assert (summary.duration, summary.end_reason) == (24_000, EndReason.COMPLETED)
    assert summary.talk_overs == 1
    assert set(summary.states) == {
        StateTime("customer", CueKind.INSUFFICIENT_EVIDENCE, 1, 4000),
        StateTime("customer", CueKind.AGITATED, 1, 20_000),
    }
    customer, agent = summary.legs
    assert (customer.speech, agent.speech) == (8000, 8800)
    assert (customer.scores, agent.scores) == (2, 0)
