"""Monologues: how speech adds up, what ends it, and what does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.cues import monologue
from emotion_service.cues.monologue import BREATH, MONOLOGUE, PAUSE, WORD, Monologues
from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

LEGS = ("customer", "agent", "supervisor")
HANGOVER, LAG = 2400, 800
SETTLED = WORD + HANGOVER


@pytest.fixture(autouse=True, scope="module")
def breathless() -> Iterator[None]:
    """Unbroken speech of any length counts, so that what is expected is easily reckoned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monologue, "BREATH", 100 * MONOLOGUE)
        yield


def speech(leg: str, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, Sound.SPEECH, start, start + 480)


def silence(leg: str, start: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, Sound.SILENCE, start, start + HANGOVER)


def said(leg: str, start: int, end: int) -> list[SpeechActivity]:
    return [speech(leg, start), silence(leg, end)]


def cue(leg: str, phase: CuePhase, start: int, end: int, decided: int, spoken: int) -> Cue:
    return Cue(leg, 0, CueKind.MONOLOGUE, phase, start, end, decided, 1.0, evidence=spoken)


def spans(activities: list[SpeechActivity], end: int) -> list[tuple[str, int, int]]:
    """Who has a monologue from when to when."""
    monologues = Monologues(LEGS, HANGOVER, LAG)
    cues: list[Cue] = []
    for activity in sorted(activities, key=lambda a: a.decided):
        cues += monologues.add(activity)
    cues += monologues.close(end)
    return [(c.leg, c.start, c.end) for c in cues if c.phase is CuePhase.OFFSET]


def test_it_is_told_once_it_is_settled_and_ends_with_the_pause() -> None:
    monologues = Monologues(LEGS, HANGOVER, LAG)
    full = 1000 + MONOLOGUE
    assert monologues.add(speech("agent", 1000)) == []
    assert monologues.advance(full + SETTLED - 1) == []
    assert monologues.advance(full + SETTLED) == [
        cue("agent", CuePhase.ONSET, 1000, full, full + SETTLED, MONOLOGUE)
    ]
    end = full + 80_000
    assert monologues.add(silence("agent", end)) == []
    assert monologues.advance(end + PAUSE + LAG) == [
        cue("agent", CuePhase.OFFSET, 1000, end, end + PAUSE + LAG, MONOLOGUE + 80_000)
    ]
    assert monologues.due is None


@pytest.mark.parametrize(("missing", "count"), [(0, 1), (1, 0)])
def test_pauses_do_not_count(missing: int, count: int) -> None:
    half = MONOLOGUE // 2
    rest = half + PAUSE - 1
    talk = said("agent", 0, half) + said("agent", rest, rest + half - missing)
    assert len(spans(talk, 2 * MONOLOGUE)) == count


def test_a_pause_of_two_seconds_ends_it() -> None:
    half = MONOLOGUE // 2
    talk = said("agent", 0, half) + said("agent", half + PAUSE, half + PAUSE + MONOLOGUE)
    assert spans(talk, 3 * MONOLOGUE) == [("agent", half + PAUSE, half + PAUSE + MONOLOGUE)]


@pytest.mark.parametrize("length", [480, WORD - 1])
def test_back_channels_end_nothing(length: int) -> None:
    listening = [
        a for at in range(8000, 160_000, 16_000) for a in said("customer", at, at + length)
    ]
    assert spans([*said("agent", 0, 2 * MONOLOGUE), *listening], 3 * MONOLOGUE) == [
        ("agent", 0, 2 * MONOLOGUE)
    ]


def test_a_word_of_another_ends_it_where_the_word_began() -> None:
    word = MONOLOGUE + 80_000
    talk = said("agent", 0, word + 1000) + said("customer", word, word + WORD)
    assert spans(talk, 2 * MONOLOGUE) == [("agent", 0, word)]


def test_a_word_in_a_pause_ends_it_where_the_pause_began() -> None:
    end = MONOLOGUE + 80_000
    talk = said("agent", 0, end) + said("customer", end + 4000, end + 8000)
    assert spans(talk, 2 * MONOLOGUE) == [("agent", 0, end)]


def test_whoever_talks_on_regardless_is_counted_anew_from_where_the_other_finished() -> None:
    talk = said("agent", 0, 80_000 + MONOLOGUE) + said("customer", 40_000, 80_000)
    assert spans(talk, 2 * MONOLOGUE) == [("agent", 80_000, 80_000 + MONOLOGUE)]


def test_whoever_broke_in_is_counted_from_where_it_did() -> None:
    talk = said("agent", 0, 8000) + said("customer", 4000, 4000 + MONOLOGUE)
    assert spans(talk, 2 * MONOLOGUE) == [("customer", 4000, 4000 + MONOLOGUE)]


def test_one_that_was_reached_before_the_word_is_told_all_the_same() -> None:
    word = MONOLOGUE + 100
    talk = said("agent", 0, word + 8000) + said("customer", word, word + 8000)
    assert spans(talk, 2 * MONOLOGUE) == [("agent", 0, word)]


def test_one_that_was_not_reached_before_the_word_is_not() -> None:
    word = MONOLOGUE - 100
    talk = said("agent", 0, word + 8000) + said("customer", word, word + 8000)
    assert spans(talk, 2 * MONOLOGUE) == []


@pytest.mark.parametrize(("length", "count"), [(BREATH, 1), (BREATH - 1, 0)])
def test_what_goes_on_for_thirty_seconds_without_a_breath_does_not_count_any_longer(
    monkeypatch: pytest.MonkeyPatch, length: int, count: int
) -> None:
    monkeypatch.setattr(monologue, "BREATH", BREATH)
    assert spans(said("agent", 0, 20 * MONOLOGUE), 20 * MONOLOGUE) == []
    unbroken = said("agent", 0, 10 * BREATH)
    rest = 10 * BREATH + 2400
    talk = unbroken + said("agent", rest, rest + length)
    assert len(spans(talk, 20 * MONOLOGUE)) == count


def test_music_is_no_speech() -> None:
    music = SpeechActivity("agent", 0, Sound.MUSIC, 0, 800)
    assert spans([music], 3 * MONOLOGUE) == []


def test_the_end_of_the_call_ends_it() -> None:
    monologues = Monologues(LEGS, HANGOVER, LAG)
    monologues.add(speech("agent", 0))
    assert monologues.close(MONOLOGUE) == [
        cue("agent", CuePhase.ONSET, 0, MONOLOGUE, MONOLOGUE, MONOLOGUE),
        cue("agent", CuePhase.OFFSET, 0, MONOLOGUE, MONOLOGUE, MONOLOGUE),
    ]


# --- against the definition -------------------------------------------------------------------

STRETCHES = st.lists(  # after a pause each
    st.tuples(st.integers(HANGOVER, 24_000), st.integers(480, 200_000)), min_size=1, max_size=12
)


def alone(stretches: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """One leg's speech, told plainly: joined over pauses under 2 s; start, end and speech."""
    runs: list[tuple[int, int, int]] = []
    for start, end in stretches:
        if runs and start - runs[-1][1] < PAUSE:
            runs[-1] = (runs[-1][0], end, runs[-1][2] + end - start)
        else:
            runs.append((start, end, end - start))
    return runs


@settings(max_examples=40, deadline=None)
@given(STRETCHES)
def test_one_leg_alone_has_those_of_its_runs_that_are_long_enough(
    lengths: list[tuple[int, int]],
) -> None:
    at, stretches = 0, []
    for pause, length in lengths:
        stretches.append((at + pause, at + pause + length))
        at += pause + length
    talk = [activity for stretch in stretches for activity in said("agent", *stretch)]
    assert spans(talk, at + 3 * MONOLOGUE) == [
        ("agent", start, end) for start, end, spoken in alone(stretches) if spoken >= MONOLOGUE
    ]
