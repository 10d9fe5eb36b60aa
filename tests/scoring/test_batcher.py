"""Requests of many calls, one thread: order, batching, blame, and a clean end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from emotion_service.scoring.batcher import MAX_BATCH, Batcher, Scored
from emotion_service.scoring.request import ScoredBatch, ScoringRequest
from emotion_service.scoring.speaker import Speaker
from emotion_service.types import (
    Abstain,
    Consent,
    EmotionScore,
    Party,
    Permit,
    Quality,
    VoicedAudio,
)
from tests.patience import PATIENCE_SECONDS

PERMIT = Permit("customer", Party.CUSTOMER, disclosure_given=True, consent=Consent.GRANTED)


def request(sequence: int) -> ScoringRequest:
    audio = VoicedAudio("customer", 0, np.zeros(160, np.float32), np.ones(2, np.bool_))
    return ScoringRequest(PERMIT, sequence, audio, Speaker({}), Quality())


def score(asked: ScoringRequest) -> EmotionScore:
    return EmotionScore(
        permit=asked.permit,
        sequence=asked.sequence,
        start=0,
        end=asked.end,
        evidence=0,
        quality=asked.quality,
        model_version="stub",
        probabilities=None,
        indices=None,
        provisional=True,
        abstain=Abstain.TOO_LITTLE_SPEECH,
        reasons=(),
    )


class Recorder:
    """Scores everything but `broken`, a sequence number; waits for `gate` before each batch."""

    def __init__(self, broken: int | None = None) -> None:
        self.broken = broken
        self.batches: list[list[int]] = []
        self.undone: list[list[int]] = []
        self.threads: set[str] = set()
        self.began = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    @contextmanager
    def begun(self, batch: list[ScoringRequest]) -> Iterator[Recording]:
        try:
            yield Recording(self, batch)
        except ZeroDivisionError:
            self.undone.append([asked.sequence for asked in batch])
            raise


class Recording:
    def __init__(self, recorder: Recorder, batch: list[ScoringRequest]) -> None:
        self._recorder, self._batch = recorder, batch

    def ask(self) -> None:
        recorder = self._recorder
        recorder.began.set()
        assert recorder.gate.wait(PATIENCE_SECONDS)
        recorder.threads.add(threading.current_thread().name)
        recorder.batches.append([asked.sequence for asked in self._batch])
        if recorder.broken in recorder.batches[-1]:
            raise ZeroDivisionError("broken")

    def scores(self) -> ScoredBatch:
        assert threading.current_thread() is threading.main_thread()
        return ScoredBatch([score(asked) for asked in self._batch], 2.0, 3.0)


async def held(scorer: Recorder, batcher: Batcher) -> asyncio.Future[Scored]:
    """The thread is at work on a first request; what comes now has to wait for it."""
    scorer.gate.clear()
    first = batcher.submit(request(0))
    await asyncio.to_thread(scorer.began.wait, 5)
    return first


async def test_what_waits_is_one_batch_in_order_in_one_thread() -> None:
    scorer = Recorder()
    async with Batcher(scorer) as batcher:
        first = await held(scorer, batcher)
        rest = [batcher.submit(request(n)) for n in range(1, MAX_BATCH + 4)]
        scorer.gate.set()
        scores = [await future for future in rest]
        await first
    numbers = list(range(1, MAX_BATCH + 4))
    assert scorer.batches == [[0], numbers[:MAX_BATCH], numbers[MAX_BATCH:]]
    assert [scored.score.sequence for scored in scores] == numbers
    assert len(scorer.threads) == 1
    assert (scores[0].features_ms, scores[0].model_ms) == (2.0, 3.0)


async def test_queue_time_is_the_wait_for_the_batch_before() -> None:
    scorer = Recorder()
    async with Batcher(scorer) as batcher:
        await held(scorer, batcher)
        waited = batcher.submit(request(1))
        await asyncio.sleep(0.05)
        scorer.gate.set()
        assert 50 <= (await waited).queue_ms < 1000


async def test_an_error_hits_only_the_request_that_caused_it() -> None:
    scorer = Recorder(broken=2)
    async with Batcher(scorer) as batcher:
        await held(scorer, batcher)
        futures = [batcher.submit(request(n)) for n in (1, 2, 3)]
        scorer.gate.set()
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        later = await batcher.submit(request(4))
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Scored",
        "ZeroDivisionError",
        "Scored",
    ]
    assert later.score.sequence == 4
    assert scorer.batches == [[0], [1, 2, 3], [1], [2], [3], [4]]
    assert scorer.undone == [[1, 2, 3], [2]]


async def test_a_lone_failing_request_is_not_tried_twice() -> None:
    scorer = Recorder(broken=7)
    async with Batcher(scorer) as batcher:
        with pytest.raises(ZeroDivisionError):
            await batcher.submit(request(7))
    assert scorer.batches == [[7]]


async def test_a_cancelled_request_is_never_scored() -> None:
    scorer = Recorder()
    async with Batcher(scorer) as batcher:
        first = await held(scorer, batcher)
        batcher.submit(request(1)).cancel()
        last = batcher.submit(request(2))
        scorer.gate.set()
        await asyncio.gather(first, last)
    assert scorer.batches == [[0], [2]]


async def test_the_end_leaves_no_future_unresolved_and_no_task() -> None:
    scorer = Recorder()
    async with Batcher(scorer) as batcher:
        in_the_thread = await held(scorer, batcher)
        waiting = batcher.submit(request(1))
        scorer.gate.set()
    assert in_the_thread.cancelled() or in_the_thread.done()
    assert waiting.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [t for t in threading.enumerate() if t.name.startswith("scoring")]
