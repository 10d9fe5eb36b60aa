"""When a sender hears that its audio has arrived."""

from __future__ import annotations

from emotion_service.delivery.notice import Acknowledged

ACKNOWLEDGE_SECONDS = 1.0


class Acknowledger:
    """Which sequence numbers to acknowledge: a second after it came, a message has its place
    (or, missing, has been given up: that takes 200 ms)."""

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}
        self._next: dict[str, tuple[float, int]] = {}  # by leg: since when, up to where

    def heard(self, leg: str, sequence: int, now: float) -> list[Acknowledged]:
        """A message came `now` (seconds); what is to be acknowledged, once a second a leg."""
        highest = self._highest[leg] = max(sequence, self._highest.get(leg, 0))
        since, placed = self._next.setdefault(leg, (now, highest))
        if now - since < ACKNOWLEDGE_SECONDS:
            return []
        self._next[leg] = (now, highest)
        return [Acknowledged(leg, placed)]

    def finished(self) -> list[Acknowledged]:
        """The call's audio has ended and been flushed."""
        return [Acknowledged(leg, highest) for leg, highest in self._highest.items()]
