"""Packets that never arrive, and what a telephone plays in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from emotion_service.types import BoolArray, FloatArray

PACKET = 160  # samples: 20 ms, what nearly all of telephony sends at a time
OVERLAP = 32  # samples in which what is made up gives way to what is heard again
SHORTEST, LONGEST = 40, 120  # pitch periods that are looked for: 200 to 67 Hz
MATCHED = 160  # samples by which periods are compared
HOLD, FADE = 80, 400  # samples: 10 ms at full level, then a fifth less every 10 ms

Concealment: TypeAlias = Callable[[FloatArray, BoolArray], FloatArray]


def lost_packets(count: int, rate: float, burst: float, random: np.random.Generator) -> BoolArray:
    """Which of `count` packets are lost, bool (count,), in bursts of `burst` packets on average.

    After E. N. Gilbert, "Capacity of a burst-noise channel" (1960), and E. O. Elliott (1963): two
    states, of which the bad one loses all and the good one nothing. `rate` is the share lost over a
    long time; bursts of 1 / (1 - rate) are losses independent of each other, 1 never two in a row.

    Raises:
        ValueError: a rate outside 0..0.5, or bursts of less than one packet.
    """
    if not (0.0 <= rate <= 0.5 and burst >= 1.0):
        raise ValueError(f"loss of {rate} in bursts of {burst}: expected 0..0.5, and 1 or more")
    begins, goes_on = rate / (burst * (1.0 - rate)), 1.0 - 1.0 / burst
    draws = random.random(count)
    lost = np.zeros(count, np.bool_)
    bad = None
    for i, draw in enumerate(draws):
        bad = draw < (rate if bad is None else goes_on if bad else begins)
        lost[i] = bad
    return lost


def packet_count(samples: FloatArray) -> int:
    """The packets that a clip is sent in, the last of them not always full."""
    return -(-len(samples) // PACKET)


def runs(packets: BoolArray, length: int) -> Iterator[tuple[int, int]]:
    """First sample and end of each run of marked packets, in a clip of `length` samples."""
    edges = np.flatnonzero(np.diff(packets.astype(np.int8), prepend=0, append=0))
    for first, end in edges.reshape(-1, 2):
        yield int(first) * PACKET, min(int(end) * PACKET, length)


def silenced(samples: FloatArray, lost: BoolArray) -> FloatArray:
    """Float32 (n,), lost packets as zeros."""
    heard = samples.copy()
    for begin, end in runs(lost, len(samples)):
        heard[begin:end] = 0.0
    return heard


def repeated(samples: FloatArray, lost: BoolArray) -> FloatArray:
    """Float32 (n,), lost packets filled with the last pitch period, which fades within 60 ms.

    In the spirit of ITU-T G.711 Appendix I (09/99), from which period, fade and overlap are taken;
    it needs no look-ahead, and one period however long the burst.
    """
    heard = samples.copy()
    for begin, end in runs(lost, len(samples)):
        again = min(end + OVERLAP, len(samples))
        made = _continued(heard[:begin], again - begin)
        rise = np.linspace(0.0, 1.0, OVERLAP + 2, dtype=np.float32)[1:-1][: again - end]
        heard[begin:end] = made[: end - begin]
        heard[end:again] = rise * samples[end:again] + (1 - rise) * made[end - begin :]
    return heard


def _continued(heard: FloatArray, length: int) -> FloatArray:
    """What might follow; silence after less than 35 ms of call."""
    if len(heard) < MATCHED + LONGEST:
        return np.zeros(length, np.float32)
    period = _pitch_period(heard[-MATCHED - LONGEST :])
    fade = np.clip(1.0 - (np.arange(length) - HOLD) / FADE, 0.0, 1.0)
    made: FloatArray = (np.resize(heard[-period:], length) * fade).astype(np.float32)
    return made


def _pitch_period(recent: FloatArray) -> int:
    """The lag at which the last 20 ms resemble what was before most; `recent` float32 (280,)."""
    last = recent[-MATCHED:]
    earlier = np.lib.stride_tricks.sliding_window_view(recent[:-SHORTEST], MATCHED)
    likeness = earlier @ last / np.sqrt((earlier**2).sum(axis=1) + 1e-9)
    return LONGEST - int(likeness.argmax())


CONCEALMENTS: dict[str, Concealment] = {"repeat": repeated, "zeros": silenced}
