"""The figures of a whole call, counted by hand."""

from __future__ import annotations

from emotion_service.cues.summary import LegEnd, Tally
from emotion_service.types import (
    Abstain,
    CallSummary,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    EndReason,
    Indices,
    LegSummary,
    NotScored,
    Party,
    Permit,
    Placement,
    Probabilities,
    Quality,
    Sound,
    SpeechActivity,
    StateTime,
    Text,
    TurningPoint,
)

LEGS = (
    LegEnd("customer", Party.CUSTOMER, Placement(received=80_000, gaps=1), 3, None),
    LegEnd("agent", Party.AGENT, Placement(received=79_000), 0, NotScored.NOT_A_CUSTOMER),
)


def heard(leg: str, sound: Sound, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, sound, start, start + 480)


def cue(leg: str, kind: CueKind, phase: CuePhase, start: int, end: int) -> Cue:
    return Cue(leg, 0, kind, phase, start, end, end, 0.5, 8000)


def score(abstain: Abstain | None) -> EmotionScore:
    return EmotionScore(
        permit=Permit("customer", Party.CUSTOMER, True, Consent.GRANTED),
        sequence=0,
        start=0,
        end=8000,
        evidence=8000,
        quality=Quality(),
        model_version="test",
        probabilities=None if abstain else Probabilities(0.1, 0.2, 0.3, 0.4),
        indices=None if abstain else Indices(0.5, 0.5),
        provisional=False,
        abstain=abstain,
        reasons=(),
    )


def summary(tally: Tally, duration: int = 80_000) -> CallSummary:
    return tally.summary(duration, EndReason.COMPLETED, "m-1", LEGS)


def test_a_whole_call() -> None:
    tally = Tally()
    unsure, happy, over = CueKind.INSUFFICIENT_EVIDENCE, CueKind.HAPPY, CueKind.TALK_OVER
    for event in (
        heard("agent", Sound.MUSIC, 0),
        heard("customer", Sound.SPEECH, 8000),
        cue("customer", unsure, CuePhase.ONSET, 8000, 12_000),
        score(Abstain.TOO_LITTLE_SPEECH),
        score(None),
        score(None),
        cue("customer", unsure, CuePhase.OFFSET, 8000, 16_000),
        cue("customer", happy, CuePhase.ONSET, 16_000, 20_000),
        cue("customer", happy, CuePhase.UPDATE, 16_000, 36_000),
        heard("agent", Sound.SPEECH, 40_000),
        cue("agent", over, CuePhase.ONSET, 40_000, 43_200),
        heard("customer", Sound.SILENCE, 44_000),
        cue("agent", over, CuePhase.OFFSET, 40_000, 44_000),
        cue("customer", happy, CuePhase.OFFSET, 16_000, 48_000),
        cue("customer", unsure, CuePhase.ONSET, 48_000, 48_500),
        heard("agent", Sound.TONE, 50_000),
        heard("customer", Sound.SPEECH, 78_000),
        cue("customer", unsure, CuePhase.OFFSET, 48_000, 80_000),
    ):
        tally.add(event)
    assert summary(tally) == CallSummary(
        duration=80_000,
        end_reason=EndReason.COMPLETED,
        legs=(
            # 8000..44 000 and, still speaking, 78 000..80 000
            LegSummary(
                "customer", Party.CUSTOMER, 38_000, 38 / 48, 3, 1, 3, None, LEGS[0].placement
            ),
            LegSummary(
                "agent",
                Party.AGENT,
                10_000,
                10 / 48,
                0,
                0,
                0,
                NotScored.NOT_A_CUSTOMER,
                LEGS[1].placement,
            ),
        ),
        states=(
            StateTime("customer", CueKind.HAPPY, 1, 32_000),
            StateTime("customer", CueKind.INSUFFICIENT_EVIDENCE, 2, 40_000),
        ),
        talk_overs=1,
        model_version="m-1",
        turns=(StateTime("agent", CueKind.TALK_OVER, 1, 4000),),
        hand_over=Text(
            "Nothing can be said of the customer's mood: they spoke too little. They were "
            "interrupted once by the agent. The call lasted 10 seconds.",
            "Zur Stimmung des Kunden lässt sich nichts sagen: er sprach zu wenig. Er wurde vom "
            "Agenten einmal unterbrochen. Das Gespräch dauerte 10 Sekunden.",
        ),
    )


def test_nobody_spoke() -> None:
    quiet = summary(Tally())
    assert [(leg.speech, leg.talk_share) for leg in quiet.legs] == [(0, 0.0), (0, 0.0)]
    assert quiet.states == ()
    assert quiet.talk_overs == 0


def test_speech_told_with_more_hindsight_than_it_lasted_counts_nothing() -> None:
    tally = Tally()
    tally.add(heard("customer", Sound.SPEECH, 5000))
    tally.add(heard("customer", Sound.SILENCE, 4900))
    assert summary(tally).legs[0].speech == 0


def test_a_summary_can_be_asked_for_twice() -> None:
    tally = Tally()
    tally.add(heard("customer", Sound.SPEECH, 8000))
    assert summary(tally, 16_000).legs[0].speech == 8000
    assert summary(tally, 24_000).legs[0].speech == 16_000


SECOND = 8000
CALM, CROSS = CueKind.NEUTRAL, CueKind.AGITATED


def lasted(tally: Tally, kind: CueKind, start: float, end: float, leg: str = "customer") -> None:
    first, last = round(start * SECOND), round(end * SECOND)
    tally.add(cue(leg, kind, CuePhase.ONSET, first, first))
    tally.add(cue(leg, kind, CuePhase.OFFSET, first, last))


def eventful() -> Tally:
    """Calm, cross, curt for a while, and the agent slow to answer."""
    tally = Tally()
    lasted(tally, CALM, 0, 60)
    lasted(tally, CROSS, 60, 100)
    lasted(tally, CueKind.CURT, 70, 90)
    lasted(tally, CueKind.SLOW_REPLY, 70, 75, "agent")
    lasted(tally, CueKind.SLOW_REPLY, 90, 94, "agent")
    lasted(tally, CueKind.DEAD_AIR, 80, 87, "agent")
    lasted(tally, CueKind.INSUFFICIENT_EVIDENCE, 100, 110)
    return tally


def test_turning_points_and_hand_over() -> None:
    ended = summary(eventful(), 110 * SECOND)
    assert ended.turning_points == (TurningPoint("customer", 60 * SECOND, CALM, CROSS),)
    assert ended.turns == (
        StateTime("customer", CueKind.CURT, 1, 20 * SECOND),
        StateTime("agent", CueKind.DEAD_AIR, 1, 7 * SECOND),
        StateTime("agent", CueKind.SLOW_REPLY, 2, 9 * SECOND),
    )
    assert ended.hand_over.english == (
        "The customer sounded annoyed from minute 1, curt at times. They waited twice for an "
        "answer (up to 5 seconds). The call lasted 2 minutes; it fell silent for 7 seconds."
    )


def test_before_the_end_the_state_that_lasts_counts() -> None:
    tally = eventful()
    calm_again = cue("customer", CALM, CuePhase.ONSET, 101 * SECOND, 102 * SECOND)
    told = tally.hand_over(110 * SECOND, None, LEGS, {"customer": calm_again})
    assert told.german.startswith(
        "Der Kunde klang ab Minute 1 verärgert, zuletzt ruhiger, zeitweise kurz angebunden."
    )
    assert tally.hand_over(108 * SECOND, None, LEGS, {"customer": calm_again}) != told


def test_a_silence_that_lasts_is_not_told_yet() -> None:
    tally = eventful()
    tally.add(cue("agent", CueKind.DEAD_AIR, CuePhase.ONSET, 100 * SECOND, 105 * SECOND))
    told = tally.hand_over(110 * SECOND, None, LEGS, {})
    assert told.english.endswith("2 minutes so far; it fell silent for 7 seconds.")


def test_what_was_inferred_can_be_taken_back() -> None:
    tally = eventful()
    tally.forget("customer")
    ended = summary(tally, 110 * SECOND)
    assert (ended.states, ended.turning_points) == ((), ())
    assert [time.kind for time in ended.turns] == [CueKind.DEAD_AIR, CueKind.SLOW_REPLY]
    assert ended.hand_over.english.startswith("The customer did not speak.")


def test_shares_count_what_is_still_being_said() -> None:
    tally = Tally()
    assert tally.shares(["customer", "agent"], 8000) == {"customer": 0.0, "agent": 0.0}
    tally.add(heard("customer", Sound.SPEECH, 0))
    tally.add(heard("customer", Sound.SILENCE, 12_000))
    tally.add(heard("agent", Sound.SPEECH, 12_000))
    assert tally.shares(["customer", "agent"], 16_000) == {"customer": 0.75, "agent": 0.25}
