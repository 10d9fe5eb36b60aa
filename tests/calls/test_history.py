"""The audio that is kept: the latest, whole blocks, and never more than asked for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.calls.history import Heard, History
from emotion_service.types import BLOCK

CAPACITY, SILENCE = 10 * BLOCK, 4 * BLOCK


def heard(first: int, blocks: int) -> Heard:
    """Block i holds the value i in every field; it is speech where i is odd, lost where i % 3."""
    numbers = np.arange(first, first + blocks)
    return Heard(
        np.repeat(numbers, BLOCK).astype(np.float32),
        numbers % 2 == 1,
        numbers % 3 > 0,
        numbers.astype(np.float32),
    )


def assert_equal(given: Heard, expected: Heard) -> None:
    assert np.array_equal(given.samples, expected.samples)
    assert np.array_equal(given.speech, expected.speech)
    assert np.array_equal(given.lost, expected.lost)
    assert np.array_equal(given.clipped, expected.clipped)


def test_it_begins_with_silence() -> None:
    history = History(CAPACITY, SILENCE)
    nothing = np.zeros(4, np.bool_)
    silence = Heard(np.zeros(SILENCE, np.float32), nothing, nothing, np.zeros(4, np.float32))
    assert len(history) == SILENCE
    assert_equal(history.last(SILENCE), silence)


def test_silence_comes_before_what_was_heard() -> None:
    history = History(CAPACITY, SILENCE)
    history.add(heard(1, 2))
    last = history.last(3 * BLOCK)
    assert np.array_equal(last.samples, np.repeat([0.0, 1.0, 2.0], BLOCK))
    assert last.speech.tolist() == [False, True, False]
    assert last.lost.tolist() == [False, True, True]
    assert last.clipped.tolist() == [0.0, 1.0, 2.0]


def test_more_than_there_is_gives_what_there_is() -> None:
    history = History(CAPACITY, SILENCE)
    history.add(heard(1, 2))
    assert len(history.last(100 * BLOCK).samples) == SILENCE + 2 * BLOCK


def test_nothing_gives_nothing() -> None:
    history = History(CAPACITY, SILENCE)
    history.add(heard(0, 3))
    assert_equal(history.last(0), heard(0, 0))


@given(st.lists(st.integers(1, 14), min_size=1, max_size=20), st.integers(1, 10))
def test_the_last_samples_are_those_that_were_added_last(added: list[int], asked: int) -> None:
    history = History(CAPACITY, 0)
    total = 0
    for blocks in added:
        history.add(heard(total, blocks))
        total += blocks
    kept = min(asked, total)
    assert_equal(history.last(asked * BLOCK), heard(total - kept, kept))


@given(st.lists(st.integers(1, 14), max_size=20))
def test_what_is_older_than_the_capacity_is_let_go(added: list[int]) -> None:
    history = History(CAPACITY, SILENCE)
    total = SILENCE
    for blocks in added:
        history.add(heard(0, blocks))
        total += blocks * BLOCK
        # Stretches go as a whole: at most one that reaches beyond the capacity is still there.
        assert min(total, CAPACITY) <= len(history) < CAPACITY + 14 * BLOCK
    assert len(history.last(1000 * BLOCK).samples) == len(history)
