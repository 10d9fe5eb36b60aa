"""A call of two legs, a model in whose answers any difference shows, and scores by script."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.scoring.model import EmotionModel
from emotion_service.scoring.request import ScoredBatch, ScoringRequest
from emotion_service.scoring.speaker import WINDOW_FRAMES, Speaker
from emotion_service.types import (
    HOP,
    LOG_F0,
    CallConfig,
    Consent,
    EmotionScore,
    FloatArray,
    Indices,
    LegConfig,
    Pacing,
    Party,
    Probabilities,
)
from tests.stub_card import TYPICAL, stub_card

CALM_LOG_F0 = np.log(160.0)


class Touchy(EmotionModel):
    """Hears anger in high voices; every bit that it is shown moves what it says by up to 1 %."""

    def __init__(self) -> None:
        self.card = stub_card("touchy")

    def run(self, frames: FloatArray, voice: FloatArray, context: FloatArray) -> FloatArray:
        rows = [_opinion(*window) for window in zip(frames, voice, context, strict=True)]
        return np.array(rows, np.float32)


def _opinion(frames: FloatArray, voice: FloatArray, context: FloatArray) -> list[float]:
    shown = b"".join(array.tobytes() for array in (frames, voice, context))
    log_f0 = frames[frames[:, LOG_F0] > 0, LOG_F0]
    raised = float(log_f0.mean() - CALM_LOG_F0) if len(log_f0) else 0.0
    anger = 0.99 / (1 + np.exp(-25 * raised)) + 0.01 * crc32(shown) / 2**32
    return [anger, 0.0, 0.0, 1 - anger, 0.0]


CALM = Probabilities(anger=0.04, happiness=0.03, sadness=0.03, neutral=0.9)
ANGRY = Probabilities(anger=0.9, happiness=0.04, sadness=0.03, neutral=0.03)


class Scripted(Scorer):
    """Hears anger in windows that end within `angry` (spans of samples), and calm elsewhere."""

    def __init__(self, *angry: tuple[int, int]) -> None:
        self.model_name, self.model_version = "scripted", "scripted-1"
        self.model_licence, self.model_sha256 = "CC0-1.0", "0" * 64
        self._angry = angry
        self.scored: list[ScoringRequest] = []

    def new_speaker(self) -> Speaker:
        return Speaker(TYPICAL)

    def score(self, batch: Sequence[ScoringRequest]) -> ScoredBatch:
        self.scored += batch
        return ScoredBatch([self._by_script(request) for request in batch], 0.0, 0.0)

    def _by_script(self, request: ScoringRequest) -> EmotionScore:
        angry = any(first <= request.end < last for first, last in self._angry)
        return EmotionScore(
            permit=request.permit,
            sequence=request.sequence,
            start=max(0, request.end - WINDOW_FRAMES * HOP),
            end=request.end,
            evidence=16_000,
            quality=request.quality,
            model_version=self.model_version,
            probabilities=ANGRY if angry else CALM,
            indices=Indices(0.9, 0.1) if angry else Indices(0.3, 0.5),
            provisional=False,
            abstain=None,
            reasons=(),
        )


@pytest.fixture(scope="session")
def touchy() -> Scorer:
    """A scorer whose scores differ whenever a single bit does that the model is shown."""
    return Scorer(Touchy())


@pytest.fixture(scope="session")
def scripted() -> type[Scripted]:
    """`scripted(*spans)`: a scorer that needs no model and no features."""
    return Scripted


@pytest.fixture(scope="session")
def config() -> CallConfig:
    """A recorded call of an agent and an informed customer who has agreed."""
    return CallConfig(
        call_id="call-1",
        contact_id="contact-1",
        legs=(
            LegConfig("customer", Party.CUSTOMER, "audio/PCMU", 8000),
            LegConfig("agent", Party.AGENT, "audio/PCMU", 8000),
        ),
        pacing=Pacing.RECORDED,
        disclosure_given=True,
        consent=Consent.GRANTED,
    )
