"""The headline state of a scored leg: exactly one at any time, calm enough to act on."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from emotion_service.types import Abstain, Cue, CueKind, CuePhase, EmotionScore, Probabilities


@dataclass(frozen=True, slots=True)
class StateRules:
    """When a state begins, lasts and ends. Lengths in samples, probabilities and indices in 0..1.

    A state is entered at `enter` and left below `exit`: in between it stays what it was.
    """

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
    arousal_rise: float = 0.10  # over the speaker's own mean, to enter AGITATED
    arousal_known: int = 80_000  # speech on which that mean must rest to be asked (10 s)
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


@dataclass(slots=True)
class _Arousal:
    """The speaker's mean arousal so far and the samples of speech behind it."""

    mean: float = 0.0
    scores: int = 0
    speech: int = 0

    def add(self, arousal: float, speech: int) -> None:
        self.scores += 1
        self.speech += speech
        self.mean += (arousal - self.mean) / self.scores


class Mood:
    """One scored leg's state from its scores, which must come in the order of their ends.

    The states tile the time: one ends on the very sample on which the next begins, and both cues
    are told together. Before the first score there is none.
    """

    def __init__(self, rules: StateRules = DEFAULT_RULES) -> None:
        self._rules = rules
        self._state = CueKind.INSUFFICIENT_EVIDENCE
        self._start = 0  # of the state
        self._told = 0  # end of the state's last cue
        self._abstain = Abstain.TOO_LITTLE_SPEECH  # why, in case the evidence is insufficient
        self._last: EmotionScore | None = None
        self._heard = 0  # end of the last usable score
        self._smoothed: dict[CueKind, float] = {}
        self._non_speech = 0.0  # mean probability of late
        self._asked = 0  # end of the last score for which the model was asked
        self._arousal = _Arousal()
        self._entering = _Run()
        self._leaving = _Run()
        self._may_return: dict[CueKind, int] = {}

    def observe(self, score: EmotionScore) -> list[Cue]:
        """What follows from a score; first what fell due before its end."""
        cues = self.quiet(score.end)
        if score.abstain is not None:
            self._abstain = score.abstain
        if score.abstain is Abstain.NON_SPEECH:
            self._entering = _Run()  # an opinion too: the scores around it are not successive
        if score.non_speech is not None:
            self._doubt(score.non_speech, score.end)
        if self._last is None:
            self._start, self._told = score.start, score.end
            cues.append(self._cue(score, CuePhase.ONSET, score.end, score.end))
        self._last = score
        if score.probabilities is not None and score.indices is not None:
            return cues + self._weigh(score, score.probabilities, score.indices.arousal)
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
        self._entering = _Run()
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

    def _weigh(
        self, score: EmotionScore, probabilities: Probabilities, arousal: float
    ) -> list[Cue]:
        step = self._step(score.end)
        self._smooth(_by_kind(probabilities), step, score.provisional)
        self._entering.extend(self._candidate(score.end, arousal), score.end)
        self._leaving.extend(self._fading(), score.end)
        self._arousal.add(arousal, min(step, score.evidence))
        self._heard = score.end
        return self._decide(score)

    def _step(self, end: int) -> int:
        longest = self._rules.longest_step
        return min(end - self._heard, longest) if self._smoothed else longest

    def _smooth(self, heard: dict[CueKind, float], step: int, provisional: bool) -> None:
        weight = 1 - exp(-step / self._rules.smoothing)
        if provisional:
            weight *= self._rules.provisional_weight
        before = self._smoothed or heard
        self._smoothed = {
            kind: before[kind] + weight * (p - before[kind]) for kind, p in heard.items()
        }

    def _candidate(self, end: int, arousal: float) -> CueKind | None:
        """The kind that could be the state instead, as far as this score alone can tell."""
        kind = max(self._smoothed, key=self._smoothed.__getitem__)
        if kind is self._state or self._smoothed[kind] < self._rules.enter:
            return None
        if end < self._may_return.get(kind, end) or self._non_speech >= self._rules.non_speech:
            return None
        if kind is CueKind.AGITATED and not self._is_aroused(arousal):
            return None
        return kind

    def _is_aroused(self, arousal: float) -> bool:
        """Against the speaker's own mean; true while that is not known well enough."""
        if self._arousal.speech < self._rules.arousal_known:
            return True
        return arousal - self._arousal.mean >= self._rules.arousal_rise

    def _fading(self) -> CueKind | None:
        return self._state if self._smoothed.get(self._state, 1.0) < self._rules.exit else None

    def _decide(self, score: EmotionScore) -> list[Cue]:
        entering, leaving, needed = self._entering, self._leaving, self._rules.confirmations
        lasted = score.end - entering.start >= self._rules.minimum
        if entering.kind and entering.scores >= needed and lasted:
            # Should nothing usable be heard after this score, that will be the reason.
            self._abstain = Abstain.TOO_LITTLE_SPEECH
            return self._turn(score, entering.kind, entering.start, score.end)
        if leaving.kind and leaving.scores >= needed:
            self._abstain = Abstain.AMBIGUOUS
            return self._turn(score, CueKind.INSUFFICIENT_EVIDENCE, leaving.start, score.end)
        if self._state is not CueKind.INSUFFICIENT_EVIDENCE:
            self._abstain = Abstain.TOO_LITTLE_SPEECH
        elif not entering.kind:
            self._abstain = Abstain.AMBIGUOUS
        return self._update(score)

    def _turn(self, score: EmotionScore, kind: CueKind, start: int, known: int) -> list[Cue]:
        start = max(start, self._start)
        offset = self._cue(score, CuePhase.OFFSET, start, known)
        if self._state is not CueKind.INSUFFICIENT_EVIDENCE:
            self._may_return[self._state] = start + self._rules.refractory
        self._state, self._start, self._told = kind, start, known
        return [offset, self._cue(score, CuePhase.ONSET, known, known)]

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
