"""A service with a stub for a model, and audio that the gate takes for speech."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from scipy import signal

from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.bus import Bus
from emotion_service.fronts.stream import Service
from emotion_service.scoring.batcher import Batcher
from emotion_service.scoring.model import EmotionModel
from emotion_service.types import (
    CallConfig,
    Consent,
    FloatArray,
    LegConfig,
    Pacing,
    Party,
)
from tests.stub_card import stub_card

RATE = 8000


class StubModel(EmotionModel):
    """Probabilities that depend on every frame, so that any difference in them shows."""

    def __init__(self) -> None:
        self.card = stub_card("stub")

    def run(self, frames: FloatArray, voice: FloatArray, context: FloatArray) -> FloatArray:
        spread = 4 * (frames[:, :, :4] * voice[:, :, np.newaxis]).mean(axis=1)
        raised = np.exp(spread - spread.max(axis=1, keepdims=True))
        emotions: FloatArray = raised / raised.sum(axis=1, keepdims=True)
        return np.pad(emotions, ((0, 0), (0, 1)))  # it is always speech


def babble(seconds: float, seed: int) -> FloatArray:
    """Syllables with vowels and glides of their own, hiss between some, pauses between others."""
    rng = np.random.default_rng(seed)
    parts: list[FloatArray] = []
    while sum(len(part) for part in parts) < seconds * RATE:
        length = int(rng.uniform(0.10, 0.22) * RATE)
        f0 = np.linspace(rng.uniform(110, 190), rng.uniform(110, 190), length)
        voiced = np.diff(np.floor(np.cumsum(f0) / RATE), prepend=0.0)
        for formant in (rng.uniform(300, 800), rng.uniform(900, 2100), 2600.0):
            radius = np.exp(-np.pi * 90 / RATE)
            angle = 2 * np.pi * formant / RATE
            voiced = signal.lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], voiced)
        voiced *= np.hanning(length) / np.sqrt(np.mean(voiced**2) + 1e-9)
        pause = float(rng.choice([0.03, 0.05, 0.3], p=[0.5, 0.35, 0.15]))
        hiss = rng.standard_normal(int(pause * RATE)) * (0.1 if pause < 0.1 else 0.002)
        parts += [voiced.astype(np.float32), hiss.astype(np.float32)]
    return 0.08 * np.concatenate(parts)[: int(seconds * RATE)]


@pytest.fixture(scope="session")
def speech() -> bytes:
    """Four seconds as audio/pcm at 8 kHz, after half a second of silence."""
    samples = np.concatenate([np.zeros(RATE // 2, np.float32), babble(4.0, seed=0)])
    return (samples * 32767).astype("<i2").tobytes()


@pytest.fixture
def scorer() -> Scorer:
    return Scorer(StubModel())


@pytest.fixture
async def service(scorer: Scorer) -> AsyncIterator[Service]:
    async with Batcher(scorer) as batcher:
        yield Service(scorer, batcher, Bus())


@pytest.fixture
def config() -> CallConfig:
    """A recorded call of an agent and a customer who has agreed."""
    return CallConfig(
        call_id="call-1",
        contact_id="contact-1",
        legs=(
            LegConfig("customer", Party.CUSTOMER, "audio/pcm", RATE),
            LegConfig("agent", Party.AGENT, "audio/pcm", RATE),
        ),
        pacing=Pacing.RECORDED,
        disclosure_given=True,
        consent=Consent.GRANTED,
    )
