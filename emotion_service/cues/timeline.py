"""Merges the events of all legs by the call's own time, whenever their scores come back.

Scores are computed elsewhere and return late and in any order, while the legs move on. Every
event gets its place in one total order as soon as it is known that it will exist (an activity
when it is added, a score when it is expected). So the sequence of moments that comes out depends
on the audio alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from emotion_service.types import EmotionScore, Pace, SpeechActivity

PATIENCE = 4000  # samples (500 ms) for which a silent or missing leg holds the others


@dataclass(frozen=True, slots=True)
class Hold:
    """The leg is put on hold `at`, or (`held` false) no longer is; `sequence` numbers a call's."""

    leg: str
    sequence: int
    at: int
    held: bool


TimedEvent: TypeAlias = SpeechActivity | EmotionScore | Pace | Hold

# Where an event stands: its time, its number among those that came too late (0: in time), the
# leg's number, scores (0) before activities (1) before holds (2) before paces (3), and its
# sequence number.
_Place: TypeAlias = tuple[int, int, int, int, int]


class Moment(NamedTuple):
    """An event and the time at which it takes effect, never earlier than the moment before it.

    `at` is the event's own time (`SpeechActivity.decided`, `EmotionScore.end`, `Pace.end`, the
    sample after `Hold.at`: it is told once that has been heard), or, when it came after the call
    had moved past that, the time the call had reached.
    """

    at: int
    event: TimedEvent


class Timeline:
    """One call's events in order.

    Call `advance` after the events of each message are in: what is late is measured against
    the call's time at the last `advance`.
    """

    def __init__(self, legs: Sequence[str]) -> None:
        self._order = {leg: number for number, leg in enumerate(legs)}
        self._decided = dict.fromkeys(legs, 0)
        self._expected: dict[tuple[str, int], _Place] = {}
        self._pending: set[tuple[str, int]] = set()
        self._waiting: list[tuple[_Place, TimedEvent]] = []
        self._passed = -1  # all legs were decided up to here at the last advance
        self._frontier = 0
        self._late = 0

    @property
    def frontier(self) -> int:
        """Every moment before this has been released; it never goes back."""
        return self._frontier

    @property
    def late(self) -> int:
        """Events that came, or were expected, after the call had moved past their time."""
        return self._late

    def decided(self, leg: str, upto: int) -> None:
        """All activities of `leg` with `decided` <= `upto` have been added."""
        self._decided[leg] = max(self._decided[leg], upto)

    def expect(self, leg: str, end: int) -> None:
        """The score of the window of `leg` that ends at `end` is on its way: wait for it."""
        self._expected[leg, end] = self._place(leg, end, 0, 0)
        self._pending.add((leg, end))

    def resolved(self, leg: str, end: int) -> None:
        """The expected score is here (add it before the next advance) or was dropped.

        Raises:
            KeyError: no such score is on its way.
        """
        self._pending.remove((leg, end))

    def add(self, event: TimedEvent) -> None:
        self._waiting.append((self._place_of(event), event))

    def withdraw(self, leg: str) -> list[EmotionScore]:
        """Takes back the leg's scores whose turn has not come."""
        waiting, self._waiting = self._waiting, []
        taken: list[EmotionScore] = []
        for place, event in waiting:
            if isinstance(event, EmotionScore) and event.leg == leg:
                taken.append(event)
            else:
                self._waiting.append((place, event))
        return taken

    def advance(self) -> list[Moment]:
        """Everything whose turn has come, in order."""
        decided = self._decided.values()
        limit = self._passed = max(min(decided), max(decided) - PATIENCE)
        if self._expected:
            self._expected = {key: self._expected[key] for key in self._pending}
            limit = min([limit, *(place[0] - 1 for place in self._expected.values())])
        self._frontier = max(self._frontier, limit)
        return self._release(limit)

    def flush(self) -> list[Moment]:
        """All that is left, in order, at the end of the call when nothing is on its way."""
        self._expected.clear()
        self._pending.clear()
        times = [place[0] for place, _ in self._waiting]
        self._frontier = max([self._frontier, *self._decided.values(), *times])
        self._passed = self._frontier
        return self._release(self._frontier)

    def _place_of(self, event: TimedEvent) -> _Place:
        if isinstance(event, SpeechActivity):
            return self._place(event.leg, event.decided, 1, event.sequence)
        if isinstance(event, Hold):
            return self._place(event.leg, event.at + 1, 2, event.sequence)
        if isinstance(event, Pace):
            return self._place(event.leg, event.end, 3, 0)
        expected = self._expected.get((event.leg, event.end))
        return expected or self._place(event.leg, event.end, 0, event.sequence)

    def _place(self, leg: str, time: int, rank: int, sequence: int) -> _Place:
        if time > self._passed:
            return (time, 0, self._order[leg], rank, sequence)
        self._late += 1
        return (self._passed, self._late, self._order[leg], rank, sequence)

    def _release(self, limit: int) -> list[Moment]:
        due = [waiting for waiting in self._waiting if waiting[0][0] <= limit]
        if not due:
            return []
        due.sort(key=itemgetter(0))
        self._waiting = [waiting for waiting in self._waiting if waiting[0][0] > limit]
        return [Moment(place[0], event) for place, event in due]
