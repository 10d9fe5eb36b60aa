"""Fast pace: against a norm and the leg's own usual, by the second."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.cues.pace import FastPaces, PaceRules
from emotion_service.types import Cue, CueKind, CuePhase, Pace, Sound, SpeechActivity

LEGS = ("customer", "agent")
SECOND = 8000
RULES = PaceRules(fast=6.5, rise=1.15, exit_=6.0, exit_rise=1.05, speech=48_000, usual=80_000)


def seconds(
    syllables: Sequence[int], first: int = 0, leg: str = "customer", speech: int = SECOND
) -> list[Pace]:
    """One second after another with so many syllables each."""
    return [
        Pace(leg, (first + i) * SECOND, (first + i + 1) * SECOND, count, speech)
        for i, count in enumerate(syllables)
    ]


def heard(paces: Sequence[Pace], end: int = 200 * SECOND) -> list[Cue]:
    fast = FastPaces(LEGS, RULES)
    cues = [cue for pace in paces for cue in fast.observe(pace)]
    return cues + fast.close(end)


def spans(cues: Sequence[Cue]) -> list[tuple[int, int]]:
    """Seconds from the onset to the offset of each."""
    assert [cue.phase for cue in cues] == [CuePhase.ONSET, CuePhase.OFFSET] * (len(cues) // 2)
    pairs = zip(cues[::2], cues[1::2], strict=True)
    assert all(onset.start == offset.start for onset, offset in pairs)
    return [(cue.start // SECOND, cue.end // SECOND) for cue in cues[1::2]]


def test_it_begins_with_the_window_that_is_fast_and_ends_when_it_is_not() -> None:
    onset, offset = heard(seconds([5] * 20 + [8] * 10 + [5] * 10))
    # Three seconds of eight and three of five are 6.5 a second.
    assert (onset.leg, onset.kind, onset.phase) == ("customer", CueKind.FAST_PACE, CuePhase.ONSET)
    assert (onset.start, onset.end, onset.decided) == (17 * SECOND, 23 * SECOND, 23 * SECOND)
    assert onset.evidence == 6 * SECOND
    (reason,) = onset.reasons
    assert (reason.feature, reason.value, reason.baseline) == ("pace", 6.5, 5.0)
    assert reason.text == "pace 30 % above their usual"
    # Two of eight and four of five are 6.0: not 5 % above what by then is usual, 5.9.
    assert (offset.start, offset.end, offset.decided) == (17 * SECOND, 34 * SECOND, 34 * SECOND)


def test_whoever_always_speaks_fast_has_none() -> None:
    assert heard(seconds([8] * 60)) == []


def test_faster_than_usual_but_not_fast_is_none() -> None:
    assert heard(seconds([4] * 20 + [6] * 20)) == []


def test_before_it_is_known_what_is_usual_there_is_none() -> None:
    assert heard(seconds([5] * 8 + [8] * 7)) == []
    assert spans(heard(seconds([5] * 10 + [8] * 7))) == [(10, 17)]


def test_without_any_syllable_nothing_is_usual() -> None:
    assert heard(seconds([0] * 12 + [8] * 6)) == []


def test_a_little_speech_in_much_time_is_not_judged() -> None:
    usual = seconds([5] * 20)
    sparse = [p for i in range(20) for p in seconds([2], 20 + 5 * i, speech=2000)]
    assert heard(usual + sparse) == []


def test_between_the_thresholds_it_lasts() -> None:
    """6.2 a second begin none, and do not end one."""
    between = [6, 6, 6, 7, 6, 6, 6, 7]
    assert spans(heard(seconds([5] * 20 + [8] * 6 + between))) == [(17, 34)]
    assert heard(seconds([5] * 20 + between)) == []


def test_ten_seconds_of_silence_end_it_where_the_speech_ended() -> None:
    fast = FastPaces(LEGS, RULES)
    for pace in seconds([5] * 20 + [8] * 10):
        fast.observe(pace)
    due = 30 * SECOND + RULES.silence
    assert fast.due == due
    assert fast.advance(due - 1) == []
    (offset,) = fast.add(SpeechActivity("agent", 0, Sound.SPEECH, due - 480, due + 9000))
    assert (offset.end, offset.decided) == (30 * SECOND, due)
    assert fast.due is None
    assert fast.close(due + 9000) == []


def test_the_end_of_the_call_ends_it() -> None:
    *_, offset = heard(seconds([5] * 20 + [8] * 10), end=32 * SECOND)
    assert (offset.phase, offset.end, offset.decided) == (
        CuePhase.OFFSET,
        30 * SECOND,
        32 * SECOND,
    )


def test_legs_are_judged_by_themselves() -> None:
    slow, quick = seconds([5] * 40), seconds([5] * 20 + [8] * 20, leg="agent")
    cues = heard([pace for pair in zip(slow, quick, strict=True) for pace in pair])
    assert {cue.leg for cue in cues} == {"agent"}


@pytest.mark.parametrize("close", [40 * SECOND, 400 * SECOND])
@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=40))
def test_onsets_and_offsets_alternate(close: int, syllables: list[int]) -> None:
    cues = heard(seconds([5] * 16 + syllables), end=(16 + len(syllables)) * SECOND + close)
    for start, end in spans(cues):
        assert end - start >= 6
