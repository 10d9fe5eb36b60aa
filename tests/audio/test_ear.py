"""Several legs in one pass hear what each hears alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.ear import Blocks, Ear, listen
from emotion_service.types import BLOCK, FloatArray, Sound

RATE = 8000
SECONDS = 3


def buzz(f0: float) -> FloatArray:
    """A gliding pulse train through a resonance, in syllables."""
    t = np.arange(SECONDS * RATE) / RATE
    phase = np.cumsum(f0 * (1 + 0.3 * np.sin(2 * np.pi * 1.3 * t)) / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    formant = np.exp(-np.arange(80) / 16) * np.cos(2 * np.pi * 700 / RATE * np.arange(80))
    envelope = np.maximum(0, np.sin(2 * np.pi * 2 * t))
    return (0.3 * np.convolve(pulses, formant)[: len(t)] * envelope).astype(np.float32)


def tone(hertz: float) -> FloatArray:
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(SECONDS * RATE) / RATE)).astype(np.float32)


LEGS = (
    buzz(120),
    tone(425),
    np.zeros(SECONDS * RATE, np.float32),
    buzz(210),
    np.random.default_rng(0).normal(0, 0.01, SECONDS * RATE).astype(np.float32),
)


def alone(samples: FloatArray) -> Blocks:
    return listen([Ear()], [samples])[0]


ALONE = [alone(samples) for samples in LEGS]


def test_the_legs_differ() -> None:
    heard = [set(blocks.sounds) for blocks in ALONE]
    assert [Sound.SPEECH in sounds for sounds in heard] == [True, True, False, True, True]
    assert Sound.TONE in heard[1]
    assert heard[2] == {Sound.SILENCE}
    assert ALONE[4].sounds[-1] is Sound.SILENCE  # steady noise, once it has lasted


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_company_changes_nothing(seed: int) -> None:
    """Any legs, any number of blocks of each, pass by pass."""
    rng = np.random.default_rng(seed)
    ears, at = [Ear() for _ in LEGS], [0] * len(LEGS)
    heard = [Blocks([], []) for _ in LEGS]
    while left := [i for i, here in enumerate(at) if here < len(LEGS[i])]:
        company = rng.permutation(left)[: rng.integers(1, len(left) + 1)].tolist()
        ends = [at[i] + int(rng.integers(1, 60)) * BLOCK for i in company]
        parts = [LEGS[i][at[i] : end] for i, end in zip(company, ends, strict=True)]
        answers = listen([ears[i] for i in company], parts)
        for i, end, blocks in zip(company, ends, answers, strict=True):
            at[i] = end
            heard[i].sounds.extend(blocks.sounds)
            heard[i].vowels.extend(blocks.vowels)
    assert heard == ALONE
