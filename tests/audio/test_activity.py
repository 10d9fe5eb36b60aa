"""Onsets and offsets from blocks laid out by hand."""

from __future__ import annotations

from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.audio.activity import RUN_BLOCKS, ActivityTracker
from emotion_service.types import BLOCK, Sound, SpeechActivity

SILENCE, SPEECH, MUSIC, TONE = Sound.SILENCE, Sound.SPEECH, Sound.MUSIC, Sound.TONE
Told = tuple[Sound, int, int]

layouts = st.lists(st.tuples(st.sampled_from(Sound), st.integers(1, 20)), max_size=15)


def blocks(*runs: tuple[Sound, int]) -> list[Sound]:
    return list(chain.from_iterable([sound] * count for sound, count in runs))


def told(activities: list[SpeechActivity]) -> list[Told]:
    """Sound, start and decided, in blocks."""
    return [(a.sound, a.start // BLOCK, a.decided // BLOCK) for a in activities]


def follow(*runs: tuple[Sound, int]) -> list[Told]:
    return told(ActivityTracker("customer").follow(blocks(*runs)))


def test_speech_is_dated_back_to_its_first_block() -> None:
    assert follow((SILENCE, 10), (SPEECH, 5)) == [(SPEECH, 10, 13)]


def test_speech_ends_300_ms_after_its_last_block_and_is_dated_back() -> None:
    assert follow((SPEECH, 20), (SILENCE, 30)) == [(SPEECH, 0, 3), (SILENCE, 20, 35)]


def test_everything_in_samples() -> None:
    (activity,) = ActivityTracker("agent").follow(blocks((SILENCE, 2), (SPEECH, 3)))
    assert activity == SpeechActivity("agent", 0, SPEECH, start=320, decided=800)


@pytest.mark.parametrize(("sound", "run"), [(SPEECH, 3), (MUSIC, 5), (TONE, 3)])
def test_a_sound_needs_an_unbroken_run(sound: Sound, run: int) -> None:
    assert follow((SILENCE, 4), (sound, run - 1), (SILENCE, 20)) == []
    assert follow((SILENCE, 4), (sound, run)) == [(sound, 4, 4 + run)]


def test_a_plosive_does_not_end_speech() -> None:
    assert follow((SPEECH, 9), (SILENCE, 14), (SPEECH, 9)) == [(SPEECH, 0, 3)]


def test_a_break_of_one_block_starts_the_count_anew() -> None:
    assert follow((SPEECH, 2), (TONE, 1), (SPEECH, 2), (SILENCE, 1), (SPEECH, 3)) == [
        (SPEECH, 6, 9)
    ]


def test_one_sound_follows_another_without_silence() -> None:
    assert follow((MUSIC, 6), (SPEECH, 4), (TONE, 4), (SILENCE, 15)) == [
        (MUSIC, 0, 5),
        (SPEECH, 6, 9),
        (TONE, 10, 13),
        (SILENCE, 14, 29),
    ]


def test_the_leg_is_silent_at_first_and_says_nothing_of_it() -> None:
    tracker = ActivityTracker("customer")
    assert tracker.sound is SILENCE
    assert tracker.follow(blocks((SILENCE, 100))) == []


def test_sequence_numbers_count_up_across_calls() -> None:
    tracker = ActivityTracker("customer")
    first = tracker.follow(blocks((SPEECH, 4)))
    second = tracker.follow(blocks((SILENCE, 15), (SPEECH, 3)))
    assert [a.sequence for a in first + second] == [0, 1, 2]
    assert tracker.sound is SPEECH


@given(layouts)
def test_each_activity_is_the_shortest_run_that_counts(runs: list[tuple[Sound, int]]) -> None:
    sounds = blocks(*runs)
    activities = told(ActivityTracker("customer").follow(sounds))
    for sound, start, decided in activities:
        assert decided - start == RUN_BLOCKS[sound]
        assert set(sounds[start:decided]) == {sound}
        assert start == 0 or sounds[start - 1] is not sound
    assert all(a[0] is not b[0] and a[2] < b[2] for a, b in pairwise(activities))


@given(layouts, st.lists(st.integers(0, 300), max_size=6))
def test_any_split_of_the_blocks_tells_the_same(
    runs: list[tuple[Sound, int]], cuts: list[int]
) -> None:
    sounds = blocks(*runs)
    tracker = ActivityTracker("customer")
    edges = [0, *sorted(cuts), len(sounds)]
    parts = [tracker.follow(sounds[a:b]) for a, b in pairwise(edges)]
    assert [a for part in parts for a in part] == ActivityTracker("customer").follow(sounds)


@pytest.mark.parametrize(("quiet", "start"), [(0, 20), (14, 20), (3, 20)])
def test_what_sends_no_more_is_silent_from_where_its_silence_began(quiet: int, start: int) -> None:
    tracker = ActivityTracker("customer")
    tracker.follow([Sound.SPEECH] * 20 + [Sound.SILENCE] * quiet)
    (told,) = tracker.fall_silent()
    end = (20 + quiet) * BLOCK
    assert (told.sound, told.start, told.decided) == (Sound.SILENCE, start * BLOCK, end)
    assert tracker.fall_silent() == []
    (again,) = tracker.follow([Sound.SPEECH] * 3)
    assert (again.start, again.sequence) == (end, told.sequence + 1)
