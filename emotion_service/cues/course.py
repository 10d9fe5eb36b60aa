"""The course of one call: events of all legs in, numbered cues out, in the call's own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from emotion_service.cues.holds import Holds
from emotion_service.cues.manners import Manners
from emotion_service.cues.monologue import Monologues
from emotion_service.cues.pace import FastPaces
from emotion_service.cues.replies import SlowReplies
from emotion_service.cues.silence import DeadAir
from emotion_service.cues.states import Mood
from emotion_service.cues.summary import LegEnd, Tally
from emotion_service.cues.timeline import Hold, Moment, TimedEvent, Timeline
from emotion_service.cues.trend import Trends
from emotion_service.cues.turns import Turns
from emotion_service.types import (
    STATES,
    CallSummary,
    Cue,
    CueKind,
    CuePhase,
    EndReason,
    Pace,
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
    """Timeline, turns, moods, manners, trends and tally of one call, told of time in one order.

    `hangover` and `lag`: the most samples by which `SpeechActivity.decided` trails the `start` of
    silence, and of all else. Scores of a leg count while its mood is open.
    """

    def __init__(self, legs: Sequence[str], hangover: int, lag: int) -> None:
        self._timeline = Timeline(legs)
        self._holds, self._hold_sequence = Holds(), 0
        self._paces = FastPaces(legs)
        self._listeners: tuple[Listener, ...] = (
            Turns(legs, hangover),
            DeadAir(legs, lag),
            SlowReplies(legs),
            Monologues(legs, hangover, lag),
            self._paces,
        )
        self._due: int | None = None  # when somebody has something to say; None: ask them
        self._moods: dict[str, Mood] = {}
        self._states: dict[str, Cue] = {}
        self._tally = Tally()
        self._manners = Manners(legs)
        self._trends = Trends(legs, self._tally.shares, self._manners.index)
        self._sequence = 0
        self._lasting: dict[tuple[str, CueKind], Cue] = {}

    @property
    def trend(self) -> Trend | None:
        """The latest."""
        return self._trends.latest

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

    def open(self, leg: str, at: int = 0) -> None:
        """From now on the leg is scored."""
        self._moods[leg] = Mood()
        self._manners.open(leg, at)
        self._trends.open(leg)
        self._due = None

    def shut(self, leg: str, end: int) -> list[Cue | Trend]:
        """The leg is no longer scored: its state ends, and no later person inherits a score."""
        for score in self._timeline.withdraw(leg):
            self._tally.add(score)
        mood = self._moods.pop(leg, None)
        self._trends.shut(leg)
        self._due = None
        return self._tell([*(mood.close(end) if mood else []), *self._manners.shut(leg, end)])

    def forget(self, leg: str) -> None:
        """The customer objected, and the leg is shut: nothing inferred of it is told any more."""
        self._tally.forget(leg)

    def add(self, event: TimedEvent) -> None:
        self._timeline.add(event)

    def hold(self, leg: str, at: int, held: bool) -> None:
        """The leg is put on hold `at`, or no longer is."""
        self._timeline.add(Hold(leg, self._hold_sequence, at, held))
        self._hold_sequence += 1

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
        told = self._follow(self._timeline.advance())
        return self._tell(told + self._pass(self._timeline.frontier))

    def end(self, at: int) -> list[Cue | Trend]:
        """The call ended: what was still to come, and the end of what lasted."""
        cues = self._follow(self._timeline.flush())
        for listener in self._listeners:
            cues += listener.close(at)
        for mood in self._moods.values():
            cues += mood.close(at)
        self._moods.clear()
        return self._tell([*cues, *self._manners.close(at)])

    def hand_over(self, at: int, legs: Sequence[LegEnd]) -> Text:
        """What the next agent should know of the call as it stands `at`."""
        return self._tally.hand_over(at, None, legs, self._states)

    def summary(
        self, duration: int, end_reason: EndReason, model_version: str, legs: Sequence[LegEnd]
    ) -> CallSummary:
        """What the call came to, after its end."""
        return self._tally.summary(duration, end_reason, model_version, legs)

    def _follow(self, moments: list[Moment]) -> list[Cue | Trend]:
        told: list[Cue | Trend] = []
        for at, event in moments:
            told += self._pass(at) + self._take(event)
            self._due = None
        return told

    def _take(self, event: TimedEvent) -> list[Cue | Trend]:
        match event:
            case SpeechActivity():
                self._tally.add(event)
                return self._hear(self._holds.hear(event))
            case Hold():
                return self._hear(self._holds.turn(event))
            case Pace():
                return self._heeded(self._paces.observe(event))
        self._tally.add(event)
        if event.leg not in self._moods:
            return []
        self._trends.observe(event)
        return [*self._moods[event.leg].observe(event), *self._manners.observe(event)]

    def _hear(self, activities: list[SpeechActivity]) -> list[Cue | Trend]:
        told: list[Cue | Trend] = []
        for activity in activities:
            for listener in self._listeners:
                told += self._heeded(listener.add(activity))
            told += self._manners.add(activity)
        return told

    def _pass(self, upto: int) -> list[Cue | Trend]:
        """Time passes: whoever has something to say by then is heard in order of its time."""
        told: list[Cue | Trend] = []
        while (due := self._next_due()) <= upto:
            told += self._at(due)
        return told

    def _next_due(self) -> int:
        if self._due is None:
            dues = [listener.due for listener in self._listeners]
            dues += [mood.due for mood in self._moods.values()]
            dues += [self._manners.due, self._trends.due]
            self._due = min(due for due in dues if due is not None)
        return self._due

    def _at(self, now: int) -> list[Cue | Trend]:
        self._due = None
        told: list[Cue | Trend] = []
        for listener in self._listeners:
            told += self._heeded(listener.advance(now))
        for mood in self._moods.values():
            told += mood.quiet(now)
        return told + self._manners.advance(now) + self._trends.advance(now)

    def _heeded(self, cues: list[Cue]) -> list[Cue | Trend]:
        """Cues of turn-taking, each followed by what the manners make of it."""
        return [told for cue in cues for told in (cue, *self._manners.heed(cue))]

    def _tell(self, events: list[Cue | Trend]) -> list[Cue | Trend]:
        """Numbers cues in the order in which they are told, and keeps the books."""
        if not events:
            return []
        cues = [event for event in events if isinstance(event, Cue)]
        numbered = [replace(cue, sequence=self._sequence + i) for i, cue in enumerate(cues)]
        self._sequence += len(cues)
        for cue in numbered:
            self._tally.add(cue)
            if cue.kind in STATES:
                self._states[cue.leg] = cue
                if cue.phase is CuePhase.OFFSET:
                    del self._states[cue.leg]
            elif cue.phase is CuePhase.OFFSET:
                self._lasting.pop((cue.leg, cue.kind), None)
            else:
                self._lasting[cue.leg, cue.kind] = cue
        rest = iter(numbered)
        return [next(rest) if isinstance(event, Cue) else event for event in events]
