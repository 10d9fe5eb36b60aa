"""What the listeners hear of a leg on hold."""

from __future__ import annotations

from emotion_service.cues.holds import Holds
from emotion_service.cues.timeline import Hold
from emotion_service.types import Sound, SpeechActivity


def heard(sound: Sound, at: int) -> SpeechActivity:
    return SpeechActivity("agent", 0, sound, at, at + 480)


def test_a_leg_on_hold_carries_music_and_nothing_else() -> None:
    holds = Holds()
    assert holds.hear(heard(Sound.SPEECH, 0)) == [heard(Sound.SPEECH, 0)]
    assert holds.turn(Hold("agent", 4, 8000, held=True)) == [
        SpeechActivity("agent", 4, Sound.MUSIC, 8000, 8000)
    ]
    assert holds.hear(heard(Sound.SILENCE, 8000)) == []
    assert holds.hear(SpeechActivity("customer", 0, Sound.SPEECH, 9000, 9480)) != []


def test_what_is_heard_at_its_end_is_told_then() -> None:
    holds = Holds()
    holds.turn(Hold("agent", 0, 8000, held=True))
    holds.hear(heard(Sound.TONE, 9000))
    assert holds.turn(Hold("agent", 1, 16_000, held=False)) == [
        SpeechActivity("agent", 1, Sound.TONE, 16_000, 16_000)
    ]
    assert holds.hear(heard(Sound.SILENCE, 17_000)) == [heard(Sound.SILENCE, 17_000)]


def test_what_changes_nothing_is_not_told() -> None:
    holds = Holds()
    assert holds.turn(Hold("agent", 0, 0, held=False)) == []
    assert len(holds.turn(Hold("agent", 1, 0, held=True))) == 1
    assert holds.turn(Hold("agent", 2, 800, held=True)) == []
