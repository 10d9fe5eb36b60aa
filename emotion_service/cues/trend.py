"""Where the call is heading: a Trend every 5 s of its own time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from operator import mul
from typing import NamedTuple

from emotion_service.types import CueKind, EmotionScore, LegTrend, Trend

STEP = 40_000  # samples (5 s): trends lie on this grid
MINUTE_STEPS = 12
LATELY_STEPS = 3  # what is said of arousal and valence of late looks back (15 s)
SHORTEST_SLOPE = 6  # steps between the first and the last for a slope (30 s)


class _Step(NamedTuple):
    """Sums over the scores that ended in 5 s."""

    scores: int
    arousal: float
    valence: float


class Drift:
    """A scored leg's arousal and valence over the last minute."""

    def __init__(self) -> None:
        self._scores, self._arousal, self._valence = 0, 0.0, 0.0  # since the last step
        self._steps: deque[_Step] = deque(maxlen=MINUTE_STEPS)

    def observe(self, score: EmotionScore) -> None:
        if score.indices is not None:
            self._scores += 1
            self._arousal += score.indices.arousal
            self._valence += score.indices.valence

    def step(self) -> None:
        """Five seconds are over."""
        self._steps.append(_Step(self._scores, self._arousal, self._valence))
        self._scores, self._arousal, self._valence = 0, 0.0, 0.0

    def lately(self) -> tuple[float | None, float | None]:
        """Mean arousal and valence of the last 15 s."""
        scores, arousal, valence = 0, 0.0, 0.0
        for step in islice(reversed(self._steps), LATELY_STEPS):
            scores += step.scores
            arousal += step.arousal
            valence += step.valence
        return (arousal / scores, valence / scores) if scores else (None, None)

    def slope(self) -> float | None:
        """Change of arousal a minute: least squares over the steps' means of the last minute."""
        times: list[int] = []
        means: list[float] = []
        for time, step in enumerate(self._steps):
            if step.scores:
                times.append(time)
                means.append(step.arousal / step.scores)
        if not times or times[-1] - times[0] < SHORTEST_SLOPE:
            return None
        count, total = len(times), sum(times)
        spread = count * sum(map(mul, times, times)) - total * total
        slope: float = (count * sum(map(mul, times, means)) - total * sum(means)) / spread
        return MINUTE_STEPS * slope


class Trends:
    """One call's trends. `shares`: what part of all speech before some time is whose; `index`: a
    leg's URGENT and CURT as of now."""

    def __init__(
        self,
        legs: Sequence[str],
        shares: Callable[[Sequence[str], int], dict[str, float]],
        index: Callable[[str, CueKind], float | None],
    ) -> None:
        self._legs, self._shares, self._index = tuple(legs), shares, index
        self._drifts: dict[str, Drift] = {}
        self._next = STEP
        self.latest: Trend | None = None

    def open(self, leg: str) -> None:
        self._drifts[leg] = Drift()

    def shut(self, leg: str) -> None:
        """Nothing is known of the leg any more, of what was neither."""
        self._drifts.pop(leg, None)
        if self.latest is not None:
            legs = (LegTrend(t.leg, t.talk_share) if t.leg == leg else t for t in self.latest.legs)
            self.latest = Trend(self.latest.at, tuple(legs))

    def observe(self, score: EmotionScore) -> None:
        if score.leg in self._drifts:
            self._drifts[score.leg].observe(score)

    @property
    def due(self) -> int:
        """The time from which on all that the next trend counts is known."""
        return self._next + 1

    def advance(self, upto: int) -> list[Trend]:
        """Time passed: all events up to, but not at, `upto` have been told."""
        told: list[Trend] = []
        while self.due <= upto:
            for drift in self._drifts.values():
                drift.step()
            shares = self._shares(self._legs, self._next)
            self.latest = Trend(
                self._next, tuple(self._leg(leg, shares[leg]) for leg in self._legs)
            )
            told.append(self.latest)
            self._next += STEP
        return told

    def _leg(self, leg: str, share: float) -> LegTrend:
        drift = self._drifts.get(leg)
        if drift is None:
            return LegTrend(leg, share)
        arousal, valence = drift.lately()
        urgency, curtness = self._index(leg, CueKind.URGENT), self._index(leg, CueKind.CURT)
        return LegTrend(leg, share, arousal, valence, drift.slope(), urgency, curtness)
