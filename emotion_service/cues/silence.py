"""Dead air: nobody speaks, nothing plays, and somebody should say something."""

from __future__ import annotations

from collections.abc import Sequence

from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

# Contact centres set 5 to 10 s. The least of these: an onset is for whoever can still say "one
# moment, please". Between turns 200 ms are usual (see cues.replies).
DEAD_AIR = 40_000


class DeadAir:
    """One call's dead air, told of the leg that spoke last.

    Music, tones and a leg on hold are something to hear: dead air begins where they and all speech
    have ended, and ends with the next of them. None begins before somebody has spoken. `lag`: the
    most samples by which `SpeechActivity.decided` trails the `start` of a sound; an onset waits
    that much longer, so that what it says is true.
    """

    def __init__(self, legs: Sequence[str], lag: int) -> None:
        self._sounding = dict.fromkeys(legs, Sound.SILENCE)
        self._settled_after = DEAD_AIR + lag
        self._spoke: str | None = None  # last
        self._ended = 0  # the last sound that was no silence
        self._since: int | None = None  # of the silence that may become dead air
        self._told = False

    @property
    def due(self) -> int | None:
        """The time at which `advance` will have something to say, if nothing else happens."""
        return None if self._since is None or self._told else self._since + self._settled_after

    def add(self, activity: SpeechActivity) -> list[Cue]:
        """What follows from an activity; first what fell due before it was decided."""
        cues = self.advance(activity.decided)
        before = self._sounding[activity.leg]
        self._sounding[activity.leg] = activity.sound
        if before is Sound.SPEECH and activity.sound is not Sound.SPEECH:
            self._spoke = activity.leg
        if before is not Sound.SILENCE:
            self._ended = max(self._ended, activity.start)
        if set(self._sounding.values()) != {Sound.SILENCE}:
            return cues + self._end(activity.start, activity.decided)
        if self._spoke is not None and self._since is None:
            self._since = self._ended
        return cues

    def advance(self, upto: int) -> list[Cue]:
        """Time passed: all activities decided up to `upto` are known."""
        due = self.due
        return [] if due is None or due > upto else self._tell(due)

    def close(self, end: int) -> list[Cue]:
        """The call ended, and with it the silence."""
        return self.advance(end) + self._end(end, end)

    def _tell(self, decided: int) -> list[Cue]:
        assert self._since is not None
        self._told = True
        return [self._cue(CuePhase.ONSET, self._since, self._since + DEAD_AIR, decided)]

    def _end(self, at: int, decided: int) -> list[Cue]:
        if self._since is None:
            return []
        cues: list[Cue] = []
        if not self._told and at >= self._since + DEAD_AIR:
            cues = self._tell(decided)
        if self._told:
            cues.append(self._cue(CuePhase.OFFSET, self._since, max(at, self._since), decided))
        self._since, self._told = None, False
        return cues

    def _cue(self, phase: CuePhase, start: int, end: int, decided: int) -> Cue:
        assert self._spoke is not None
        return Cue(self._spoke, 0, CueKind.DEAD_AIR, phase, start, end, decided, 1.0, evidence=0)
