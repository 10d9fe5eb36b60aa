"""When an index is worth a cue: hysteresis, minimum duration, refractory time and a budget."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from emotion_service.types import CuePhase

HOUR = 28_800_000  # samples


@dataclass(frozen=True, slots=True)
class EpisodeRules:
    """When an episode begins, lasts and ends. Times in samples, indices in 0..1."""

    enter: float = 0.45
    exit: float = 0.30
    minimum: int = 16_000  # from the first to the last index that agree to begin or to end (2 s)
    refractory: int = 160_000  # after its end none can begin (20 s)
    budget: int = 12  # onsets an hour
    update_every: int = 16_000  # at most one update in this time (2 s)


DEFAULT_EPISODE = EpisodeRules()


class Change(NamedTuple):
    """Something to tell of an episode; the fields as in Cue."""

    phase: CuePhase
    start: int
    end: int
    decided: int


class Episode:
    """Whether something lasts, from an index told in the order of time."""

    def __init__(self, rules: EpisodeRules) -> None:
        self._rules = rules
        self._start: int | None = None  # of the episode that lasts
        self._agreed: int | None = None  # since then the index says that this should change
        self._told = 0
        self._may_begin = 0
        self._begun: deque[int] = deque(maxlen=rules.budget)

    @property
    def lasts(self) -> bool:
        return self._start is not None

    def weigh(self, index: float, now: int) -> list[Change]:
        """What follows from the index as it is `now`."""
        agrees = index < self._rules.exit if self.lasts else self._begins(index, now)
        if not agrees:
            self._agreed = None
        elif self._agreed is None:
            self._agreed = now
        elif now - self._agreed >= self._rules.minimum:
            return self.end(self._agreed, now) if self.lasts else [self._begin(self._agreed, now)]
        return self._update(now)

    def end(self, end: int, now: int) -> list[Change]:
        """It is over, if it lasted."""
        if self._start is None:
            self._agreed = None
            return []
        change = Change(CuePhase.OFFSET, self._start, max(self._start, end), now)
        self._start = self._agreed = None
        self._may_begin = change.end + self._rules.refractory
        return [change]

    def _begins(self, index: float, now: int) -> bool:
        spent = len(self._begun) == self._rules.budget and now - self._begun[0] < HOUR
        return index >= self._rules.enter and now >= self._may_begin and not spent

    def _begin(self, start: int, now: int) -> Change:
        self._start, self._agreed, self._told = start, None, now
        self._begun.append(now)
        return Change(CuePhase.ONSET, start, now, now)

    def _update(self, now: int) -> list[Change]:
        if self._start is None or now - self._told < self._rules.update_every:
            return []
        self._told = now
        return [Change(CuePhase.UPDATE, self._start, now, now)]
