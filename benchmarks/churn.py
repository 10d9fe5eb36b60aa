"""Which calls and watchers follow each other: the same for the same seed, whatever is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np


class Fate(Enum):
    """How a call ends; the value is the status that its client then has."""

    COMPLETED = "OK"
    WITHDRAWN = "OK, consent withdrawn half-way"
    CANCELLED = "CANCELLED"
    GARBAGE = "INVALID_ARGUMENT, unreadable bytes"
    WRONG_UPDATE = "INVALID_ARGUMENT, an update without a change"

    @property
    def status(self) -> str:
        """In gRPC's words."""
        return self.value.partition(",")[0]


SHARES = {
    Fate.COMPLETED: 0.55,
    Fate.WITHDRAWN: 0.15,
    Fate.CANCELLED: 0.15,
    Fate.GARBAGE: 0.08,
    Fate.WRONG_UPDATE: 0.07,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One call: how long it lasts, and how it ends."""

    seconds: float
    fate: Fate


@dataclass(frozen=True, slots=True)
class Visit:
    """One watcher who comes, reads everything, and goes."""

    seconds: float
    scores_too: bool


def planned_calls(seed: int, line: int, seconds: tuple[float, float]) -> Iterator[Planned]:
    """The calls of one line, one after the other, each of `seconds` from .. to."""
    random = np.random.default_rng((seed, line, 0))
    fates, shares = list(SHARES), list(SHARES.values())
    while True:
        length = float(random.uniform(*seconds))
        yield Planned(length, fates[random.choice(len(fates), p=shares)])


def visits(seed: int, line: int, seconds: tuple[float, float]) -> Iterator[Visit]:
    """The watchers of one place, one after the other, each for `seconds` from .. to."""
    random = np.random.default_rng((seed, line, 1))
    while True:
        yield Visit(float(random.uniform(*seconds)), bool(random.random() < 0.5))
