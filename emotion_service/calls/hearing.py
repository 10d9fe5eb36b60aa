"""Hears what has come in for all live calls in one pass, a few times in the time of a message.

With `scoring.batcher` the place where calls meet: what one hears does not depend on the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import copy
from typing import Protocol

from emotion_service.calls.leg import Leg, hear

TICK_SECONDS = 0.01  # what audio waits for that of others at most: NumPy's calls are shared


class Listener(Protocol):
    """Whoever has received audio."""

    def unheard(self) -> Sequence[Leg]:
        """Its legs, some with audio that has not been heard."""

    def heard(self) -> None:
        """Their blocks have been decided. Handles its own errors."""

    def fail(self, error: Exception) -> None:
        """They could not be."""


class Hearing:
    """Waits a tick from the first listener on, then hears all that have come. For one loop."""

    def __init__(self) -> None:
        self._waiting: dict[Listener, None] = {}

    def add(self, listener: Listener) -> None:
        """It has received audio; to add it again before it was heard changes nothing."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._hear)
        self._waiting[listener] = None

    def discard(self, listener: Listener) -> None:
        """It is no longer interested."""
        self._waiting.pop(listener, None)

    def _hear(self) -> None:
        waiting, self._waiting = self._waiting, {}
        try:
            hear([leg for listener in waiting for leg in listener.unheard()])
        except Exception as error:  # a defect: nobody knows what they have heard
            for listener in waiting:  # each its own: every stream adds its traceback to it
                listener.fail(copy(error).with_traceback(error.__traceback__))
        else:
            for listener in waiting:
                listener.heard()
