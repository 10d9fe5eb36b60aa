"""The course of one call: events of all legs in, numbered cues out, in the call's own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from emotion_service.cues.states import Mood
from emotion_service.cues.summary import LegEnd, Tally
from emotion_service.cues.timeline import Moment, TimedEvent, Timeline
from emotion_service.cues.turns import Turns
from emotion_service.types import (
    STATES,
    CallSummary,
    Cue,
    CueKind,
    CuePhase,
    EndReason,
    SpeechActivity,
    Text,
    Trend,
)


class Listener(Protocol):
    """Makes cues of the speech activity of all legs, told of it and of time in one order."""

    @property
    def due(self) -> int | None:
        """The time at which `advance` will have something to say, if nothing else happens."""
        ...

    def add(self, activity: SpeechActivity) -> list[Cue]:
        """What follows from an activity; first what fell due before it was decided."""
        ...

    def advance(self, upto: int) -> list[Cue]:
        """Time passed: all activities decided up to `upto` are known."""
        ...

    def close(self, end: int) -> list[Cue]:
        """The call ended, and with it everything that lasted."""
        ...


class Course:
    """Timeline, turns, moods and tally of one call, told of time in one order.

    `hangover` as in Turns. Scores of a leg count while its mood is open.
    """

    def __init__(self, legs: Sequence[str], hangover: int) -> None:
        self._timeline = Timeline(legs)
        self._listeners: tuple[Listener, ...] = (Turns(legs, hangover),)
        self._moods: dict[str, Mood] = {}
        self._states: dict[str, Cue] = {}
        self._tally = Tally()
        self._sequence = 0
        self._lasting: dict[tuple[str, CueKind], Cue] = {}
        self.trend: Trend | None = None

    @property
    def frontier(self) -> int:
        """Everything before this has been told."""
        return self._timeline.frontier

    def further(self, leg: str) -> tuple[Cue, ...]:
        """The latest of each cue that lasts beside the leg's state."""
        return tuple(cue for (of, _), cue in self._lasting.items() if of == leg)

    def state(self, leg: str) -> Cue | None:
        """The latest cue of the state the leg is in."""
        return self._states.get(leg)

    def open(self, leg: str) -> None:
        """From now on the leg is scored."""
        self._moods[leg] = Mood()

    def shut(self, leg: str, end: int) -> list[Cue]:
        """The leg is no longer scored: its state ends, and no later person inherits a score."""
        for score in self._timeline.withdraw(leg):
            self._tally.add(score)
        mood = self._moods.pop(leg, None)
        return self._tell(mood.close(end)) if mood else []

    def add(self, event: TimedEvent) -> None:
        self._timeline.add(event)

    def decided(self, leg: str, upto: int) -> None:
        """All activities of the leg up to here have been added."""
        self._timeline.decided(leg, upto)

    def expect(self, leg: str, end: int) -> None:
        """A score of the leg's window that ends here is on its way."""
        self._timeline.expect(leg, end)

    def resolved(self, leg: str, end: int) -> None:
        """It is here (and was added), or will never come."""
        self._timeline.resolved(leg, end)

    def advance(self) -> list[Cue | Trend]:
        """The cues and trends whose turn has come, once a message's events are in."""
        cues = self._follow(self._timeline.advance())
        return [*self._tell(cues + self._pass(self._timeline.frontier))]

    def end(self, at: int) -> list[Cue]:
        """The call ended: the cues that were still to come, and the end of what lasted."""
        cues = self._follow(self._timeline.flush())
        for listener in self._listeners:
            cues += listener.close(at)
        for mood in self._moods.values():
            cues += mood.close(at)
        self._moods.clear()
        return self._tell(cues)

    def hand_over(self, at: int, legs: Sequence[LegEnd]) -> Text:
        """What the next agent should know of the call as it stands `at`."""
        return Text("", "")

    def summary(
        self, duration: int, end_reason: EndReason, model_version: str, legs: Sequence[LegEnd]
    ) -> CallSummary:
        """What the call came to, after its end."""
        return self._tally.summary(duration, end_reason, model_version, legs)

    def _follow(self, moments: list[Moment]) -> list[Cue]:
        cues: list[Cue] = []
        for at, event in moments:
            cues += self._pass(at)
            self._tally.add(event)
            if isinstance(event, SpeechActivity):
                for listener in self._listeners:
                    cues += listener.add(event)
            elif event.leg in self._moods:
                cues += self._moods[event.leg].observe(event)
        return cues

    def _pass(self, upto: int) -> list[Cue]:
        """Time passes: whoever has something to say by then is heard in order of its time."""
        cues: list[Cue] = []
        while (due := self._next_due(upto)) <= upto:
            cues += self._at(due)
        return cues + self._at(upto)

    def _next_due(self, upto: int) -> int:
        dues = [listener.due for listener in self._listeners]
        dues += [mood.due for mood in self._moods.values()]
        return min((due for due in dues if due is not None), default=upto + 1)

    def _at(self, now: int) -> list[Cue]:
        cues: list[Cue] = []
        for listener in self._listeners:
            cues += listener.advance(now)
        for mood in self._moods.values():
            cues += mood.quiet(now)
        return cues

    def _tell(self, cues: list[Cue]) -> list[Cue]:
        """Numbers cues in the order in which they are told, and keeps the books."""
        told = [replace(cue, sequence=self._sequence + i) for i, cue in enumerate(cues)]
        self._sequence += len(told)
        for cue in told:
            self._tally.add(cue)
            if cue.kind in STATES:
                self._states[cue.leg] = cue
                if cue.phase is CuePhase.OFFSET:
                    del self._states[cue.leg]
            elif cue.phase is CuePhase.OFFSET:
                self._lasting.pop((cue.leg, cue.kind), None)
            else:
                self._lasting[cue.leg, cue.kind] = cue
        return told
