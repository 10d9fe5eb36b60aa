"""Urgent and curt: their formulas by hand, and calls in which they come, or do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.bearing import Exchange, Voice
from emotion_service.cues.episode import DEFAULT_EPISODE
from emotion_service.cues.manner import (
    CURTNESS,
    FORGET,
    INDICES,
    URGENCY,
    Component,
    Manner,
    index,
    reasons,
)
from emotion_service.cues.manners import Manners
from emotion_service.cues.usual import Compared, Replies, Usual
from emotion_service.types import (
    Abstain,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    Indices,
    Party,
    Permit,
    Probabilities,
    Quality,
    Reason,
    Sound,
    SpeechActivity,
)

SECOND, MINUTE = 8000, 480_000
PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
TYPICAL = {"pace": (5.0, 1.0), "pitch_range": (4.0, 2.0), "brightness": (-4.0, 2.0)}
URGENT, CURT = CueKind.URGENT, CueKind.CURT


@dataclass(frozen=True)
class Tone:
    """How a voice sounds; the first three in standard deviations from what is usual."""

    pace: float = 0.0
    pitch_range: float = 0.0
    brightness: float = 0.0
    arousal: float = 0.4
    anger: float = 0.1


CALM = Tone()
HASTY = Tone(pace=2.0, arousal=0.9)
HARSH = Tone(pitch_range=-1.5, brightness=2.0, arousal=0.8, anger=0.8)


def score(end: int, tone: Tone = CALM, own: bool = True) -> EmotionScore:
    shifts = {"pace": tone.pace, "pitch_range": tone.pitch_range, "brightness": tone.brightness}
    return EmotionScore(
        permit=PERMIT,
        sequence=0,
        start=max(0, end - 4 * SECOND),
        end=end,
        evidence=2 * SECOND,
        quality=Quality(skipped_windows=end % 7),
        model_version="test-1",
        probabilities=Probabilities(tone.anger, 0.0, 0.0, 1 - tone.anger),
        indices=Indices(tone.arousal, 0.5),
        provisional=False,
        abstain=None,
        reasons=(),
        shifts=tuple(
            Reason(name, mean + shift * deviation, mean, "", shift, own, "")
            for name, shift in shifts.items()
            for mean, deviation in [TYPICAL[name]]
        ),
    )


def abstaining(end: int) -> EmotionScore:
    return replace(
        score(end), probabilities=None, indices=None, abstain=Abstain.NON_SPEECH, shifts=()
    )


def compared(shift: float, own: bool = True) -> Compared:
    return Compared(1.0, 1.0, shift, own)


# --- the formulas -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shift", "added"),
    [(-3.0, 0.0), (0.0, 0.0), (0.5, 0.08), (1.0, 0.2), (2.0, 0.32), (3.0, 0.36)],
)
def test_a_component_adds_half_its_weight_at_one_deviation(shift: float, added: float) -> None:
    assert Component("pace", 0.4, 1, needed=True).adds(shift) == pytest.approx(added)
    assert Component("pace", 0.4, -1, needed=True).adds(-shift) == pytest.approx(added)


@pytest.mark.parametrize("components", INDICES.values(), ids=lambda parts: parts[0].feature)
def test_weights_sum_to_one_and_none_is_enough_for_a_cue(components: tuple[Component, ...]) -> None:
    assert sum(c.weight for c in components) == pytest.approx(1.0)
    assert max(c.weight for c in components) < DEFAULT_EPISODE.enter


def test_an_index_is_the_sum_of_what_its_components_add() -> None:
    known = {"pace": compared(1.0), "arousal": compared(2.0), "reply_delay": compared(-1.0)}
    assert index(URGENCY, known) == pytest.approx(0.35 / 2 + 0.25 * 0.8 + 0.25 / 2)
    known = {"anger": compared(1.0), "brightness": compared(1.0), "pitch_range": compared(3.0)}
    assert index(CURTNESS, known) == pytest.approx(0.30 / 2 + 0.25 / 2)


def test_without_a_baseline_of_their_own_nothing_is_known() -> None:
    known = {"pace": compared(1.0), "arousal": compared(2.0)}
    assert index(URGENCY, {"pace": compared(1.0)}) is None
    assert index(URGENCY, known | {"pace": compared(1.0, own=False)}) is None
    assert index(URGENCY, known | {"interruptions": compared(0.0, own=False)}) == pytest.approx(
        0.375
    )


def test_reasons_are_the_known_components_the_strongest_first() -> None:
    known = {"pace": compared(0.5), "arousal": compared(2.0), "anger": compared(9.0)}
    told = reasons(URGENCY, known | {"reply_delay": Compared(0.25, 0.75, -1.0, True)})
    assert [reason.feature for reason in told] == ["arousal", "reply_delay", "pace"]
    assert told[1] == Reason(
        "reply_delay", 0.25, 0.75, "s", -1.0, True, "answers after 0.2 s, before after 0.8 s"
    )


@pytest.mark.parametrize(
    ("feature", "value", "usual", "text"),
    [
        ("pace", 6.0, 5.0, "pace 20 % above their usual"),
        ("pace", 4.0, 5.0, "pace 20 % below their usual"),
        ("arousal", 0.9, 0.5, "sounds more aroused than their usual"),
        ("interruptions", 3, 0.5, "broke in 3 × in the last minute, before 0.5 × a minute"),
        ("reply_length", 1.25, 4.0, "answers last 1.2 s, before 4.0 s"),
        ("pitch_range", 1.0, 4.0, "pitch moves more narrowly than their usual"),
        ("brightness", 1.0, 0.0, "voice brighter, harder than their usual"),
        ("anger", 0.1, 0.2, "sounds less angry than their usual"),
    ],
)
def test_reasons_in_words(feature: str, value: float, usual: float, text: str) -> None:
    component = Component(feature, 1.0, 1, needed=False)
    (told,) = reasons([component], {feature: Compared(value, usual, 1.0, True)})
    assert told.text == text


def test_of_no_baseline_of_their_own_the_words_say_so() -> None:
    (told,) = reasons(URGENCY, {"pace": Compared(6.0, 5.0, 1.0, False)})
    assert told.text == "pace 20 % above what is typical"


# --- what is usual, and what is heard of late -------------------------------------------------


def test_what_is_usual_begins_at_what_is_typical() -> None:
    usual = Usual(2.0, 0.5, prior=4.0, own=6.0)
    assert (usual.mean, usual.is_own) == (2.0, False)
    usual.add(5.0, 4.0)
    assert (usual.mean, usual.is_own) == (3.5, False)
    usual.add(5.0, 2.0)
    assert (usual.mean, usual.is_own) == (3.8, True)
    assert usual.shift(4.3) == pytest.approx(1.0)


def test_the_last_replies_are_compared_with_those_before_them() -> None:
    replies = Replies(Usual(1.0, 1.0, prior=3, own=3))
    for value in (4.0, 4.0, 4.0, 1.0, 1.0):
        replies.add(value)
        assert replies.lately is None
    replies.add(1.0)
    assert replies.lately == 1.0
    assert replies.usual.mean == 2.5


def test_the_voice_approaches_what_is_heard() -> None:
    voice = Voice()
    voice.observe(score(SECOND, Tone(pace=0.0)), 2 * SECOND, SECOND)
    voice.observe(score(3 * SECOND, Tone(pace=3.0)), 2 * SECOND, SECOND)
    assert voice.lately["pace"] == Compared(6.0, 5.0, 1.0, True)  # 2 s of 2 + 4
    voice.forget()
    assert voice.lately == {}


def test_anger_is_compared_with_all_that_was_heard() -> None:
    voice = Voice()
    voice.observe(score(SECOND, Tone(anger=0.54)), 2 * SECOND, 4 * SECOND)
    anger = voice.lately["anger"]
    assert (anger.value, anger.baseline) == pytest.approx((0.54, 0.33))  # 4 s typical, 4 s own
    assert anger.shift == pytest.approx(0.21 / 0.22)
    assert not anger.own_baseline
    voice.observe(score(SECOND, Tone(anger=0.54)), 2 * SECOND, 6 * SECOND)
    assert voice.lately["anger"].own_baseline


def test_delays_and_lengths_are_compared_in_logarithms() -> None:
    exchange = Exchange(0)
    for delay in (SECOND, SECOND, SECOND, 0, -3199, 800, -3200):  # the last is an interruption
        exchange.delayed(delay)
    for length in (5 * SECOND, 5 * SECOND, 5 * SECOND, 0, 1600, 1600):
        exchange.spoke(length)
    lately = exchange.lately(0)
    usual = log(0.5) / 2  # three typical ones of half a second, three of one
    quick = lately["reply_delay"]
    assert quick.value == pytest.approx(0.1)
    assert quick.baseline == pytest.approx(exp(usual))
    assert quick.shift == pytest.approx((log(0.1) - usual) / 0.7)
    assert lately["reply_length"].value == pytest.approx(0.2)
    assert set(lately) == {"reply_delay", "reply_length"}  # not yet a minute


def test_interruptions_of_the_last_minute_are_compared_with_those_before() -> None:
    exchange = Exchange(MINUTE)
    for at in (2.0, 2.5, 3.5):
        exchange.broke_in(round(at * MINUTE))
    assert "interruptions" not in exchange.lately(2 * MINUTE - 1)
    # Of the last minute one, of the two before two, and one in two typical minutes.
    assert exchange.lately(4 * MINUTE)["interruptions"] == Compared(1, 0.75, 0.25, True)


# --- one leg ----------------------------------------------------------------------------------


def follow(manner: Manner, tone: Tone, first: float, last: float) -> list[Cue]:
    """A score every half second, from `first` to `last`, in seconds."""
    ends = range(round(first * SECOND), round(last * SECOND) + 1, 4000)
    return [cue for end in ends for cue in manner.observe(score(end, tone))]


def told(cues: list[Cue]) -> list[tuple[CueKind, CuePhase, float, float]]:
    """Without updates; times in seconds."""
    return [
        (cue.kind, cue.phase, cue.start / SECOND, cue.end / SECOND)
        for cue in cues
        if cue.phase is not CuePhase.UPDATE
    ]


def test_nothing_is_claimed_of_a_stranger() -> None:
    manner = Manner(0)
    assert follow(manner, HASTY, 0.5, 8) == []  # two seconds of the first, then half a one each
    assert manner.value(URGENT) is None
    follow(manner, HASTY, 8.5, 8.5)
    assert manner.value(URGENT) is not None


def test_a_score_without_an_opinion_changes_nothing() -> None:
    manner = Manner(0)
    follow(manner, CALM, 0.5, 20)
    before = manner.value(CURT)
    assert manner.observe(abstaining(30 * SECOND)) == []
    assert manner.value(CURT) == before


def test_a_cue_says_what_it_rests_on() -> None:
    manner = Manner(0)
    follow(manner, CALM, 0.5, 60)
    onset, *updates = follow(manner, replace(HARSH, brightness=4.0, pitch_range=-4.0), 60.5, 75)
    assert (onset.kind, onset.phase, onset.leg) == (CURT, CuePhase.ONSET, "customer")
    assert (onset.confidence, onset.model_version, onset.abstain) == (0.0, "test-1", None)
    assert onset.quality == Quality(skipped_windows=onset.decided % 7)
    assert onset.index is not None and onset.index >= DEFAULT_EPISODE.enter
    assert onset.evidence == onset.decided + 2 * SECOND - 4000  # the first score stands for 2 s
    assert {reason.feature for reason in onset.reasons} == {"anger", "brightness", "pitch_range"}
    assert {cue.phase for cue in updates} == {CuePhase.UPDATE}
    gaps = {b.end - a.end for a, b in zip([onset, *updates], updates, strict=False)}
    assert gaps == {2 * SECOND}


def test_after_twenty_seconds_without_a_score_nothing_is_known() -> None:
    manner = Manner(0)
    follow(manner, CALM, 0.5, 60)
    harsh = replace(HARSH, brightness=4.0, pitch_range=-4.0)
    begun = follow(manner, harsh, 60.5, 80)
    assert manner.due == 80 * SECOND + FORGET + 1
    assert manner.quiet(manner.due - 1) == []
    (offset,) = manner.quiet(manner.due)
    assert (offset.phase, offset.start, offset.end) == (
        CuePhase.OFFSET,
        begun[0].start,
        80 * SECOND,
    )
    assert offset.decided == 100 * SECOND
    assert manner.value(CURT) is None
    assert manner.due is None
    assert manner.answered(0, 101 * SECOND) == []  # no voice, no index
    follow(manner, CALM, 110, 110)
    assert manner.value(CURT) == pytest.approx(0.0)  # what was heard before counts no more


def test_a_leg_that_is_shut_ends_what_lasted() -> None:
    manner = Manner(0)
    follow(manner, CALM, 0.5, 60)
    begun = follow(manner, replace(HARSH, brightness=4.0, pitch_range=-4.0), 60.5, 80)
    (offset,) = manner.close(81 * SECOND)
    assert (offset.start, offset.end, offset.decided) == (
        begun[0].start,
        81 * SECOND,
        81 * SECOND,
    )
    assert Manner(0).close(SECOND) == []


TONES = st.builds(
    Tone,
    pace=st.floats(-4, 4),
    pitch_range=st.floats(-4, 4),
    brightness=st.floats(-4, 4),
    arousal=st.floats(0, 1),
    anger=st.floats(0, 1),
)


@given(st.lists(st.tuples(TONES, st.integers(1, 30 * SECOND)), max_size=60))
def test_any_course_of_a_voice_keeps_order_and_range(steps: list[tuple[Tone, int]]) -> None:
    manner, at, cues = Manner(0), 0, []
    for tone, step in steps:
        at += step
        cues += manner.observe(score(at, tone))
        for kind in INDICES:
            value = manner.value(kind)
            assert value is None or 0.0 <= value < 1.0
    cues += manner.close(at)
    decided = [cue.decided for cue in cues]
    assert decided == sorted(decided)
    for kind in INDICES:
        phases = [c.phase for c in cues if c.kind is kind and c.phase is not CuePhase.UPDATE]
        assert phases == [CuePhase.ONSET, CuePhase.OFFSET] * (len(phases) // 2)


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(-3, 3))
def test_who_never_changes_is_neither(arousal: float, anger: float, shift: float) -> None:
    """A voice that is always the same is its own baseline; shifts come from scoring, and are 0."""
    manner = Manner(0)
    tone = Tone(arousal=arousal, anger=anger)
    follow(manner, tone, 0.5, 90)
    assert [manner.value(kind) for kind in (URGENT, CURT)] == [
        pytest.approx(0.0, abs=0.05),
        pytest.approx(0.0, abs=0.05),
    ]


# --- whole calls ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """The customer answers after `delay`, speaks for `length` seconds, and the agent for 3."""

    tone: Tone
    delay: float
    length: float


def played(turns: list[Turn]) -> Iterator[EmotionScore | SpeechActivity]:
    """In order of what is decided; speech is known at once, silence 300 ms late."""
    at, number = 0.0, 0
    for turn in turns:
        begins = at + turn.delay
        ends = begins + turn.length
        yield spoken("customer", Sound.SPEECH, begins, 0.06, number)
        for n in range(1, int(turn.length * 2) + 1):
            yield score(round((begins + n / 2) * SECOND), turn.tone)
        yield spoken("customer", Sound.SILENCE, ends, 0.3, number + 1)
        yield spoken("agent", Sound.SPEECH, ends + 0.5, 0.06, number + 2)
        at = ends + 3.5
        yield spoken("agent", Sound.SILENCE, at, 0.05, number + 3)
        number += 4


def spoken(leg: str, sound: Sound, at: float, later: float, number: int) -> SpeechActivity:
    start = round(at * SECOND)
    return SpeechActivity(leg, number, sound, start, start + round(later * SECOND))


def cues_of(turns: list[Turn]) -> tuple[list[Cue], int]:
    manners, cues, end = Manners(["agent", "customer"]), [], 0
    manners.open("customer", 0)
    for event in played(turns):
        cues += manners.observe(event) if isinstance(event, EmotionScore) else manners.add(event)
        end = event.end if isinstance(event, EmotionScore) else event.decided
    return cues + manners.close(end), end


AT_EASE = [Turn(CALM, 0.6, 4.0)] * 10  # 81 s


def test_a_calm_call_has_neither() -> None:
    cues, _ = cues_of(AT_EASE * 4)
    assert cues == []


def test_from_neutral_to_urgent() -> None:
    """The first hasty word is said at 81.1 s, the second quick answer comes at 88.7 s."""
    cues, end = cues_of(AT_EASE + [Turn(HASTY, 0.1, 4.0)] * 5)
    assert told(cues) == [
        (URGENT, CuePhase.ONSET, 84.1, 88.76),
        (URGENT, CuePhase.OFFSET, 84.1, end / SECOND),
    ]


def test_from_neutral_to_curt_and_back() -> None:
    """The first harsh word is said at 81.6 s, the last ends at 118.3 s."""
    cues, _ = cues_of(AT_EASE + [Turn(HARSH, 0.6, 1.0)] * 8 + AT_EASE)
    assert told(cues) == [(CURT, CuePhase.ONSET, 87.2, 91.86), (CURT, CuePhase.OFFSET, 87.2, 125.9)]
