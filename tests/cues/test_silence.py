"""Dead air: when nobody speaks and nothing plays, told of whoever spoke last."""

from __future__ import annotations

import pytest

from emotion_service.cues.silence import DEAD_AIR, DeadAir
from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

LEGS = ("customer", "agent")
HANGOVER, LAG = 2400, 800


def speech(leg: str, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, Sound.SPEECH, start, start + 480)


def silence(leg: str, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, Sound.SILENCE, start, start + HANGOVER)


def cue(leg: str, phase: CuePhase, start: int, end: int, decided: int) -> Cue:
    return Cue(leg, 0, CueKind.DEAD_AIR, phase, start, end, decided, 1.0, evidence=0)


def quiet(leg: str = "agent", at: int = 16_000) -> DeadAir:
    """The leg has spoken up to there, and nobody since."""
    dead_air = DeadAir(LEGS, LAG)
    assert dead_air.add(speech(leg, 800)) == dead_air.add(silence(leg, at)) == []
    return dead_air


def test_it_is_told_when_it_has_lasted_and_is_settled() -> None:
    dead_air = quiet()
    settled = 16_000 + DEAD_AIR + LAG
    assert dead_air.due == settled
    assert dead_air.advance(settled - 1) == []
    assert dead_air.advance(settled + 9000) == [
        cue("agent", CuePhase.ONSET, 16_000, 16_000 + DEAD_AIR, settled)
    ]
    assert dead_air.due is None
    assert dead_air.add(speech("customer", 100_000)) == [
        cue("agent", CuePhase.OFFSET, 16_000, 100_000, 100_480)
    ]
    assert dead_air.due is None


def test_a_word_just_before_its_time_is_heard_of_before_it_is_told() -> None:
    dead_air = quiet()
    assert dead_air.add(speech("customer", 16_000 + DEAD_AIR - 1)) == []


def test_a_word_at_its_time_ends_it_at_once() -> None:
    dead_air, end = quiet(), 16_000 + DEAD_AIR
    assert dead_air.add(speech("customer", end)) == [
        cue("agent", CuePhase.ONSET, 16_000, end, end + 480),
        cue("agent", CuePhase.OFFSET, 16_000, end, end + 480),
    ]


def test_before_anybody_has_spoken_there_is_none() -> None:
    dead_air = DeadAir(LEGS, LAG)
    dead_air.add(SpeechActivity("agent", 0, Sound.MUSIC, 800, 1600))
    dead_air.add(silence("agent", 8000))
    assert dead_air.due is None
    assert dead_air.close(800_000) == []


@pytest.mark.parametrize("sound", [Sound.MUSIC, Sound.TONE])
def test_while_something_plays_there_is_none_and_after_it_there_is(sound: Sound) -> None:
    dead_air = quiet()
    assert dead_air.add(SpeechActivity("customer", 0, sound, 24_000, 24_800)) == []
    assert dead_air.due is None
    assert dead_air.advance(200_000) == []
    assert dead_air.add(silence("customer", 200_000)) == []
    assert dead_air.advance(400_000) == [
        cue("agent", CuePhase.ONSET, 200_000, 200_000 + DEAD_AIR, 200_000 + DEAD_AIR + LAG)
    ]


def test_speech_that_goes_over_into_music_was_the_last() -> None:
    dead_air = DeadAir(LEGS, LAG)
    dead_air.add(speech("customer", 800))
    dead_air.add(SpeechActivity("customer", 1, Sound.MUSIC, 8000, 8800))
    dead_air.add(silence("customer", 16_000))
    (onset,) = dead_air.advance(400_000)
    assert (onset.leg, onset.start) == ("customer", 16_000)


def test_it_begins_with_the_end_of_whoever_was_last() -> None:
    dead_air = DeadAir(LEGS, LAG)
    dead_air.add(speech("customer", 800))
    dead_air.add(speech("agent", 1600))
    dead_air.add(silence("customer", 9000))
    dead_air.add(silence("agent", 12_000))
    (onset,) = dead_air.advance(400_000)
    assert (onset.leg, onset.start) == ("agent", 12_000)


def test_the_end_of_the_call_ends_it() -> None:
    dead_air = quiet()
    end = 16_000 + DEAD_AIR
    assert dead_air.close(end) == [
        cue("agent", CuePhase.ONSET, 16_000, end, end),
        cue("agent", CuePhase.OFFSET, 16_000, end, end),
    ]
    assert quiet().close(end - 1) == []
