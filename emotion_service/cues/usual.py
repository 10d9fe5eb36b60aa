"""What is usual for a speaker, shrunk towards what is typical, and what is heard of late."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

RECENT = 3  # replies that count as of late


@dataclass(slots=True)
class Usual:
    """A running mean that starts at `typical`, as if `prior` had been observed of it.

    Weights are in the observer's own unit: seconds of speech, or a count. `deviation`: by how much
    people and moments differ, the unit of a shift. From a weight of `own` on it is the speaker's.
    """

    typical: float
    deviation: float
    prior: float
    own: float
    weight: float = 0.0
    _total: float = 0.0

    def add(self, value: float, weight: float = 1.0) -> None:
        self.weight += weight
        self._total += weight * value

    @property
    def mean(self) -> float:
        return (self.prior * self.typical + self._total) / (self.prior + self.weight)

    @property
    def is_own(self) -> bool:
        return self.weight >= self.own

    def shift(self, value: float) -> float:
        return (value - self.mean) / self.deviation


@dataclass(slots=True)
class Replies:
    """A quantity of the last RECENT replies against that of those before them."""

    usual: Usual
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def add(self, value: float) -> None:
        if len(self._recent) == RECENT:
            self.usual.add(self._recent[0])
        self._recent.append(value)

    @property
    def lately(self) -> float | None:
        """The mean of the last ones; None until there are enough, and before them too."""
        known = self.usual.is_own and len(self._recent) == RECENT
        return sum(self._recent) / RECENT if known else None


@dataclass(slots=True)
class Compared:
    """A feature of late against what is usual; the fields as in Reason."""

    value: float
    baseline: float
    shift: float
    own_baseline: bool

    def approach(self, heard: Compared, part: float) -> None:
        """By that part of the way: all three alike, so that they go on belonging together."""
        self.value += part * (heard.value - self.value)
        self.baseline += part * (heard.baseline - self.baseline)
        self.shift += part * (heard.shift - self.shift)
        self.own_baseline = heard.own_baseline
