"""The door: whether one more call can be served without harm to those that already are."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from emotion_service.errors import Busy

TICK_SECONDS = 0.02
REMEMBERED_TICKS = 25  # the lag is the worst of these
FULL_RETRY_SECONDS = 5.0
OVERLOADED_RETRY_SECONDS = 1.0


class Admission:
    """Counts nobody itself: it is told how many there are.

    `async with admission` measures by how much the event loop runs late. Without limits given it
    admits everybody.
    """

    def __init__(
        self,
        max_calls: int = sys.maxsize,
        max_watchers: int = sys.maxsize,
        max_lag_ms: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_calls, self._max_watchers = max_calls, max_watchers
        self._max_lag_ms = max_lag_ms
        self._clock = clock
        self._lags = [0.0] * REMEMBERED_TICKS
        self._due = float("inf")
        self.open = True

    async def __aenter__(self) -> Self:
        self._meter = asyncio.create_task(self._measure(), name="loop lag")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._meter.cancel()
        await asyncio.wait([self._meter])

    @property
    def lag_ms(self) -> float:
        """By how much the loop was late at worst within the last half second."""
        overdue = self._clock() - self._due
        return max(*self._lags, overdue, 0.0) * 1e3

    def close(self) -> None:
        """The service is about to stop: nobody new comes in."""
        self.open = False

    def admit_call(self, live_calls: int) -> None:
        """One more call beside `live_calls`.

        Raises:
            Busy: SERVER_STOPPING, SERVER_FULL or SERVER_OVERLOADED.
        """
        self._expect_open()
        if live_calls >= self._max_calls:
            raise Busy(
                "SERVER_FULL",
                f"this server takes {self._max_calls} calls and has them: use another, or try "
                "again later",
                FULL_RETRY_SECONDS,
            )
        if live_calls and self.lag_ms > self._max_lag_ms:  # without calls nobody is harmed
            raise Busy(
                "SERVER_OVERLOADED",
                f"this server runs late and takes no new call, to keep the {live_calls} it has in "
                "time: use another, or try again later",
                OVERLOADED_RETRY_SECONDS,
            )

    def admit_watcher(self, watchers: int) -> None:
        """One more watcher beside `watchers`.

        Raises:
            Busy: SERVER_STOPPING or TOO_MANY_WATCHERS.
        """
        self._expect_open()
        if watchers >= self._max_watchers:
            raise Busy(
                "TOO_MANY_WATCHERS",
                f"this server takes {self._max_watchers} watchers and has them: end one, or use "
                "one watcher for several calls",
                FULL_RETRY_SECONDS,
            )

    def _expect_open(self) -> None:
        if not self.open:
            raise stopping()

    async def _measure(self) -> None:
        tick = 0
        while True:
            self._due = self._clock() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self._lags[tick % REMEMBERED_TICKS] = self._clock() - self._due
            tick += 1


def stopping() -> Busy:
    """What those hear who come, or still are there, when the service stops."""
    return Busy(
        "SERVER_STOPPING",
        "this server is about to stop: use another, or try again once it is back",
        OVERLOADED_RETRY_SECONDS,
    )
