"""Who has the floor, how long each answer took, and answers that took too long.

A leg takes the floor when it speaks and whoever had it does not, or stops before it does. What is
said while another goes on speaking is no turn: a back-channel, or an interruption that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

# Between speakers 200 ms are usual in every language studied (Stivers et al., PNAS 106, 2009), and
# a second is already heard as a sign of trouble (Jefferson 1989). Three are a wait, not a style.
SLOW_REPLY = 24_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A leg's turn from `start` on, in samples.

    `delay`: since the turn before ended, negative where this one began before that (at -3200 and
    below it broke in); None where there is none to answer: the first turn of a call, and what
    follows music, tones or hold. `length`: the speech in it, pauses left out, so far or at its end.
    """

    leg: str
    start: int
    delay: int | None
    length: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """The floor went from the turn `before`, now complete, to `after`, whose length is 0 as yet."""

    before: Reply | None
    after: Reply


class Floor:
    """Cuts one call into turns, told of all legs' activities in the order of their `decided`."""

    def __init__(self, legs: Sequence[str]) -> None:
        self._legs = tuple(legs)
        self._since: dict[str, int] = {}  # of the legs that speak
        self._busy: set[str] = set()  # the legs with music or tones: nobody waits for an answer
        self._busy_until = -1  # where such a sound last ended
        self._turn: Reply | None = None  # whoever has the floor; length without what is being said
        self._ended = 0  # where it last stopped to speak

    def add(self, activity: SpeechActivity) -> Transfer | None:
        """What the activity settles: at most one change of speakers."""
        leg, sound, at = activity.leg, activity.sound, activity.start
        if sound is not Sound.SPEECH and leg in self._since:
            self._stop(leg, at)
        self._follow(leg, sound, at)
        if sound is Sound.SPEECH:
            self._since.setdefault(leg, at)
        return self._pass()

    def close(self, end: int) -> Reply | None:
        """The call ended: the last turn, complete."""
        for leg in tuple(self._since):
            self._stop(leg, end)
        turn, self._turn = self._turn, None
        return turn

    def _stop(self, leg: str, at: int) -> None:
        since = self._since.pop(leg)
        if self._turn is not None and leg == self._turn.leg:
            begun = max(since, self._turn.start)
            self._turn = replace(self._turn, length=self._turn.length + max(0, at - begun))
            self._ended = max(at, begun)

    def _follow(self, leg: str, sound: Sound, at: int) -> None:
        if sound in (Sound.MUSIC, Sound.TONE):
            self._busy.add(leg)
        elif leg in self._busy:
            self._busy.discard(leg)
            self._busy_until = at

    def _pass(self) -> Transfer | None:
        if not self._since or (self._turn is not None and self._turn.leg in self._since):
            return None
        leg = min(self._since, key=lambda name: (self._since[name], self._legs.index(name)))
        before, start = self._turn, self._since[leg]
        answers = before is not None and not self._busy and self._busy_until <= self._ended
        self._turn = Reply(leg, start, start - self._ended if answers else None, 0)
        return Transfer(before, self._turn)


class SlowReplies:
    """One call's slow replies: each told, onset and offset, as the reply begins.

    Not before, for until then nobody knows who answers, or whether the other goes on: that silence
    is dead air when it lasts. `start` is where the other's turn ended, `end` where the reply began.
    """

    due = None

    def __init__(self, legs: Sequence[str]) -> None:
        self._floor = Floor(legs)

    def add(self, activity: SpeechActivity) -> list[Cue]:
        """What follows from an activity."""
        transfer = self._floor.add(activity)
        if transfer is None or transfer.after.delay is None or transfer.after.delay < SLOW_REPLY:
            return []
        reply, delay = transfer.after, transfer.after.delay
        onset = Cue(
            reply.leg,
            0,
            CueKind.SLOW_REPLY,
            CuePhase.ONSET,
            reply.start - delay,
            reply.start,
            activity.decided,
            1.0,
            evidence=0,
        )
        return [onset, replace(onset, phase=CuePhase.OFFSET)]

    def advance(self, upto: int) -> list[Cue]:
        """Nothing follows from time alone."""
        return []

    def close(self, end: int) -> list[Cue]:
        """Nothing lasts."""
        return []
