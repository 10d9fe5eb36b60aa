"""Evidence for a change of mood: it mounts score by score, against the speaker's usual."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

SURE = 1e-6  # no probability counts as nearer to 0 or 1


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """When a state begins and ends by it. Evidence is in natural log-odds, lengths in samples."""

    enough: float = 3.0  # from which the state may begin; it ends when nothing is left
    shortest: int = 16_000  # it does not end sooner after it was told (2 s)
    rest: int = 120_000  # after its end it cannot begin again (15 s)
    leap: float = 1.25  # log-odds above the usual ones from which a score speaks for the state
    largest: float = 3.5  # no score counts as further from the usual, either way
    most: float = 8.0  # more is not kept, so that the state ends soon after its cause
    hop: int = 4000  # scores that come closer together than this count by their distance (500 ms)
    usual: float = 0.18  # probability for a speaker not heard yet
    usual_most: float = 0.35  # nobody's usual is taken for more: who is angry throughout stays so
    usual_weight: int = 160_000  # of that, against what was heard of him (20 s)
    usual_memory: int = 4_800_000  # time constant of what is usual (10 min)


class Evidence:
    """The cumulative sum (Page, 1954) of the log-odds above the speaker's usual ones.

    Each score adds by how much its log-odds exceed the usual ones and the leap; below that it takes
    away. The sum is never below 0: where it last was 0 the change began.
    """

    def __init__(self, rules: EvidenceRules) -> None:
        self._rules = rules
        self.amount = 0.0
        self.since: int | None = None  # end of the first score since there is any
        self._sum = 0.0  # of the speaker's log-odds, weighted by time
        self._weight = 0.0

    @property
    def usual(self) -> float:
        """The speaker's usual log-odds."""
        prior = self._rules.usual_weight
        heard = (self._sum + prior * _log_odds(self._rules.usual)) / (self._weight + prior)
        return min(heard, _log_odds(self._rules.usual_most))

    def add(self, probability: float, end: int, step: int, weight: float) -> None:
        """A score that ends at `end`, `step` samples after the one before, and counts `weight`."""
        rules = self._rules
        above = _log_odds(probability) - self.usual
        above = max(-rules.largest, min(above, rules.largest))
        share = weight * min(step / rules.hop, 1.0)
        self.amount = max(0.0, min(self.amount + share * (above - rules.leap), rules.most))
        if self.amount == 0.0:
            self.since = None
        elif self.since is None:
            self.since = end

    def learn(self, probability: float, step: int) -> None:
        """This score is usual for the speaker; of a longer pause before it, a hop counts."""
        time = min(step, self._rules.hop)
        fading = exp(-time / self._rules.usual_memory)
        self._sum = self._sum * fading + time * _log_odds(probability)
        self._weight = self._weight * fading + time

    def clear(self) -> None:
        """Nothing is left of it; what is usual stays."""
        self.amount, self.since = 0.0, None


def _log_odds(probability: float) -> float:
    bounded = max(SURE, min(probability, 1 - SURE))
    return log(bounded / (1 - bounded))
