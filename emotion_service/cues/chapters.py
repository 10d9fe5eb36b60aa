"""The states of a scored leg that lasted, one after the other: its story in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from emotion_service.types import CueKind, TurningPoint

LASTING = 64_000  # samples (8 s) that a state holds, at least, to count
MOST = 63  # turning points that are told, the latest


@dataclass(frozen=True, slots=True)
class Chapter:
    """From `start` to `end` the leg was, on the whole, in this state, and for `held` samples of it
    is known to have been."""

    kind: CueKind
    start: int
    end: int
    held: int


class Chapters:
    """Told of every stretch of a state, in order.

    A chapter begins where a state other than the last chapter's begins, if it then holds for 8 s in
    all. What lies between two stretches of it is no state of its own if nothing is known then.
    """

    def __init__(self) -> None:
        self._chapters: list[Chapter] = []  # a few an hour: ALERTS have budgets
        self._latest: Chapter | None = None  # stretches of one state,
        self._settled = 0  # and so many samples of them are in a chapter

    def add(self, kind: CueKind, start: int, end: int) -> None:
        """The leg was in this state."""
        if kind is CueKind.INSUFFICIENT_EVIDENCE:
            return
        if self._latest is None or self._latest.kind is not kind:
            self._latest, self._settled = Chapter(kind, start, end, 0), 0
        self._latest = replace(self._latest, end=end, held=self._latest.held + end - start)
        if self._latest.held >= LASTING:
            self._settle(self._latest)

    def with_current(self, kind: CueKind, start: int, at: int) -> tuple[Chapter, ...]:
        """The chapters, should the state that lasts end now."""
        same = Chapters()
        same._chapters, same._latest = self._chapters.copy(), self._latest
        same._settled = self._settled
        same.add(kind, start, at)
        return same.told

    @property
    def told(self) -> tuple[Chapter, ...]:
        return tuple(self._chapters)

    def _settle(self, latest: Chapter) -> None:
        last = self._chapters[-1] if self._chapters else None
        if last is not None and last.kind is latest.kind:
            held = last.held + latest.held - self._settled
            self._chapters[-1] = replace(last, end=latest.end, held=held)
        else:
            self._chapters.append(latest)
        self._settled = latest.held


def turning_points(leg: str, chapters: Sequence[Chapter]) -> tuple[TurningPoint, ...]:
    """Where one chapter leads to the next, the latest MOST."""
    return tuple(
        TurningPoint(leg, after.start, before.kind, after.kind)
        for before, after in pairwise(chapters[-MOST - 1 :])
    )
