"""The headline state: every rule by hand, then the invariants."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.states import DEFAULT_RULES, Mood, StateRules
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
)

HOP = 4000  # samples between the ends of windows
PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
AT_ONCE = StateRules(smoothing=1)  # every score replaces the average
UNSURE = CueKind.INSUFFICIENT_EVIDENCE
ONSET, UPDATE, OFFSET = CuePhase.ONSET, CuePhase.UPDATE, CuePhase.OFFSET

ANGRY = Probabilities(0.9, 0.05, 0.025, 0.025)
NEUTRAL = Probabilities(0.05, 0.025, 0.025, 0.9)
HAPPY = Probabilities(0.05, 0.9, 0.025, 0.025)
SAD = Probabilities(0.025, 0.025, 0.9, 0.05)
MIXED = Probabilities(0.25, 0.25, 0.25, 0.25)


def score(
    end: int,
    heard: Probabilities | Abstain,
    arousal: float = 0.5,
    evidence: int = 8000,
    provisional: bool = False,
) -> EmotionScore:
    abstain = heard if isinstance(heard, Abstain) else None
    return EmotionScore(
        permit=PERMIT,
        sequence=0,
        start=max(0, end - 16_000),
        end=end,
        evidence=evidence,
        quality=Quality(),
        model_version="test",
        probabilities=None if isinstance(heard, Abstain) else heard,
        indices=None if isinstance(heard, Abstain) else Indices(arousal, 0.5),
        provisional=provisional,
        abstain=abstain,
        reasons=(),
    )


def follow(
    mood: Mood, *heard: Probabilities | Abstain, start: int, arousal: float = 0.5
) -> list[Cue]:
    """One score a hop, the first ending at `start`."""
    cues = []
    for number, each in enumerate(heard):
        cues += mood.observe(score(start + number * HOP, each, arousal))
    return cues


Told = tuple[CueKind, CuePhase, int, int]


def told(cues: list[Cue]) -> list[Told]:
    return [(cue.kind, cue.phase, cue.start, cue.end) for cue in cues]


def changes(cues: list[Cue]) -> list[Told]:
    return told([cue for cue in cues if cue.phase is not UPDATE])


# --- the first words --------------------------------------------------------------------------


def test_it_begins_with_insufficient_evidence() -> None:
    (cue,) = Mood().observe(score(20_000, NEUTRAL))
    assert told([cue]) == [(UNSURE, ONSET, 4000, 20_000)]
    assert (cue.confidence, cue.abstain) == (0.0, Abstain.TOO_LITTLE_SPEECH)


def test_a_first_score_that_abstains_says_why() -> None:
    (cue,) = Mood().observe(score(20_000, Abstain.AUDIO_LOST))
    assert cue.abstain is Abstain.AUDIO_LOST


@pytest.mark.parametrize(
    ("heard", "kind"),
    [
        (ANGRY, CueKind.AGITATED),
        (HAPPY, CueKind.HAPPY),
        (SAD, CueKind.DISTRESSED),
        (NEUTRAL, CueKind.NEUTRAL),
    ],
)
def test_clear_from_the_first_word(heard: Probabilities, kind: CueKind) -> None:
    cues = follow(Mood(), heard, heard, start=20_000)
    assert told(cues) == [
        (UNSURE, ONSET, 4000, 20_000),
        (UNSURE, OFFSET, 4000, 20_000),
        (kind, ONSET, 20_000, 24_000),
    ]
    assert cues[2].confidence == pytest.approx(0.9)
    assert cues[2].abstain is None


def test_two_scores_within_less_than_500_ms_are_not_enough() -> None:
    mood = Mood()
    mood.observe(score(20_000, ANGRY))
    assert mood.observe(score(23_920, ANGRY)) == []
    assert told(mood.observe(score(27_920, ANGRY))) == [
        (UNSURE, OFFSET, 4000, 20_000),
        (CueKind.AGITATED, ONSET, 20_000, 27_920),
    ]


def test_more_confirmations_can_be_asked_for() -> None:
    cues = follow(Mood(replace(DEFAULT_RULES, confirmations=3)), *[HAPPY] * 3, start=20_000)
    assert changes(cues)[-1] == (CueKind.HAPPY, ONSET, 20_000, 28_000)


def test_nothing_stands_out() -> None:
    cues = follow(Mood(), *[MIXED] * 9, start=20_000)
    assert told(cues) == [
        (UNSURE, ONSET, 4000, 20_000),
        (UNSURE, UPDATE, 4000, 36_000),
        (UNSURE, UPDATE, 4000, 52_000),
    ]
    assert [cue.abstain for cue in cues] == [
        Abstain.TOO_LITTLE_SPEECH,
        Abstain.AMBIGUOUS,
        Abstain.AMBIGUOUS,
    ]
    assert {cue.confidence for cue in cues} == {0.0}


# --- the average ------------------------------------------------------------------------------


def test_gradual() -> None:
    mood = Mood()
    follow(mood, NEUTRAL, NEUTRAL, start=20_000)
    # happiness .369, .578, .705 after one, two, three scores; neutral .556, .347, .220
    assert follow(mood, HAPPY, HAPPY, start=28_000) == []
    cues = follow(mood, HAPPY, start=36_000)
    assert told(cues) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 32_000),
        (CueKind.HAPPY, ONSET, 32_000, 36_000),
    ]
    assert cues[0].confidence == pytest.approx(0.025 + 0.875 * exp(-1.5))
    assert cues[1].confidence == pytest.approx(0.9 - 0.875 * exp(-1.5))


@pytest.mark.parametrize(
    ("pause", "provisional", "weight"),
    [
        (16_000, False, 1 - exp(-2)),
        (16_000, True, (1 - exp(-2)) / 2),
        (24_000, False, 1 - exp(-2)),  # a pause counts as two seconds
        (20_000, True, (1 - exp(-2)) / 2),
    ],
)
def test_weight_of_a_score(pause: int, provisional: bool, weight: float) -> None:
    mood = Mood()
    follow(mood, NEUTRAL, NEUTRAL, start=20_000)
    (cue,) = mood.observe(score(24_000 + pause, HAPPY, provisional=provisional))
    assert told([cue]) == [(CueKind.NEUTRAL, UPDATE, 20_000, 24_000 + pause)]
    assert cue.confidence == pytest.approx(0.9 - 0.875 * weight)


# --- staying and leaving ----------------------------------------------------------------------


def test_flicker_within_the_hysteresis_makes_no_cue() -> None:
    mood = Mood(AT_ONCE)
    follow(mood, NEUTRAL, NEUTRAL, start=20_000)
    weak = Probabilities(0.05, 0.5, 0.03, 0.42)
    cues = follow(mood, weak, NEUTRAL, weak, weak, HAPPY, weak, HAPPY, weak, start=28_000)
    assert changes(cues) == []


def test_two_scores_below_the_exit_end_a_state_that_nothing_follows() -> None:
    mood = Mood(AT_ONCE)
    follow(mood, NEUTRAL, NEUTRAL, start=20_000)
    cues = follow(mood, MIXED, MIXED, start=28_000)
    assert told(cues) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 28_000),
        (UNSURE, ONSET, 28_000, 32_000),
    ]
    assert cues[0].confidence == pytest.approx(0.25)
    assert cues[0].abstain is None
    assert (cues[1].confidence, cues[1].abstain) == (0.0, Abstain.AMBIGUOUS)


def test_a_clear_state_follows_without_a_gap() -> None:
    mood = Mood(AT_ONCE)
    follow(mood, NEUTRAL, NEUTRAL, start=20_000)
    assert told(follow(mood, HAPPY, HAPPY, start=28_000)) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 28_000),
        (CueKind.HAPPY, ONSET, 28_000, 32_000),
    ]


def test_states_never_begin_before_the_one_before_them() -> None:
    mood = Mood(replace(AT_ONCE, minimum=12_000))
    follow(mood, *[NEUTRAL] * 4, start=20_000)
    brighter = Probabilities(0.0, 0.5625, 0.0, 0.4375)  # enters the one, does not leave the other
    cues = follow(mood, brighter, HAPPY, HAPPY, HAPPY, start=36_000)
    assert changes(cues) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 40_000),
        (UNSURE, ONSET, 40_000, 44_000),
        (UNSURE, OFFSET, 40_000, 40_000),
        (CueKind.HAPPY, ONSET, 40_000, 48_000),
    ]


def test_one_onset_an_episode() -> None:
    mood = Mood(AT_ONCE)
    cues = follow(mood, *[HAPPY] * 4, *[MIXED] * 2, *[HAPPY] * 12, start=20_000)
    # it ends at 36 000 and may not begin again before 76 000
    assert changes(cues) == [
        (UNSURE, ONSET, 4000, 20_000),
        (UNSURE, OFFSET, 4000, 20_000),
        (CueKind.HAPPY, ONSET, 20_000, 24_000),
        (CueKind.HAPPY, OFFSET, 20_000, 36_000),
        (UNSURE, ONSET, 36_000, 40_000),
        (UNSURE, OFFSET, 36_000, 76_000),
        (CueKind.HAPPY, ONSET, 76_000, 80_000),
    ]


def test_another_kind_needs_no_rest() -> None:
    mood = Mood(AT_ONCE)
    heard = [HAPPY, HAPPY, SAD, SAD, NEUTRAL, NEUTRAL]
    kinds = [cue.kind for cue in follow(mood, *heard, start=20_000) if cue.phase is ONSET]
    assert kinds == [UNSURE, CueKind.HAPPY, CueKind.DISTRESSED, CueKind.NEUTRAL]


def test_an_update_every_two_seconds() -> None:
    mood = Mood(AT_ONCE)
    follow(mood, HAPPY, HAPPY, start=20_000)
    cues = follow(mood, *[HAPPY] * 9, start=28_000)
    assert told(cues) == [
        (CueKind.HAPPY, UPDATE, 20_000, 40_000),
        (CueKind.HAPPY, UPDATE, 20_000, 56_000),
    ]


# --- agitation: evidence against the speaker's own ------------------------------------------


def test_agitation_is_told_while_the_average_still_says_neutral() -> None:
    mood = Mood()
    follow(mood, NEUTRAL, NEUTRAL, start=20_000)
    assert follow(mood, ANGRY, start=28_000) == []  # evidence 2.25, which no score exceeds
    cues = follow(mood, ANGRY, start=32_000)
    assert told(cues) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 28_000),
        (CueKind.AGITATED, ONSET, 28_000, 32_000),
    ]
    assert cues[0].confidence == pytest.approx(0.025 + 0.875 * exp(-1))
    assert cues[1].confidence == pytest.approx(0.9 - 0.85 * exp(-1))


def test_weak_evidence_takes_longer() -> None:
    mood = Mood()
    follow(mood, *[NEUTRAL] * 10, start=20_000)
    # Even odds stand 1.80 above the usual ones, then, as those are learned, 0.03 less each time:
    # evidence of 2.78 after six and of 3.13 after seven.
    some = Probabilities(0.5, 0.0, 0.0, 0.5)
    assert changes(follow(mood, *[some] * 6, start=60_000)) == []
    assert changes(follow(mood, some, start=84_000)) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 60_000),
        (CueKind.AGITATED, ONSET, 60_000, 84_000),
    ]


def test_who_always_sounds_so_is_not_agitated() -> None:
    """A third of anger is 1.1 below even odds: never more than 0.83 above the typical speaker's."""
    hard = Probabilities(0.334, 0.0, 0.0, 0.666)
    kinds = [cue.kind for cue in follow(Mood(), *[hard] * 60, start=20_000) if cue.phase is ONSET]
    assert kinds == [UNSURE, CueKind.NEUTRAL]


def test_agitation_ends_when_no_evidence_is_left() -> None:
    """Eight scores leave 8.0, the most; each calm one takes some 3, so the third ends it."""
    mood = Mood()
    follow(mood, *[ANGRY] * 8, start=20_000)
    cues = changes(follow(mood, *[NEUTRAL] * 5, start=52_000))
    assert cues == [
        (CueKind.AGITATED, OFFSET, 20_000, 56_000),
        (CueKind.NEUTRAL, ONSET, 56_000, 60_000),
    ]


def test_agitation_lasts_two_seconds_and_does_not_end_before_it_was_told() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)  # told at 24 000
    cues = follow(mood, *[NEUTRAL] * 4, start=28_000)
    assert changes(cues) == [
        (CueKind.AGITATED, OFFSET, 20_000, 32_000),
        (CueKind.NEUTRAL, ONSET, 32_000, 40_000),
    ]


def test_agitation_that_nothing_follows() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)
    cues = follow(mood, *[Probabilities(0.01, 0.33, 0.33, 0.33)] * 4, start=28_000)
    assert changes(cues) == [
        (CueKind.AGITATED, OFFSET, 20_000, 40_000),
        (UNSURE, ONSET, 40_000, 40_000),
    ]
    assert cues[-1].abstain is Abstain.AMBIGUOUS


def test_agitation_rests_fifteen_seconds() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, *[NEUTRAL] * 4, start=20_000)  # it ended at 32 000
    cues = changes(follow(mood, *[ANGRY] * 32, start=44_000))
    assert cues[-1] == (CueKind.AGITATED, ONSET, 152_000, 156_000)


def test_who_is_angry_from_the_first_word_on_stays_agitated() -> None:
    cues = changes(follow(Mood(), *[ANGRY] * 240, start=20_000))
    assert [cue[0] for cue in cues] == [UNSURE, UNSURE, CueKind.AGITATED]


def test_a_long_silence_leaves_no_evidence() -> None:
    mood = Mood()
    follow(mood, ANGRY, start=20_000)
    assert changes(follow(mood, ANGRY, start=104_000)) == []
    assert changes(follow(mood, ANGRY, start=108_000))[-1][2:] == (104_000, 108_000)


# --- the budget -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "kind"),
    [(ANGRY, CueKind.AGITATED), (HAPPY, CueKind.HAPPY), (SAD, CueKind.DISTRESSED)],
)
def test_in_an_hour_there_are_no_more_onsets_than_the_budget_has(
    heard: Probabilities, kind: CueKind
) -> None:
    mood = Mood(replace(DEFAULT_RULES, budget_per_hour=2))
    minute, hour = 480_000, 28_800_000
    first = 20_000 + HOP  # when the first onset is told
    starts = [20_000, 20_000 + minute, 20_000 + 2 * minute, first + hour - 2 * HOP, first + hour]
    kinds = [
        [cue.kind for cue in follow(mood, heard, heard, start=start) if cue.phase is ONSET]
        for start in starts
    ]
    assert [kind in told for told in kinds] == [True, True, False, False, True]


def test_neutral_needs_no_budget() -> None:
    mood = Mood(replace(DEFAULT_RULES, budget_per_hour=0))
    assert changes(follow(mood, NEUTRAL, NEUTRAL, start=20_000))[-1][0] is CueKind.NEUTRAL
    assert CueKind.HAPPY not in {cue.kind for cue in follow(mood, *[HAPPY] * 9, start=28_000)}


# --- silence, music, abstentions --------------------------------------------------------------


def test_ten_seconds_of_silence_end_a_state() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)
    assert mood.due == 104_001
    assert mood.quiet(104_000) == []
    cues = mood.quiet(104_001)
    assert told(cues) == [
        (CueKind.AGITATED, OFFSET, 20_000, 24_000),
        (UNSURE, ONSET, 24_000, 104_000),
    ]
    assert cues[1].abstain is Abstain.TOO_LITTLE_SPEECH
    assert mood.due is None
    assert mood.quiet(200_000) == []


def test_what_was_heard_before_a_long_silence_confirms_nothing_after_it() -> None:
    mood = Mood(AT_ONCE)
    follow(mood, NEUTRAL, NEUTRAL, HAPPY, start=20_000)
    assert changes(follow(mood, HAPPY, start=200_000)) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 28_000),
        (UNSURE, ONSET, 28_000, 108_000),
    ]


def test_a_score_after_a_long_silence_comes_to_the_same() -> None:
    told_of_time, not_told = Mood(), Mood()
    for mood in (told_of_time, not_told):
        follow(mood, ANGRY, ANGRY, start=20_000)
    silence = told_of_time.quiet(150_000)
    assert follow(not_told, ANGRY, ANGRY, start=200_000) == silence + follow(
        told_of_time, ANGRY, ANGRY, start=200_000
    )


def test_music_for_less_than_ten_seconds_interrupts_nothing() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)
    assert mood.quiet(80_000) == []
    (cue,) = mood.observe(score(88_000, ANGRY))
    assert told([cue]) == [(CueKind.AGITATED, UPDATE, 20_000, 88_000)]


def test_abstentions_change_no_state_until_ten_seconds_are_over() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)
    assert follow(mood, *[Abstain.OVERLOADED] * 20, start=28_000) == []
    cues = follow(mood, Abstain.AUDIO_LOST, start=108_000)
    assert told(cues) == [
        (CueKind.AGITATED, OFFSET, 20_000, 24_000),
        (UNSURE, ONSET, 24_000, 104_000),
    ]
    assert cues[1].abstain is Abstain.OVERLOADED  # which is what was known at that time


def test_abstentions_do_not_break_a_run() -> None:
    cues = follow(Mood(), ANGRY, Abstain.AUDIO_LOST, ANGRY, start=20_000)
    assert changes(cues)[-1] == (CueKind.AGITATED, ONSET, 20_000, 28_000)


def test_non_speech_begins_no_state_and_is_given_as_the_reason() -> None:
    cues = follow(Mood(), *[Abstain.NON_SPEECH] * 9, start=20_000)
    assert told(cues) == [
        (UNSURE, ONSET, 4000, 20_000),
        (UNSURE, UPDATE, 4000, 36_000),
        (UNSURE, UPDATE, 4000, 52_000),
    ]
    assert {cue.abstain for cue in cues} == {Abstain.NON_SPEECH}


def test_non_speech_does_not_extend_a_state() -> None:
    """Told of nothing, it fades after ten seconds, and ended with the last word."""
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)
    assert follow(mood, *[Abstain.NON_SPEECH] * 20, start=28_000) == []
    cues = follow(mood, *[Abstain.NON_SPEECH] * 4, start=108_000)
    assert told(cues) == [
        (CueKind.AGITATED, OFFSET, 20_000, 24_000),
        (UNSURE, ONSET, 24_000, 104_000),
        (UNSURE, UPDATE, 24_000, 120_000),
    ]
    assert [cue.abstain for cue in cues[1:]] == [Abstain.NON_SPEECH] * 2


def test_non_speech_breaks_a_run() -> None:
    """Laughter with an angry window at either edge is not agitated."""
    mood = Mood()
    cues = follow(mood, ANGRY, Abstain.NON_SPEECH, ANGRY, start=20_000)
    assert changes(cues) == [(UNSURE, ONSET, 4000, 20_000)]
    assert follow(mood, Abstain.NON_SPEECH, start=32_000) == []
    assert told(follow(mood, ANGRY, ANGRY, start=36_000)) == [
        (UNSURE, UPDATE, 4000, 36_000),
        (UNSURE, OFFSET, 4000, 36_000),
        (CueKind.AGITATED, ONSET, 36_000, 40_000),
    ]


def test_while_much_was_no_speech_no_state_begins() -> None:
    """The mean falls from .49 below .4 after ln(.49 / .4) × 2 s = .41 s: with the first hop."""
    mood = Mood(AT_ONCE)
    doubtful = [replace(score(20_000 + i * HOP, ANGRY), non_speech=0.49) for i in range(12)]
    cues = [cue for each in doubtful for cue in mood.observe(each)]
    assert {cue.kind for cue in cues} == {UNSURE}
    clear = [replace(score(68_000 + i * HOP, ANGRY), non_speech=0.0) for i in range(2)]
    begun = [CueKind.AGITATED in {cue.kind for cue in mood.observe(each)} for each in clear]
    assert begun == [False, True]  # two scores in a row, as ever


def test_non_speech_keeps_no_state_from_ending() -> None:
    mood = Mood(AT_ONCE)
    follow(mood, NEUTRAL, NEUTRAL, start=20_000)
    cues = follow(mood, MIXED, Abstain.NON_SPEECH, MIXED, start=28_000)
    assert told(cues) == [
        (CueKind.NEUTRAL, OFFSET, 20_000, 28_000),
        (UNSURE, ONSET, 28_000, 36_000),
    ]


def test_while_evidence_is_insufficient_the_latest_reason_is_shown() -> None:
    mood = Mood()
    follow(mood, MIXED, start=20_000)
    (cue,) = follow(mood, *[Abstain.AUDIO_LOST] * 4, start=24_000)
    assert told([cue]) == [(UNSURE, UPDATE, 4000, 36_000)]
    assert cue.abstain is Abstain.AUDIO_LOST


# --- the end, and what cues carry -------------------------------------------------------------


def test_close_ends_the_state() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)
    assert told(mood.close(50_000)) == [(CueKind.AGITATED, OFFSET, 20_000, 50_000)]


def test_close_after_a_long_silence() -> None:
    mood = Mood()
    follow(mood, ANGRY, ANGRY, start=20_000)
    assert told(mood.close(150_000)) == [
        (CueKind.AGITATED, OFFSET, 20_000, 24_000),
        (UNSURE, ONSET, 24_000, 104_000),
        (UNSURE, OFFSET, 24_000, 150_000),
    ]


def test_without_scores_there_is_no_state() -> None:
    assert Mood().quiet(200_000) == []
    assert Mood().close(200_000) == []


def test_a_cue_carries_its_last_score_s_evidence() -> None:
    reason = Reason("pitch", 220.0, 180.0, "Hz", 1.5, True, "pitch 22 % above their usual")
    quality = Quality(lost_fraction=0.125)
    mood = Mood()
    mood.observe(score(20_000, ANGRY))
    last = replace(
        score(24_000, ANGRY, evidence=9600), reasons=(reason,), quality=quality, model_version="v9"
    )
    onset = mood.observe(last)[1]
    assert onset == Cue(
        leg="customer",
        sequence=0,
        kind=CueKind.AGITATED,
        phase=ONSET,
        start=20_000,
        end=24_000,
        decided=24_000,
        confidence=onset.confidence,
        evidence=9600,
        abstain=None,
        reasons=(reason,),
        quality=quality,
        model_version="v9",
    )


# --- invariants -------------------------------------------------------------------------------


def shared(shares: tuple[int, int, int, int]) -> Probabilities:
    total = sum(shares) or 1
    return Probabilities(*(share / total for share in shares))


def spaced(steps: list[tuple[int, Probabilities | Abstain, float, bool]]) -> list[EmotionScore]:
    ends = accumulate((step for step, *_ in steps), initial=16_000)
    return [
        score(end, heard, arousal, provisional=provisional)
        for end, (_, heard, arousal, provisional) in zip(ends, steps, strict=False)
    ]


shares = st.integers(0, 100)
opinions = (
    st.sampled_from([ANGRY, HAPPY, SAD, NEUTRAL, MIXED])
    | st.tuples(shares, shares, shares, shares).map(shared)
    | st.sampled_from(Abstain)
)
scores = st.lists(
    st.tuples(
        st.sampled_from([80, HOP, HOP, HOP, 12_000, 40_000, 100_000]),
        opinions,
        st.sampled_from([0.2, 0.5, 0.9]),
        st.booleans(),
    ),
    max_size=30,
).map(spaced)


def play(observed: list[EmotionScore], tell_time: bool) -> list[Cue]:
    mood, cues = Mood(), []
    for each in observed:
        for time in range(each.start, each.end, 1600) if tell_time else ():
            cues += mood.quiet(time)
        cues += mood.observe(each)
    return cues + mood.close(observed[-1].end + 1600 if observed else 0)


@given(scores)
def test_exactly_one_state_at_any_time(observed: list[EmotionScore]) -> None:
    cues = play(observed, tell_time=False)
    is_open: CueKind | None = None
    start = 0
    for cue in cues:
        if cue.phase is ONSET:
            assert is_open is None
            assert cue.start >= start
            is_open, start = cue.kind, cue.start
        else:
            assert (is_open, cue.start) == (cue.kind, start)
        if cue.phase is OFFSET:
            is_open, start = None, cue.end
        assert cue.start <= cue.end
    assert is_open is None
    ends = [cue.end for cue in cues if cue.phase is OFFSET]
    starts = [cue.start for cue in cues if cue.phase is ONSET]
    assert starts[1:] == ends[:-1]  # the states tile the time


@given(scores)
def test_confidence_reasons_and_rest(observed: list[EmotionScore]) -> None:
    ended: dict[CueKind, int] = {}
    for cue in play(observed, tell_time=False):
        assert 0.0 <= cue.confidence <= 1.0
        assert (cue.abstain is not None) == (cue.kind is UNSURE)
        assert cue.confidence == 0.0 or cue.kind is not UNSURE
        if cue.phase is ONSET and cue.kind in ended:
            assert cue.start >= ended[cue.kind] + DEFAULT_RULES.refractory
        if cue.phase is OFFSET and cue.kind is not UNSURE:
            ended[cue.kind] = cue.end


@given(scores)
def test_no_state_is_entered_across_non_speech(observed: list[EmotionScore]) -> None:
    no_speech = [each.end for each in observed if each.abstain is Abstain.NON_SPEECH]
    for cue in play(observed, tell_time=False):
        if cue.phase is ONSET and cue.kind is not UNSURE:
            assert not [end for end in no_speech if cue.start <= end <= cue.end]


@given(scores)
def test_how_often_time_is_told_changes_nothing(observed: list[EmotionScore]) -> None:
    assert play(observed, tell_time=True) == play(observed, tell_time=False)
