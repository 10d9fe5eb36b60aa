"""A rate that lies is found out; loss, repetition, disorder and blurred offsets never are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.placement import Placer
from emotion_service.audio.rate import MESSAGES, RateWatch
from emotion_service.errors import BadInput
from emotion_service.types import FloatArray

NOISE = np.random.default_rng(0).normal(0, 0.1, 48_000 * 40).astype(np.float32)


def heard(declared: int, true: int, chunk_ms: int) -> Iterator[tuple[float, FloatArray]]:
    """Messages of `chunk_ms` of audio at the true rate, with true offsets, for a long time."""
    length = true * chunk_ms // 1000
    for n in range(len(NOISE) // length):
        yield n * chunk_ms / 1000, NOISE[n * length : (n + 1) * length]


def refused_after(declared: int, true: int, chunk_ms: int) -> tuple[int, str]:
    """How many messages were taken before the refusal, and what it said."""
    placer = Placer(declared)
    for n, (offset, samples) in enumerate(heard(declared, true, chunk_ms)):
        try:
            placer.place(samples, offset, None)
        except BadInput as error:
            assert error.reason == "RATE_CONTRADICTED"
            return n, str(error)
    pytest.fail("never refused")


@pytest.mark.parametrize(
    ("declared", "true"),
    [(8000, 16_000), (8000, 4000), (16_000, 8000), (48_000, 40_000), (8000, 48_000)],
)
def test_a_rate_that_lies_is_refused_after_five_seconds(declared: int, true: int) -> None:
    taken, message = refused_after(declared, true, 20)
    assert taken == 250
    assert f"declared with {declared} Hz" in message
    assert f"imply about {true} Hz" in message


def test_a_rate_that_lies_in_long_messages_is_refused_after_fifty() -> None:
    assert refused_after(8000, 16_000, 250)[0] == MESSAGES


@pytest.mark.parametrize("clock", [0.92, 0.98, 1.02, 1.08])
def test_a_drifting_clock_is_no_lie(clock: float) -> None:
    placer = Placer(8000)
    for n in range(1000):
        placer.place(NOISE[n * 160 : n * 160 + 160], n * 0.02 * clock, None)
    assert placer.counters.received > 0


@pytest.mark.parametrize("spacing", [3, 5, 7, 8, 20])
def test_comfort_noise_far_apart_is_no_lie(spacing: int) -> None:
    """WebRTC sends 20 ms every 100, G.711's Appendix II when it has something new."""
    placer = Placer(8000)
    for n in range(400):
        placer.place(NOISE[n * 160 : n * 160 + 160], n * 0.02 * spacing, None)
    placer.flush()
    assert placer.counters.gaps == 399


def test_every_other_message_lost_is_no_lie_when_their_numbers_say_so() -> None:
    placer = Placer(8000)
    for n in range(0, 2000, 2):
        placer.place(NOISE[n * 160 : n * 160 + 160], n * 0.02, n)
    placer.flush()
    assert placer.counters.gaps == 999
    placer = Placer(8000)
    with pytest.raises(BadInput):
        for n in range(0, 2000, 2):
            placer.place(NOISE[n * 160 : n * 160 + 160], n * 0.02, n // 2)


def test_sliding_windows_repeat_what_was_there() -> None:
    placer = Placer(8000)
    for at in range(0, 160_000, 160):
        placer.place(NOISE[at : at + 400], at / 8000, None)
    assert placer.counters.overlaps == 999


def test_messages_without_offset_say_nothing_and_interrupt_what_others_say() -> None:
    watch = RateWatch(8000)
    for n in range(1000):
        if n % 40 == 0:
            watch.forget()
        watch.follow(n * 80, NOISE[n * 160 : n * 160 + 160], None)
    watch.forget()
    with pytest.raises(BadInput) as refused:  # the same, uninterrupted
        for n in range(1000):
            watch.follow(n * 80, NOISE[n * 160 : n * 160 + 160], None)
    assert refused.value.reason == "RATE_CONTRADICTED"


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1 << 32),
    st.sampled_from([8000, 16_000, 44_100]),
    st.floats(0.0, 0.3),
    st.floats(0.0, 0.3),
    st.booleans(),
    st.booleans(),
)
def test_honest_audio_is_never_refused(
    seed: int, rate: int, loss: float, repeated: float, swapped: bool, numbered: bool
) -> None:
    """Any chunking; lost, repeated and swapped messages; talk spurts; truncated milliseconds."""
    random = np.random.default_rng(seed)
    longest = random.choice([0.002, 0.02, 0.1, 0.5])
    ends = np.cumsum(random.integers(1, int(longest * rate) + 2, 600))
    placer, n = Placer(rate), 0
    spans = list(pairwise([0, *ends.tolist()]))
    if swapped:
        spans = [spans[i ^ 1] for i in range(len(spans))]
    pause = 0
    for number, (start, end) in enumerate(spans):
        if random.random() < 0.02:
            pause += int(random.uniform(0, 2) * rate)  # nothing is sent between talk spurts
        if random.random() < loss:
            continue
        at = 0 if swapped else pause
        offset = math.floor((start + at) / rate * 1000) / 1000
        sequence = (number ^ 1 if swapped else number) if numbered else None
        for _ in range(1 + int(random.random() < repeated)):
            placer.place(NOISE[start % 10**6 : start % 10**6 + end - start], offset, sequence)
            n += 1
    assert n > 300
