"""States that lasted, and the turning points between them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.chapters import LASTING, MOST, Chapter, Chapters, turning_points
from emotion_service.types import STATES, CueKind, TurningPoint

SECOND = 8000
CALM, CROSS, GLAD = CueKind.NEUTRAL, CueKind.AGITATED, CueKind.HAPPY
UNSURE = CueKind.INSUFFICIENT_EVIDENCE


def told(*stretches: tuple[CueKind, float]) -> list[tuple[CueKind, float, float]]:
    """Each state with how many seconds it lasts, one after the other."""
    return [(c.kind, c.start / SECOND, c.end / SECOND) for c in of(*stretches).told]


def of(*stretches: tuple[CueKind, float]) -> Chapters:
    chapters, at = Chapters(), 0
    for kind, length in stretches:
        end = at + round(length * SECOND)
        chapters.add(kind, at, end)
        at = end
    return chapters


def test_a_state_counts_from_eight_seconds_on() -> None:
    assert told((CALM, 7.9)) == []
    assert told((CALM, 8)) == [(CALM, 0, 8)]
    assert told((CALM, 20), (CROSS, 7.9)) == [(CALM, 0, 20)]
    assert told((CALM, 20), (CROSS, 8)) == [(CALM, 0, 20), (CROSS, 20, 28)]


def test_what_is_short_interrupts_nothing() -> None:
    assert told((CALM, 20), (CROSS, 3), (CALM, 20)) == [(CALM, 0, 43)]
    assert told((CALM, 20), (CROSS, 5), (GLAD, 5), (CROSS, 5), (CALM, 1)) == [(CALM, 0, 20)]


def test_nothing_known_is_no_state_and_ends_none() -> None:
    assert told((UNSURE, 60)) == []
    assert told((CALM, 5), (UNSURE, 60), (CALM, 5)) == [(CALM, 0, 70)]
    assert told((CALM, 10), (UNSURE, 9), (CROSS, 9)) == [(CALM, 0, 10), (CROSS, 19, 28)]


def test_the_state_that_lasts_counts_up_to_now() -> None:
    chapters = of((CALM, 20))
    assert chapters.with_current(CROSS, 20 * SECOND, 28 * SECOND)[-1] == Chapter(
        CROSS, 20 * SECOND, 28 * SECOND, 8 * SECOND
    )
    assert chapters.with_current(CALM, 25 * SECOND, 26 * SECOND) == (
        Chapter(CALM, 0, 26 * SECOND, 21 * SECOND),
    )
    assert chapters.told == (Chapter(CALM, 0, 20 * SECOND, 20 * SECOND),)  # asking settled nothing


@pytest.mark.parametrize(
    ("states", "held"),
    [
        ([(CALM, 10), (UNSURE, 60), (CALM, 10)], 20),
        ([(CALM, 10), (CROSS, 3), (CALM, 5)], 10),
        ([(CALM, 10), (CROSS, 3), (CALM, 5), (UNSURE, 9), (CALM, 4)], 19),
        ([(CALM, 4), (UNSURE, 1), (CALM, 3), (UNSURE, 1), (CALM, 2), (CALM, 1)], 10),
    ],
)
def test_a_chapter_holds_what_is_known_and_lasted(
    states: list[tuple[CueKind, float]], held: float
) -> None:
    (chapter,) = of(*states).told
    assert chapter.held == held * SECOND


def test_turning_points_lie_where_a_chapter_begins() -> None:
    chapters = of((CALM, 20), (UNSURE, 2), (CROSS, 9), (CALM, 8)).told
    assert turning_points("customer", chapters) == (
        TurningPoint("customer", 22 * SECOND, CALM, CROSS),
        TurningPoint("customer", 31 * SECOND, CROSS, CALM),
    )
    assert turning_points("customer", chapters[:1]) == ()


def test_of_a_long_call_the_latest_turning_points_are_told_and_no_chapter_is_forgotten() -> None:
    chapters = of(*[(CALM, 8), (CROSS, 8)] * MOST).told
    assert len(chapters) == 2 * MOST
    points = turning_points("customer", chapters)
    assert len(points) == MOST
    assert points[-1].at == chapters[-1].start


STRETCHES = st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 20)), max_size=30)


@given(STRETCHES)
def test_chapters_alternate_last_and_are_in_order(stretches: list[tuple[CueKind, int]]) -> None:
    chapters = of(*stretches).told
    for chapter in chapters:
        assert chapter.kind is not UNSURE
        assert chapter.end - chapter.start >= LASTING
    for before, after in pairwise(chapters):
        assert before.kind is not after.kind
        assert before.end <= after.start
