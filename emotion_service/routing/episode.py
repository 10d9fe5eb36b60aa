"""One rule on one call: from its condition becoming true to the end of its advice."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from emotion_service.routing.ruleset import Rule
from emotion_service.types import AdvicePhase

NEVER = sys.maxsize


@dataclass(slots=True)
class Episode:
    """Advice is given once its condition has been true for `rule.hold`, and again half-way to its
    expiry while it is. It ends by expiry; then it is not given for `rule.quiet`. In samples."""

    rule: Rule
    since: int | None = None  # the condition is true
    expires: int | None = None  # of the advice that stands
    _earliest: int = 0  # it may be given (again)

    def see(self, at: int, true: bool) -> bool:
        """What the condition is from `at` on; whether that is something new."""
        if true == (self.since is not None):
            return False
        self.since = at if true else None
        return True

    @property
    def due(self) -> int:
        """When `act` will have something to do, if the condition stays what it is."""
        return min(self._ripe, NEVER if self.expires is None else self.expires)

    def act(self, at: int) -> AdvicePhase | None:
        """What there is to say `at`."""
        if self._ripe <= at:
            self.expires = at + self.rule.expires
            self._earliest = at + self.rule.expires // 2
            return AdvicePhase.GIVEN
        if self.expires is not None and self.expires <= at:
            return self.end(at)
        return None

    def end(self, at: int) -> AdvicePhase | None:
        """Whatever the condition: no advice stands from `at` on."""
        if self.expires is None:
            return None
        self.expires = None
        self._earliest = at + self.rule.quiet
        return AdvicePhase.ENDED

    @property
    def _ripe(self) -> int:
        return NEVER if self.since is None else max(self.since + self.rule.hold, self._earliest)
