"""The course of a call: cues of all legs, numbered, in the order of the call's own time."""

from __future__ import annotations

from dataclasses import replace
from random import Random

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
    LegTrend,
    NotScored,
    Party,
    Permit,
    Placement,
    Probabilities,
    Quality,
    Reason,
    Sound,
    SpeechActivity,
    StateTime,
    Trend,
)

HANGOVER, LAG = 2400, 800
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
    course = Course(LEGS, HANGOVER, LAG)
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
    (offset,) = cues(course.shut("customer", 9000))
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
    ended = cues(course.end(24_000))
    assert told(ended) == [
        ("customer", CueKind.TALK_OVER, CuePhase.ONSET, 16_000, 19_200),
        ("customer", CueKind.TALK_OVER, CuePhase.OFFSET, 16_000, 24_000),
        ("customer", CueKind.AGITATED, CuePhase.OFFSET, 4000, 24_000),
    ]
    assert [cue.sequence for cue in ended] == [3, 4, 5]
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


# --- manners, trends, hand-over ---------------------------------------------------------------

HARSH = (("brightness", 4.0), ("pitch_range", -4.0), ("pace", 0.0))


def harsh(end: int, harshness: float = 1.0) -> EmotionScore:
    """Brighter and narrower than is usual, and angry; 0: as usual."""
    shifts = tuple(
        Reason(name, 5.0 + harshness * shift, 5.0, "", harshness * shift, True, "")
        for name, shift in HARSH
    )
    anger = 0.02 + 0.9 * harshness
    probabilities = Probabilities(anger, 0.02, 0.02, 0.96 - anger)
    return replace(
        score(end), shifts=shifts, probabilities=probabilities, indices=Indices(anger, 0.3)
    )


def curt(course: Course) -> list[Cue | Trend]:
    """A minute as usual, then half a one harsh, in one go."""
    for end in range(4000, 720_001, 4000):
        course.add(harsh(end, float(end > 480_000)))
    for leg in LEGS:
        course.decided(leg, 720_000)
    return course.advance()


def test_a_manner_lasts_beside_the_state_and_ends_with_the_scoring() -> None:
    course = opened("customer")
    told_ = cues(curt(course))
    (onset,) = [cue for cue in told_ if (cue.kind, cue.phase) == (CueKind.CURT, CuePhase.ONSET)]
    (latest,) = course.further("customer")
    assert (latest.kind, latest.phase, latest.start) == (CueKind.CURT, CuePhase.UPDATE, onset.start)
    state, offset = cues(course.shut("customer", 724_000))
    assert state.phase is CuePhase.OFFSET
    assert told([offset]) == [
        ("customer", CueKind.CURT, CuePhase.OFFSET, onset.start, 724_000),
    ]
    assert course.further("customer") == ()


def test_trends_stand_among_the_cues_by_their_time() -> None:
    course = opened("customer")
    events = curt(course)
    trends = [event for event in events if isinstance(event, Trend)]
    assert [trend.at for trend in trends] == list(range(40_000, 720_000, 40_000))
    assert course.trend == trends[-1]
    times = [event.at if isinstance(event, Trend) else event.decided for event in events]
    assert times == sorted(times)
    (calm, harsh_) = (trends[11].legs[0], trends[-1].legs[0])
    assert calm.arousal == pytest.approx(0.02)
    assert calm.arousal_slope == pytest.approx(0.0)
    assert calm.curtness == pytest.approx(0.0, abs=0.01)
    assert harsh_.arousal == pytest.approx(0.92)
    assert harsh_.curtness is not None and harsh_.curtness > 0.5
    assert harsh_.arousal_slope is not None and harsh_.arousal_slope > 0.5


@pytest.mark.parametrize("seed", range(8))
def test_whenever_scores_come_back_manners_and_trends_are_the_same(seed: int) -> None:
    random, course = Random(seed), opened("customer")
    events: list[Cue | Trend] = []
    pending: list[EmotionScore] = []
    for end in range(4000, 720_001, 4000):
        course.expect("customer", end)
        pending.append(harsh(end, float(end > 480_000)))
        for leg in LEGS:
            course.decided(leg, end)
        random.shuffle(pending)
        for _ in range(random.randint(0, len(pending))):
            back = pending.pop()
            course.resolved("customer", back.end)
            course.add(back)
        events += course.advance()
    for back in pending:
        course.resolved("customer", back.end)
        course.add(back)
    assert events + course.advance() == curt(opened("customer"))


def test_the_last_trends_come_with_the_end() -> None:
    course = opened("customer")
    course.add(sound("customer", Sound.SPEECH, 100_000, 100_480))
    assert [event.at for event in course.end(110_000) if isinstance(event, Trend)] == [
        40_000,
        80_000,
    ]


def test_who_broke_in_counts_among_their_interruptions() -> None:
    course = opened("customer")
    for end in range(4000, 520_001, 4000):
        course.add(harsh(end, 0.0))
    advanced(course, 520_000)
    before = course.trend
    for start in (524_000, 540_000, 556_000):
        talk_over(course, start)
        silent = (
            sound("customer", Sound.SILENCE, start + 8000, start + 10_400),
            sound("agent", Sound.SILENCE, start + 8000, start + 10_400),
        )
        advanced(course, start + 10_400, *silent)
    advanced(course, 600_000, harsh(598_000, 0.0))
    assert before is not None and before.legs[0].urgency == pytest.approx(0.0, abs=1e-3)
    assert course.trend is not None and course.trend.legs[0].urgency is not None
    assert course.trend.legs[0].urgency > 0.1


ENDS = [
    LegEnd("customer", Party.CUSTOMER, Placement(), 0, None),
    LegEnd("agent", Party.AGENT, Placement(), 0, NotScored.NOT_A_CUSTOMER),
]


def test_the_hand_over_tells_how_it_stands() -> None:
    course = opened("customer")
    curt(course)
    course.add(sound("customer", Sound.SPEECH, 721_000, 721_480))
    assert course.hand_over(724_000, ENDS).english == (
        "The customer sounded annoyed from minute 1, curt at times. "
        "The call has lasted 90 seconds so far."
    )


def test_of_a_customer_who_objects_nothing_inferred_is_told_any_more() -> None:
    course = opened("customer")
    curt(course)
    course.shut("customer", 724_000)
    course.forget("customer")
    assert course.trend is not None
    assert course.trend.legs[0] == LegTrend("customer", 0.0)
    customer = replace(ENDS[0], not_scored=NotScored.CONSENT_WITHDRAWN)
    course.end(730_000)
    ended = course.summary(730_000, EndReason.COMPLETED, "test-1", [customer, ENDS[1]])
    assert (ended.states, ended.turns, ended.turning_points) == ((), (), ())
    assert ended.hand_over.english == (
        "The customer objected to having their mood assessed, so nothing is said of it. "
        "The call lasted 91 seconds."
    )
