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
