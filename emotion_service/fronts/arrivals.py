"""When the audio of a call arrived, to tell how long what follows from it took."""

from __future__ import annotations

from collections import deque

REMEMBERED = 16_000  # samples (2 s): no cue is decided later than a second after its audio


class Arrivals:
    """The messages of the last seconds of a call: up to where each brought it, and when."""

    def __init__(self) -> None:
        self._messages: deque[tuple[int, float]] = deque()

    def add(self, received: int, arrived: float) -> None:
        """With this message the call had come to `received` samples, at `arrived` seconds."""
        if not self._messages or received > self._messages[-1][0]:
            self._messages.append((received, arrived))
        while self._messages[0][0] < received - REMEMBERED:
            self._messages.popleft()

    def of(self, end: int) -> float | None:
        """When the message came with which the call reached `end`, or the oldest that is
        remembered; None: it has not come."""
        found = None
        for received, arrived in reversed(self._messages):
            if received < end:
                break
            found = arrived
        return found
