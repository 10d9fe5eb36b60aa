"""What a sender keeps back, and what is heard instead."""

from __future__ import annotations

import numpy as np
import pytest

from emotion_service.training.lines.pause import FILLINGS, HANGOVER, comfort_noise, gaps, unsent
from emotion_service.types import FloatArray

SPEECH, PAUSE, REST = 16_000, 8000, 100  # samples, the last less than a packet


def call(noise_db: float = -60.0) -> FloatArray:
    """Speech, a second of noise, speech again: packets 0-99, 100-149, 150-249."""
    random = np.random.default_rng(0)
    loud = 0.05 * random.standard_normal(2 * SPEECH)
    noise = 10 ** (noise_db / 20) * random.standard_normal(PAUSE)
    rest = np.zeros(REST)
    return np.concatenate([loud[:SPEECH], noise, loud[SPEECH:], rest]).astype(np.float32)


def seeded(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_pause_is_kept_back_after_140_ms() -> None:
    assert np.flatnonzero(unsent(call())).tolist() == list(range(100 + HANGOVER, 150))


@pytest.mark.parametrize("gain", [0.1, 10.0])
def test_what_is_kept_back_does_not_depend_on_the_level(gain: float) -> None:
    assert np.array_equal(unsent(call() * np.float32(gain)), unsent(call()))


def test_faint_speech_is_speech_and_silence_is_no_pause() -> None:
    assert not unsent(call(noise_db=-40.0)).any()
    assert not unsent(np.zeros(16_000, np.float32)).any()


@pytest.mark.parametrize("name", FILLINGS)
def test_what_is_sent_stays_as_it_was(name: str) -> None:
    heard = FILLINGS[name](call(), seeded())
    begin, end = (100 + HANGOVER) * 160, 150 * 160
    assert heard.dtype == np.float32
    assert np.array_equal(heard[:begin], call()[:begin])
    assert np.array_equal(heard[end:], call()[end:])
    assert np.array_equal(heard, call()) == (name == "sent")


def test_gaps_are_silent() -> None:
    assert not gaps(call(), seeded())[(100 + HANGOVER) * 160 : 150 * 160].any()


@pytest.mark.parametrize("noise_db", [-70.3, -60.0, -50.0])
def test_comfort_noise_is_white_and_as_loud_as_the_pause(noise_db: float) -> None:
    heard = comfort_noise(call(noise_db), seeded())[(100 + HANGOVER) * 160 : 150 * 160]
    assert 10 * np.log10(np.mean(heard**2)) == pytest.approx(round(noise_db), abs=0.4)
    halves = np.split(np.abs(np.fft.rfft(heard))[: len(heard) // 2] ** 2, 2)
    assert halves[0].sum() / halves[1].sum() == pytest.approx(1.0, abs=0.15)


def test_a_pause_of_zeros_becomes_the_faintest_noise() -> None:
    quiet = call()
    quiet[SPEECH : SPEECH + PAUSE] = 0.0
    assert 0 < np.abs(comfort_noise(quiet, seeded())[20_000:24_000]).max() < 1e-5


def test_chance_is_the_seeds_alone() -> None:
    first, again, other = (comfort_noise(call(), seeded(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
