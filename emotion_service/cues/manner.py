"""Urgent and curt: two indices of a scored leg against its own baseline, and their cues.

An index is a weighted sum of components, none of which alone can begin a cue. No labels are behind
it: it is no probability, and its components are listed with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emotion_service.cues.bearing import Exchange, Voice
from emotion_service.cues.episode import DEFAULT_EPISODE, Change, Episode, EpisodeRules
from emotion_service.cues.manner_words import reason
from emotion_service.cues.usual import Compared
from emotion_service.types import Cue, CueKind, EmotionScore, Reason

LONGEST_STEP = 16_000  # a pause counts as no more than this in averages over time (2 s)
FORGET = 160_000  # without a usable score for longer nothing is known any more (20 s)


@dataclass(frozen=True, slots=True)
class Component:
    """What a feature adds to an index, once it is above (`sign` 1) or below (-1) the usual."""

    feature: str
    weight: float
    sign: int
    needed: bool  # before this has a baseline of the speaker's own, the index is unknown

    def adds(self, shift: float) -> float:
        """0 up to the usual, half the weight at one standard deviation, never all of it."""
        beyond = max(0.0, self.sign * shift)
        return self.weight * beyond * beyond / (1 + beyond * beyond)


URGENCY = (
    Component("pace", 0.35, 1, needed=True),
    Component("reply_delay", 0.25, -1, needed=False),
    Component("arousal", 0.25, 1, needed=True),
    Component("interruptions", 0.15, 1, needed=False),
)
CURTNESS = (
    Component("anger", 0.30, 1, needed=True),
    Component("reply_length", 0.25, -1, needed=False),
    Component("brightness", 0.25, 1, needed=True),
    Component("pitch_range", 0.20, -1, needed=True),
)
INDICES = {CueKind.URGENT: URGENCY, CueKind.CURT: CURTNESS}


def index(components: Sequence[Component], known: Mapping[str, Compared]) -> float | None:
    """In 0..1. None while a component that it needs has no baseline of the speaker's own; any other
    that is not known adds nothing."""
    total = 0.0
    for component in components:
        compared = known.get(component.feature)
        if component.needed and (compared is None or not compared.own_baseline):
            return None
        if compared is not None:
            total += component.adds(compared.shift)
    return total


def reasons(components: Sequence[Component], known: Mapping[str, Compared]) -> tuple[Reason, ...]:
    """The known components, those that add most first."""
    there = [c for c in components if c.feature in known]
    there.sort(key=lambda c: -c.adds(known[c.feature].shift))
    return tuple(reason(c.feature, known[c.feature]) for c in there)


class Manner:
    """One scored leg's indices and their cues, told in the order of time, `at` being the first."""

    def __init__(self, at: int, rules: EpisodeRules = DEFAULT_EPISODE) -> None:
        self._voice, self._exchange = Voice(), Exchange(at)
        self._episodes = {kind: Episode(rules) for kind in INDICES}
        self._indices: dict[CueKind, float] = {}
        self._last: EmotionScore | None = None  # with an opinion
        self._speech = 0  # samples on which the indices rest

    def value(self, kind: CueKind) -> float | None:
        """The index of URGENT or CURT as of now; None while it is not known."""
        return self._indices.get(kind)

    def observe(self, score: EmotionScore) -> list[Cue]:
        """What follows from a score; first what fell due before its end."""
        cues = self.quiet(score.end)
        if score.probabilities is None:
            return cues
        step = min(score.end - self._last.end, LONGEST_STEP) if self._last else LONGEST_STEP
        speech = min(step, score.evidence)
        self._voice.observe(score, step, speech)
        self._last = score
        self._speech += speech
        return cues + self._weigh(score.end)

    def answered(self, delay: int, now: int) -> list[Cue]:
        """The leg began to answer, so many samples after the turn before."""
        self._exchange.delayed(delay)
        return self._weigh(now)

    def spoke(self, length: int, now: int) -> list[Cue]:
        """A turn of the leg with so many samples of speech is over."""
        self._exchange.spoke(length)
        return self._weigh(now)

    def broke_in(self, at: int, now: int) -> list[Cue]:
        """The leg broke in on another `at`."""
        self._exchange.broke_in(at)
        return self._weigh(now)

    @property
    def due(self) -> int | None:
        """The time at which `quiet` will forget, if no score comes."""
        return self._last.end + FORGET + 1 if self._last else None

    def quiet(self, upto: int) -> list[Cue]:
        """Time passed: no score of this leg that ends before `upto` is still to come."""
        if self._last is None or upto <= self._last.end + FORGET:
            return []
        cues = self._end(self._last.end, self._last.end + FORGET)
        self._last = None
        self._indices.clear()
        self._voice.forget()
        return cues

    def close(self, end: int) -> list[Cue]:
        """The leg is no longer scored: what lasted ends."""
        return self.quiet(end) + self._end(end, end)

    def _end(self, end: int, now: int) -> list[Cue]:
        return [
            self._cue(kind, change, self._known(now))
            for kind, episode in self._episodes.items()
            for change in episode.end(end, now)
        ]

    def _known(self, now: int) -> dict[str, Compared]:
        return {**self._voice.lately, **self._exchange.lately(now)}

    def _weigh(self, now: int) -> list[Cue]:
        if self._last is None:
            return []
        known = self._known(now)
        cues: list[Cue] = []
        for kind, components in INDICES.items():
            value = index(components, known)
            if value is not None:
                self._indices[kind] = value
                cues += [self._cue(kind, c, known) for c in self._episodes[kind].weigh(value, now)]
        return cues

    def _cue(self, kind: CueKind, change: Change, known: Mapping[str, Compared]) -> Cue:
        assert self._last is not None
        return Cue(
            leg=self._last.leg,
            sequence=0,
            kind=kind,
            phase=change.phase,
            start=change.start,
            end=change.end,
            decided=change.decided,
            confidence=0.0,
            evidence=self._speech,
            reasons=reasons(INDICES[kind], known),
            quality=self._last.quality,
            model_version=self._last.model_version,
            index=self._indices[kind],
        )
