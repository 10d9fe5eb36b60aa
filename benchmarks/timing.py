"""When a message is due, which one a score waits for, and what counts as late."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from emotion_service.types import SAMPLE_RATE_HERTZ

HOP_SECONDS = 0.5  # the service scores on this grid of each call's own time


def starts(calls: int, seed: int) -> list[float]:
    """Seconds by which each call begins later than the run: one in each 1/calls of the hop, at a
    random place in it and in random order, so that they spread over a message's period too."""
    random = np.random.default_rng(seed)
    places: list[float] = ((np.arange(calls) + random.random(calls)) / calls).tolist()
    random.shuffle(places)
    return [place * HOP_SECONDS for place in places]


def due(start: float, number: int, message_ms: int) -> float:
    """When message `number` (0, 1 …) of a call that began at `start` has to leave, in seconds."""
    return start + number * message_ms / 1000


def samples_a_message(message_ms: int) -> int:
    """Of each leg."""
    return SAMPLE_RATE_HERTZ * message_ms // 1000


def last_needed(end: int, message_ms: int) -> int:
    """The number of the first message with which the call's audio reaches `end` (samples)."""
    return max(1, -(-end // samples_a_message(message_ms))) - 1


def percentile(latencies: Sequence[float], misses: int, percent: float) -> float:
    """The nearest-rank percentile, where a miss took for ever: inf once it falls on one.

    NaN when there is nothing to rank.
    """
    count = len(latencies) + misses
    if count == 0:
        return math.nan
    rank = max(1, math.ceil(percent / 100 * count))
    return sorted(latencies)[rank - 1] if rank <= len(latencies) else math.inf
