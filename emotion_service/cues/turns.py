"""Who talks over whom, from the speech activity of all legs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

SHORTEST_TALK_OVER = 3200  # samples (400 ms) of overlap; a back-channel "mhm" is shorter


@dataclass(slots=True)
class _Overlap:
    start: int
    announced: bool = False


class Turns:
    """One call's talk-over cues.

    A leg talks over while it speaks and one that began before it still does; of two that begin
    together the one declared first counts as the earlier. The end of speech is told with hindsight:
    `hangover` is the most samples by which `SpeechActivity.decided` trails the `start` of what is
    not speech. An onset waits that much longer, so that what it says is true.
    """

    def __init__(self, legs: Sequence[str], hangover: int) -> None:
        self._legs = tuple(legs)
        self._settled_after = SHORTEST_TALK_OVER + hangover
        self._since: dict[str, int] = {}  # of the legs that speak
        self._overlaps: dict[str, _Overlap] = {}  # by the leg that broke in
        self._now = 0

    def add(self, activity: SpeechActivity) -> list[Cue]:
        """What follows from an activity; first what fell due before it was decided."""
        cues = self.advance(activity.decided)
        if activity.sound is Sound.SPEECH:
            self._since.setdefault(activity.leg, activity.start)
            self._open()
        else:
            self._since.pop(activity.leg, None)
            cues += self._end(activity.start, SHORTEST_TALK_OVER)
        return cues + self._announce()

    @property
    def due(self) -> int | None:
        """The time at which `advance` will have something to say, if nothing else happens."""
        dues = [o.start + self._settled_after for o in self._overlaps.values() if not o.announced]
        return min(dues, default=None)

    def advance(self, upto: int) -> list[Cue]:
        """Time passed: all activities decided up to `upto` are known."""
        self._now = max(self._now, upto)
        return self._announce()

    def close(self, end: int) -> list[Cue]:
        """The call ended, and with it every talk-over."""
        cues = self.advance(end)
        self._since.clear()
        return cues + self._end(end, self._settled_after)

    def _breaks_in(self, leg: str) -> bool:
        if leg not in self._since:
            return False
        first = min(self._since, key=lambda other: (self._since[other], self._legs.index(other)))
        return leg != first

    def _open(self) -> None:
        for leg in self._legs:
            if self._breaks_in(leg) and leg not in self._overlaps:
                self._overlaps[leg] = _Overlap(self._since[leg])

    def _end(self, end: int, shortest: int) -> list[Cue]:
        """Ends what is over; one that has not been told yet counts if it lasted `shortest`."""
        cues: list[Cue] = []
        for leg in [
            leg for leg in self._legs if leg in self._overlaps and not self._breaks_in(leg)
        ]:
            overlap = self._overlaps.pop(leg)
            start, last = overlap.start, max(overlap.start, end)
            if not overlap.announced:
                if last - start < shortest:
                    continue
                onset = start + SHORTEST_TALK_OVER
                cues.append(_cue(leg, CuePhase.ONSET, start, onset, self._now))
            cues.append(_cue(leg, CuePhase.OFFSET, start, last, self._now))
        return cues

    def _announce(self) -> list[Cue]:
        due = [
            (overlap.start, self._legs.index(leg), leg)
            for leg, overlap in self._overlaps.items()
            if not overlap.announced and overlap.start + self._settled_after <= self._now
        ]
        for _, _, leg in due:
            self._overlaps[leg].announced = True
        return [
            _cue(
                leg,
                CuePhase.ONSET,
                start,
                start + SHORTEST_TALK_OVER,
                start + self._settled_after,
            )
            for start, _, leg in sorted(due)
        ]


def _cue(leg: str, phase: CuePhase, start: int, end: int, decided: int) -> Cue:
    return Cue(leg, 0, CueKind.TALK_OVER, phase, start, end, decided, 1.0, evidence=end - start)
