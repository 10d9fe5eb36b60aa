"""How long to wait before the next try."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.5
LAST_SECONDS = 5.0


class Backoff:
    """Waits that double from 0.5 to 5 s, each shortened at random by up to half, so that those
    who were refused together do not come back together."""

    def __init__(self) -> None:
        self._wait = FIRST_SECONDS

    def pause(self, hint_seconds: float) -> float:
        """Seconds until the next try: never less than `hint_seconds`, what the server asks for."""
        wait, self._wait = self._wait, min(2 * self._wait, LAST_SECONDS)
        return hint_seconds + wait * random.uniform(0.5, 1.0)
