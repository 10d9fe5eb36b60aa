"""Hysteresis, minimum duration, refractory time and budget, each by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.episode import HOUR, Change, Episode, EpisodeRules
from emotion_service.types import CuePhase

SECOND = 8000
RULES = EpisodeRules(enter=0.5, exit=0.25, minimum=2 * SECOND, refractory=10 * SECOND, budget=3)
ONSET, UPDATE, OFFSET = CuePhase.ONSET, CuePhase.UPDATE, CuePhase.OFFSET


def follow(episode: Episode, *indices: float, start: float = 0.0) -> list[Change]:
    """One index a second; times come back in seconds."""
    told = []
    for number, index in enumerate(indices):
        told += episode.weigh(index, round((start + number) * SECOND))
    return [Change(c.phase, c.start // SECOND, c.end // SECOND, c.decided // SECOND) for c in told]


def test_it_begins_once_it_has_agreed_for_the_minimum() -> None:
    assert follow(Episode(RULES), 0.5, 0.5) == []
    assert follow(Episode(RULES), 0.4, 0.5, 0.9, 0.5) == [Change(ONSET, 1, 3, 3)]
    assert follow(Episode(RULES), 0.5, 0.5, 0.49, 0.5, 0.5) == []


def test_it_lasts_until_it_has_been_below_the_exit_for_the_minimum() -> None:
    told = follow(Episode(RULES), 0.5, 0.5, 0.5, 0.3, 0.2, 0.2, 0.3, 0.2, 0.2, 0.2)
    assert [change for change in told if change.phase is not UPDATE] == [
        Change(ONSET, 0, 2, 2),
        Change(OFFSET, 0, 7, 9),
    ]


def test_updates_come_every_two_seconds() -> None:
    told = follow(Episode(RULES), *[0.5] * 8)
    assert told == [Change(ONSET, 0, 2, 2), *(Change(UPDATE, 0, n, n) for n in (4, 6))]


def test_after_its_end_it_rests() -> None:
    episode = Episode(RULES)
    follow(episode, 0.5, 0.5, 0.5)
    assert episode.end(3 * SECOND, 4 * SECOND) == [Change(OFFSET, 0, 3 * SECOND, 4 * SECOND)]
    assert not episode.lasts
    assert follow(episode, *[0.9] * 11, start=4) == []
    assert follow(episode, 0.9, start=15) == [Change(ONSET, 13, 15, 15)]


def test_what_did_not_begin_has_no_end_and_does_not_agree_any_more() -> None:
    episode = Episode(RULES)
    follow(episode, 0.5, 0.5)
    assert episode.end(SECOND, SECOND) == []
    assert follow(episode, 0.5, start=2) == []


def test_the_budget_is_by_the_hour() -> None:
    episode = Episode(RULES)
    for number in range(3):
        assert len(follow(episode, 0.5, 0.5, 0.5, start=100 * number)) == 1
        episode.end((100 * number + 3) * SECOND, (100 * number + 3) * SECOND)
    assert follow(episode, *[0.9] * 60, start=400) == []
    hour = HOUR // SECOND
    assert follow(episode, *[0.9] * 3, start=hour) == []  # the first was told at 2 s
    told = follow(episode, 0.9, 0.9, start=hour + 3)
    assert told == [Change(ONSET, hour + 2, hour + 4, hour + 4)]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5 * SECOND)), max_size=200))
def test_any_course_keeps_the_rules(steps: list[tuple[float, int]]) -> None:
    episode, now, told = Episode(RULES), 0, []
    for index, step in steps:
        now += step
        changes = episode.weigh(index, now)
        assert len(changes) <= 1
        told += changes
    onsets = [change for change in told if change.phase is ONSET]
    offsets = [change for change in told if change.phase is OFFSET]
    assert len(onsets) - len(offsets) in (0, 1)
    for onset in onsets:
        assert onset.decided - onset.start >= RULES.minimum
        assert sum(onset.decided - HOUR < o.decided <= onset.decided for o in onsets) <= 3
    for offset, onset in zip(offsets, onsets[1:], strict=False):
        assert onset.start >= offset.end + RULES.refractory
    for change in told:
        assert change.start <= change.end <= change.decided
