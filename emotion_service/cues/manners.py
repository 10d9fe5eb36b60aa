"""The manners of a call's scored legs, told of all legs' speech and of their own scores."""

from __future__ import annotations

from collections.abc import Sequence

from emotion_service.cues.manner import Manner
from emotion_service.cues.replies import Floor
from emotion_service.types import Cue, CueKind, CuePhase, EmotionScore, SpeechActivity


class Manners:
    """A leg has one while it is open, and what came before that counts for nothing."""

    def __init__(self, legs: Sequence[str]) -> None:
        self._floor = Floor(legs)
        self._open: dict[str, Manner] = {}
        self._since: dict[str, int] = {}

    def open(self, leg: str, at: int) -> None:
        """From now on the leg is scored."""
        self._open[leg], self._since[leg] = Manner(at), at

    def shut(self, leg: str, end: int) -> list[Cue]:
        """The leg is no longer scored."""
        manner = self._open.pop(leg, None)
        return manner.close(end) if manner else []

    def index(self, leg: str, kind: CueKind) -> float | None:
        """A leg's URGENT or CURT as of now; None while it is not known."""
        manner = self._open.get(leg)
        return manner.value(kind) if manner else None

    def observe(self, score: EmotionScore) -> list[Cue]:
        manner = self._open.get(score.leg)
        return manner.observe(score) if manner else []

    def heed(self, cue: Cue) -> list[Cue]:
        """Of another listener's cues, those that say who broke in."""
        manner = self._of(cue.leg, cue.start)
        if manner is None or (cue.kind, cue.phase) != (CueKind.TALK_OVER, CuePhase.ONSET):
            return []
        return manner.broke_in(cue.start, cue.decided)

    def add(self, activity: SpeechActivity) -> list[Cue]:
        """What follows from an activity."""
        transfer = self._floor.add(activity)
        if transfer is None:
            return []
        cues: list[Cue] = []
        before, after = transfer.before, transfer.after
        if before is not None and (manner := self._of(before.leg, before.start)):
            cues += manner.spoke(before.length, activity.decided)
        if after.delay is not None and (manner := self._of(after.leg, after.start)):
            cues += manner.answered(after.delay, activity.decided)
        return cues

    @property
    def due(self) -> int | None:
        """The time at which `advance` will have something to say, if nothing else happens."""
        dues = [manner.due for manner in self._open.values()]
        return min((due for due in dues if due is not None), default=None)

    def advance(self, upto: int) -> list[Cue]:
        """Time passed: no score that ends before `upto` is still to come."""
        return [cue for manner in self._open.values() for cue in manner.quiet(upto)]

    def close(self, end: int) -> list[Cue]:
        """The call ended."""
        return [cue for leg in tuple(self._open) for cue in self.shut(leg, end)]

    def _of(self, leg: str, start: int) -> Manner | None:
        """Whose manner it is that a turn began so; nobody's, if the leg was not open then."""
        return self._open[leg] if leg in self._open and start >= self._since[leg] else None
