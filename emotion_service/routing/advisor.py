"""The advice on one call, in its own time: cues, trends and attributes in, advice out."""

from __future__ import annotations

from emotion_service.routing.ruleset import RuleSet
from emotion_service.types import Advice, CallConfig, Cue, NotScored, Trend


class Advisor:
    """What the rules say of one call, told of it in the order of its time."""

    def __init__(self, rules: RuleSet, config: CallConfig) -> None:
        self._rules = rules

    @property
    def standing(self) -> tuple[Advice, ...]:
        """The advice that stands."""
        return ()

    def attribute(self, at: int, name: str, value: str) -> None:
        """From `at` on an attribute of the call has this value."""

    def scored(self, at: int, leg: str, refused: NotScored | None) -> list[Advice]:
        """From `at` on the leg is scored, or is not, and why: what was inferred ends with it."""
        return []

    def observe(self, event: Cue | Trend) -> list[Advice]:
        """What follows from an event, told in the order in which it was."""
        return []

    def advance(self, upto: int) -> list[Advice]:
        """Time passed: all events before `upto` have been told."""
        return []

    def end(self, at: int) -> list[Advice]:
        """The call ended, and with it all advice."""
        return []
