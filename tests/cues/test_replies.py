"""Turns, their delays and lengths; and slow replies."""

from __future__ import annotations

import pytest

from emotion_service.cues.replies import SLOW_REPLY, Floor, Reply, SlowReplies, Transfer
from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

LEGS = ("customer", "agent", "supervisor")


def speech(leg: str, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, Sound.SPEECH, start, start + 480)


def silence(leg: str, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, Sound.SILENCE, start, start + 2400)


def music(leg: str, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, Sound.MUSIC, start, start + 800)


def transfers(*activities: SpeechActivity) -> list[Transfer]:
    floor = Floor(LEGS)
    found = [floor.add(activity) for activity in activities]
    return [transfer for transfer in found if transfer is not None]


def replies(*activities: SpeechActivity, end: int = 800_000) -> list[Reply]:
    """All turns, complete."""
    floor = Floor(LEGS)
    found = [floor.add(activity) for activity in activities]
    turns = [transfer.before for transfer in found if transfer is not None]
    return [turn for turn in (*turns, floor.close(end)) if turn is not None]


def test_the_first_turn_answers_nobody() -> None:
    assert transfers(speech("agent", 800)) == [Transfer(None, Reply("agent", 800, None, 0))]


def test_an_answer_has_a_delay_and_ends_the_turn_before() -> None:
    assert transfers(speech("agent", 800), silence("agent", 8800), speech("customer", 10_400)) == [
        Transfer(None, Reply("agent", 800, None, 0)),
        Transfer(Reply("agent", 800, None, 8000), Reply("customer", 10_400, 1600, 0)),
    ]


def test_pauses_are_part_of_a_turn_but_not_of_its_length() -> None:
    said = (speech("agent", 0), silence("agent", 8000), speech("agent", 40_000))
    assert replies(*said, silence("agent", 44_000), speech("customer", 45_000), end=46_000) == [
        Reply("agent", 0, None, 12_000),
        Reply("customer", 45_000, 1000, 1000),
    ]


def test_who_breaks_in_and_outlasts_the_other_has_the_floor_from_where_it_began() -> None:
    said = (speech("agent", 0), speech("customer", 8000), silence("agent", 12_000))
    assert transfers(*said)[1:] == [
        Transfer(Reply("agent", 0, None, 12_000), Reply("customer", 8000, -4000, 0))
    ]
    assert replies(*said, silence("customer", 20_000))[1] == Reply("customer", 8000, -4000, 12_000)


def test_a_quick_answer_is_known_before_the_end_of_the_question() -> None:
    said = (speech("agent", 0), speech("customer", 9000), silence("agent", 8800))
    assert transfers(*said)[1].after == Reply("customer", 9000, 200, 0)


def test_what_is_said_while_another_goes_on_is_no_turn() -> None:
    said = (speech("agent", 0), speech("customer", 8000), silence("customer", 20_000))
    assert replies(*said, silence("agent", 40_000)) == [Reply("agent", 0, None, 40_000)]


def test_a_short_answer_in_a_silence_is_a_turn() -> None:
    said = (speech("agent", 0), silence("agent", 8000), speech("customer", 12_000))
    assert replies(*said, silence("customer", 14_000), speech("agent", 15_000), end=16_000) == [
        Reply("agent", 0, None, 8000),
        Reply("customer", 12_000, 4000, 2000),
        Reply("agent", 15_000, 1000, 1000),
    ]


@pytest.mark.parametrize("busy", ["agent", "supervisor"])
def test_what_follows_music_answers_nobody(busy: str) -> None:
    said = (speech("agent", 0), silence("agent", 8000), music(busy, 10_000), silence(busy, 40_000))
    assert transfers(*said, speech("customer", 41_000))[1].after.delay is None


def test_music_before_the_question_does_not_matter() -> None:
    said = (music("agent", 0), silence("agent", 8000), speech("agent", 9000))
    after = (silence("agent", 17_000), speech("customer", 18_000))
    assert transfers(*said, *after)[1].after.delay == 1000


def test_of_two_who_wait_the_first_has_the_floor() -> None:
    said = (speech("agent", 0), speech("supervisor", 4000), speech("customer", 4000))
    assert transfers(*said, silence("agent", 8000))[1].after.leg == "customer"


def test_repeated_activity_changes_nothing() -> None:
    said = (speech("agent", 0), speech("agent", 4000), silence("customer", 5000))
    assert replies(*said, silence("agent", 8000)) == [Reply("agent", 0, None, 8000)]


# --- slow replies -----------------------------------------------------------------------------


def slow(start: int) -> list[Cue]:
    slow_replies = SlowReplies(LEGS)
    slow_replies.add(speech("agent", 0))
    slow_replies.add(silence("agent", 8000))
    assert slow_replies.advance(start) == []
    cues = slow_replies.add(speech("customer", start))
    assert slow_replies.due is None
    assert slow_replies.close(start + 8000) == []
    return cues


def test_a_slow_reply_is_told_once_as_it_begins() -> None:
    start = 8000 + SLOW_REPLY
    onset, offset = slow(start)
    assert onset == Cue(
        "customer", 0, CueKind.SLOW_REPLY, CuePhase.ONSET, 8000, start, start + 480, 1.0, 0
    )
    assert (offset.phase, offset.start, offset.end) == (CuePhase.OFFSET, 8000, start)
    assert slow(start - 1) == []


def test_whoever_goes_on_after_a_long_pause_replies_to_nobody() -> None:
    slow_replies = SlowReplies(LEGS)
    for activity in (speech("agent", 0), silence("agent", 8000), speech("agent", 80_000)):
        assert slow_replies.add(activity) == []
