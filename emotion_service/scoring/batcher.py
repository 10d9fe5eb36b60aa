"""Scores batches of all calls: with `calls.hearing` the place where they meet.

One worker thread asks the model, which lets go of the interpreter for all of that time. What comes
before and after it stays on the event loop: features are a hundred short NumPy calls, and two
threads that hand the interpreter to each other at each of them take longer than one (a sixth of
the service's processor time, when it was tried).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from emotion_service.scoring.request import ScoredBatch, ScoringRequest
from emotion_service.types import EmotionScore

MAX_BATCH = 32  # requests: more gain nothing, and let the first wait for the last


class Scoring(Protocol):
    """A batch on its way."""

    def ask(self) -> None:
        """Asks the model; may take place in another thread."""

    def scores(self) -> ScoredBatch:
        """After `ask`."""


class ScoresBatches(Protocol):
    """A scorer, as calls.scorer has it."""

    def begun(self, batch: list[ScoringRequest]) -> AbstractContextManager[Scoring]:
        """Computes what the model is to be shown; undoes it when what follows fails."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A score, and the milliseconds it waited and its batch took in each stage."""

    score: EmotionScore
    queue_ms: float
    features_ms: float
    model_ms: float


@dataclass(frozen=True, slots=True)
class Waiting:
    request: ScoringRequest
    future: asyncio.Future[Scored]
    since: float  # monotonic seconds


Outcome: TypeAlias = Scored | Exception


class Batcher:
    """Takes requests on the event loop, in order; whatever waits makes up the next batch.

    `async with Batcher(scorer) as batcher` runs it. On leaving, what is unscored is cancelled.
    """

    def __init__(self, scorer: ScoresBatches) -> None:
        self._scorer = scorer
        self._waiting: deque[Waiting] = deque()
        self._batch: list[Waiting] = []  # in the thread right now
        self._arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, "scoring")
        self._loop = asyncio.create_task(self._run(), name="batcher")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.cancel()
        await asyncio.wait([self._loop])
        for waiting in (*self._batch, *self._waiting):
            waiting.future.cancel()
        self._waiting.clear()
        self._thread.shutdown()

    def submit(self, request: ScoringRequest) -> asyncio.Future[Scored]:
        """The future holds the score, or the error that this very request met; it may be
        cancelled, and is when the batcher ends."""
        future: asyncio.Future[Scored] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(request, future, time.monotonic()))
        self._arrived.set()
        return future

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._batch = self._take()
            for waiting, outcome in await self._score(self._batch):
                _settle(waiting.future, outcome)
            self._batch = []

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        while self._waiting and len(batch) < MAX_BATCH:
            waiting = self._waiting.popleft()
            if not waiting.future.cancelled():
                batch.append(waiting)
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _score(self, batch: list[Waiting]) -> list[tuple[Waiting, Outcome]]:
        """Together; when that fails, one by one, so that only the culprit gets the error."""
        try:
            scored = await self._score_together(batch)
        except Exception as error:
            if len(batch) == 1:
                return [(batch[0], error)]
            return [pair for waiting in batch for pair in await self._score([waiting])]
        return list(zip(batch, scored, strict=True))

    async def _score_together(self, batch: list[Waiting]) -> list[Scored]:
        if not batch:
            return []
        started = time.monotonic()
        with self._scorer.begun([waiting.request for waiting in batch]) as scoring:
            await asyncio.get_running_loop().run_in_executor(self._thread, scoring.ask)
            done = scoring.scores()
        return [
            Scored(score, (started - waiting.since) * 1e3, done.features_ms, done.model_ms)
            for waiting, score in zip(batch, done.scores, strict=True)
        ]


def _settle(future: asyncio.Future[Scored], outcome: Outcome) -> None:
    if future.cancelled():
        return
    if isinstance(outcome, Scored):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
