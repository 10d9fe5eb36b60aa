"""The headline state of a scored leg: exactly one at any time, calm enough to act on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import exp

from emotion_service.cues.evidence import Evidence, EvidenceRules
from emotion_service.types import (
    SAMPLE_RATE_HERTZ,
    Abstain,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    Probabilities,
)

HOUR = 3600 * SAMPLE_RATE_HERTZ
AGITATION = EvidenceRules()
ALERTS = (CueKind.AGITATED, CueKind.HAPPY, CueKind.DISTRESSED)  # what a budget is kept of


@dataclass(frozen=True, slots=True)
class StateRules:
    """When a state begins, lasts and ends. Lengths in samples, probabilities in 0..1.

    AGITATED begins when there is enough evidence and ends when none is left. Every other state is
    entered at `enter` and left below `exit`, by the average: in between it stays what it was.
    """

    agitated: EvidenceRules = AGITATION
    enter: float = 0.55
    exit: float = 0.40
    confirmations: int = 2  # successive scores that must agree to enter or to leave
    minimum: int = 4000  # from the first to the last score that agree to enter (500 ms)
    refractory: int = 40_000  # after its end a state of the same kind cannot begin (5 s)
    smoothing: int = 8000  # time constant of the average over the scores (1 s)
    longest_step: int = 16_000  # a pause counts as no more than this in the average (2 s)
    provisional_weight: float = 0.5  # of a score that rests on little speech
    non_speech: float = 0.4  # mean probability of late from which no state begins
    non_speech_memory: int = 16_000  # time constant of that mean (2 s)
    budget_per_hour: int = 12  # onsets of each of ALERTS in any hour; beyond that it cannot begin
    update_every: int = 16_000  # at most one update in this time (2 s)
    silence: int = 80_000  # longer without a usable score, and nothing is known any more (10 s)


DEFAULT_RULES = StateRules()


@dataclass(slots=True)
class _Run:
    """Successive scores that agree on `kind`, the first of which ended at `start`."""

    kind: CueKind | None = None
    start: int = 0
    scores: int = 0

    def extend(self, kind: CueKind | None, end: int) -> None:
        if kind is not self.kind:
            self.kind, self.start, self.scores = kind, end, 0
        self.scores += 1


class Mood:
    """One scored leg's state from its scores, which must come in the order of their ends.

    The states tile the time: one ends on the very sample on which the next begins, and both cues
    are told together. Before the first score there is none.
    """

    def __init__(self, rules: StateRules = DEFAULT_RULES) -> None:
        self._rules = rules
        self._state = CueKind.INSUFFICIENT_EVIDENCE
        self._start = 0  # of the state
        self._onset = 0  # when it was told
        self._told = 0  # end of the state's last cue
        self._abstain = Abstain.TOO_LITTLE_SPEECH  # why, in case the evidence is insufficient
        self._last: EmotionScore | None = None
        self._heard = 0  # end of the last usable score
        self._smoothed: dict[CueKind, float] = {}
        self._non_speech = 0.0  # mean probability of late
        self._asked = 0  # end of the last score for which the model was asked
        self._evidence = Evidence(rules.agitated)
        self._entering = _Run()
        self._leaving = _Run()
        self._may_return: dict[CueKind, int] = {}
        self._onsets = {kind: deque[int](maxlen=rules.budget_per_hour) for kind in ALERTS}

    def observe(self, score: EmotionScore) -> list[Cue]:
        """What follows from a score; first what fell due before its end."""
        cues = self.quiet(score.end)
        if score.abstain is not None:
            self._abstain = score.abstain
        if score.abstain is Abstain.NON_SPEECH:
            self._interrupt()  # an opinion too: the scores around it are not successive
        if score.non_speech is not None:
            self._doubt(score.non_speech, score.end)
        if self._last is None:
            self._start, self._told = score.start, score.end
            cues.append(self._cue(score, CuePhase.ONSET, score.end, score.end))
        self._last = score
        if score.probabilities is not None:
            return cues + self._weigh(score, score.probabilities)
        if self._state is CueKind.INSUFFICIENT_EVIDENCE:
            return cues + self._update(score)
        return cues

    @property
    def due(self) -> int | None:
        """The time at which `quiet` will have something to say, if no score comes."""
        insufficient = self._state is CueKind.INSUFFICIENT_EVIDENCE
        return None if insufficient else self._heard + self._rules.silence + 1

    def quiet(self, upto: int) -> list[Cue]:
        """Time passed: no score of this leg that ends before `upto` is still to come."""
        due = self.due
        if self._last is None or due is None or upto < due:
            return []
        return self._turn(self._last, CueKind.INSUFFICIENT_EVIDENCE, self._heard, due - 1)

    def close(self, end: int) -> list[Cue]:
        """The leg is no longer scored: at `end`, not before its last score's, its state ends.

        Should it be scored again, that takes a new Mood.
        """
        cues = self.quiet(end)
        if self._last is not None:
            cues.append(self._cue(self._last, CuePhase.OFFSET, end, end))
        return cues

    def _doubt(self, non_speech: float, end: int) -> None:
        """Whoever laughs has windows in which speech wins by little: they begin nothing."""
        first = self._asked == 0
        weight = 1.0 if first else 1 - exp(-(end - self._asked) / self._rules.non_speech_memory)
        self._non_speech += weight * (non_speech - self._non_speech)
        self._asked = end

    def _interrupt(self) -> None:
        """What was heard before this begins nothing after it."""
        self._entering = _Run()
        if self._state is not CueKind.AGITATED:
            self._evidence.clear()

    def _weigh(self, score: EmotionScore, probabilities: Probabilities) -> list[Cue]:
        if score.end - self._heard > self._rules.silence:
            self._interrupt()
        step = self._step(score.end)
        weight = self._rules.provisional_weight if score.provisional else 1.0
        self._smooth(_by_kind(probabilities), step, weight)
        if self._state is CueKind.AGITATED or self._may_begin(CueKind.AGITATED, score.end):
            self._evidence.add(probabilities.anger, score.end, step, weight)
            self._evidence.learn(probabilities.anger, step)
        else:
            self._evidence.clear()
        self._entering.extend(self._candidate(score.end), score.end)
        self._leaving.extend(self._fading(), score.end)
        self._heard = score.end
        return self._decide(score)

    def _step(self, end: int) -> int:
        longest = self._rules.longest_step
        return min(end - self._heard, longest) if self._smoothed else longest

    def _smooth(self, heard: dict[CueKind, float], step: int, weight: float) -> None:
        weight *= 1 - exp(-step / self._rules.smoothing)
        before = self._smoothed or heard
        self._smoothed = {
            kind: before[kind] + weight * (p - before[kind]) for kind, p in heard.items()
        }

    def _candidate(self, end: int) -> CueKind | None:
        """The kind that could be the state instead, as far as this score alone can tell."""
        kind = max(self._smoothed, key=self._smoothed.__getitem__)
        if kind is CueKind.AGITATED or self._smoothed[kind] < self._rules.enter:
            return None
        return kind if self._may_begin(kind, end) else None

    def _may_begin(self, kind: CueKind, end: int) -> bool:
        if kind is self._state or end < self._may_return.get(kind, end):
            return False
        return self._non_speech < self._rules.non_speech and not self._is_spent(kind, end)

    def _is_spent(self, kind: CueKind, end: int) -> bool:
        """Whether the budget is: the oldest of so many onsets is less than an hour old."""
        told = self._onsets.get(kind)
        return told is not None and len(told) == told.maxlen and (not told or end - told[0] < HOUR)

    def _fading(self) -> CueKind | None:
        return self._state if self._smoothed.get(self._state, 1.0) < self._rules.exit else None

    def _decide(self, score: EmotionScore) -> list[Cue]:
        if self._state is CueKind.AGITATED:
            return self._stay_agitated(score)
        since = self._evidence.since
        if since is not None and self._is_agitated(score.end, since):
            return self._enter(score, CueKind.AGITATED, since)
        if kind := self._confirmed(score.end):
            return self._enter(score, kind, self._entering.start)
        if self._leaving.kind and self._leaving.scores >= self._rules.confirmations:
            return self._leave(score, self._leaving.start)
        if self._state is not CueKind.INSUFFICIENT_EVIDENCE:
            self._abstain = Abstain.TOO_LITTLE_SPEECH
        elif not self._entering.kind and since is None:
            self._abstain = Abstain.AMBIGUOUS
        return self._update(score)

    def _is_agitated(self, end: int, since: int) -> bool:
        enough = self._evidence.amount >= self._rules.agitated.enough
        return enough and end - since >= self._rules.minimum

    def _stay_agitated(self, score: EmotionScore) -> list[Cue]:
        self._abstain = Abstain.TOO_LITTLE_SPEECH
        if self._evidence.amount > 0 or score.end - self._onset < self._rules.agitated.shortest:
            return self._update(score)
        if kind := self._confirmed(score.end):
            return self._enter(score, kind, self._entering.start)
        return self._leave(score, score.end)

    def _confirmed(self, end: int) -> CueKind | None:
        """The kind on which enough successive scores agree."""
        run, rules = self._entering, self._rules
        lasted = end - run.start >= rules.minimum
        return run.kind if run.scores >= rules.confirmations and lasted else None

    def _enter(self, score: EmotionScore, kind: CueKind, start: int) -> list[Cue]:
        # Should nothing usable be heard after this score, that will be the reason.
        self._abstain = Abstain.TOO_LITTLE_SPEECH
        return self._turn(score, kind, start, score.end)

    def _leave(self, score: EmotionScore, start: int) -> list[Cue]:
        self._abstain = Abstain.AMBIGUOUS
        return self._turn(score, CueKind.INSUFFICIENT_EVIDENCE, start, score.end)

    def _turn(self, score: EmotionScore, kind: CueKind, start: int, known: int) -> list[Cue]:
        # AGITATED is not said to have ended before it was told.
        start = max(start, self._onset if self._state is CueKind.AGITATED else self._start)
        offset = self._cue(score, CuePhase.OFFSET, start, known)
        if self._state is not CueKind.INSUFFICIENT_EVIDENCE:
            self._may_return[self._state] = start + self._rest()
        if kind in self._onsets:
            self._onsets[kind].append(known)
        self._state, self._start, self._told, self._onset = kind, start, known, known
        return [offset, self._cue(score, CuePhase.ONSET, known, known)]

    def _rest(self) -> int:
        """How long the state that ends cannot begin again."""
        agitated = self._state is CueKind.AGITATED
        return self._rules.agitated.rest if agitated else self._rules.refractory

    def _update(self, score: EmotionScore) -> list[Cue]:
        if score.end - self._told < self._rules.update_every:
            return []
        self._told = score.end
        return [self._cue(score, CuePhase.UPDATE, score.end, score.end)]

    def _cue(self, score: EmotionScore, phase: CuePhase, end: int, decided: int) -> Cue:
        insufficient = self._state is CueKind.INSUFFICIENT_EVIDENCE
        return Cue(
            leg=score.leg,
            sequence=0,
            kind=self._state,
            phase=phase,
            start=self._start,
            end=end,
            decided=decided,
            confidence=self._smoothed.get(self._state, 0.0),
            evidence=score.evidence,
            abstain=self._abstain if insufficient else None,
            reasons=score.reasons,
            quality=score.quality,
            model_version=score.model_version,
        )


def _by_kind(probabilities: Probabilities) -> dict[CueKind, float]:
    return {
        CueKind.AGITATED: probabilities.anger,
        CueKind.HAPPY: probabilities.happiness,
        CueKind.DISTRESSED: probabilities.sadness,
        CueKind.NEUTRAL: probabilities.neutral,
    }
