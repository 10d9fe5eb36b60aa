"""What is kept of a leg: the latest, and audio only until it is taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.calls.history import Heard, History
from emotion_service.types import BLOCK

BLOCKS, CONTEXT = 10, 500  # of the capacity; samples
CAPACITY = BLOCKS * BLOCK


def heard(first: int, blocks: int) -> Heard:
    """Block i holds the value i in every field; it is speech where i is odd, lost where i % 3."""
    numbers = np.arange(first, first + blocks)
    return Heard(
        np.repeat(numbers, BLOCK).astype(np.float32),
        (numbers % 2 == 1).tolist(),
        (numbers % 3 > 0).tolist(),
        numbers.astype(float).tolist(),
    )


def added(*counts: int) -> History:
    """So many blocks at a time; block i, from 0, is as `heard` has it."""
    history, total = History(CAPACITY, CONTEXT), 0
    for blocks in counts:
        history.add(heard(total, blocks))
        total += blocks
    return history


def test_silence_comes_before_what_was_heard() -> None:
    history = History(CAPACITY, CONTEXT)
    history.add(heard(1, 2))
    samples, speech = history.take()
    assert np.array_equal(samples, [*[0.0] * CONTEXT, *[1.0] * BLOCK, *[2.0] * BLOCK])
    assert speech.tolist() == [True, False]


def test_audio_is_given_once_with_its_context() -> None:
    history = added(2, 3)
    history.take()
    history.add(heard(5, 1))
    samples, speech = history.take()
    expected = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], BLOCK)[-CONTEXT - BLOCK :]
    assert np.array_equal(samples, expected)
    assert speech.tolist() == [True]


def test_taking_again_gives_the_context_alone() -> None:
    history = added(8)
    history.take()
    samples, speech = history.take()
    assert np.array_equal(samples, np.repeat([4.0, 5.0, 6.0, 7.0], BLOCK)[-CONTEXT:])
    assert speech.tolist() == []


def test_audio_that_was_taken_is_not_kept() -> None:
    history = added(4, 5)
    history.take()
    assert [len(audio) for audio in history._audio] == [CONTEXT]
    assert all(audio.base is None for audio in history._audio)


@given(st.lists(st.integers(1, 14), min_size=1, max_size=20))
def test_what_is_older_than_the_capacity_is_let_go(counts: list[int]) -> None:
    history, total = added(*counts), sum(counts)
    # Stretches go as a whole: at most one that reaches beyond the capacity is still there.
    assert sum(map(len, history._audio)) < CONTEXT + CAPACITY + 14 * BLOCK
    samples, speech = history.take()
    last = heard(max(0, total - BLOCKS), min(BLOCKS, total))
    assert len(samples) == CONTEXT + len(last.samples)
    assert np.array_equal(samples[CONTEXT:], last.samples)
    assert np.array_equal(speech, last.speech)


@given(st.lists(st.tuples(st.integers(1, 14), st.booleans()), min_size=1, max_size=20))
def test_what_blocks_carried_is_told_of_the_last_whatever_was_taken(
    added: list[tuple[int, bool]],
) -> None:
    history, total = History(CAPACITY, CONTEXT), 0
    for blocks, taken in added:
        history.add(heard(total, blocks))
        total += blocks
        if taken:
            history.take()
    last = heard(max(0, total - BLOCKS), min(BLOCKS, total))
    assert history.speech() == sum(last.speech) * BLOCK
    assert history.quality() == pytest.approx((np.mean(last.lost), np.mean(last.clipped)))
