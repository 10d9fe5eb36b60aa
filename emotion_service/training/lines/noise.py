"""What is heard beside the speaker: noise of some colour, recordings, other people, mains hum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from emotion_service.training.corpora.corpus import active_level_db
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

Noise: TypeAlias = Callable[[int, np.random.Generator], FloatArray]
BROWN_FROM_HERTZ = 50  # flat below: else nearly all its power were where no telephone carries it
HARMONICS = 8  # of the mains, each weaker than the one before by its number


def white_noise(length: int, random: np.random.Generator) -> FloatArray:
    """Noise of unit power, the same at all frequencies, float32 (length,)."""
    return _unit(random.standard_normal(length))


def pink_noise(length: int, random: np.random.Generator) -> FloatArray:
    """Noise of unit power whose spectrum falls by 3 dB an octave, float32 (length,)."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
    return _unit(np.fft.irfft(spectrum, length))


def brown_noise(length: int, random: np.random.Generator) -> FloatArray:
    """Noise of unit power that falls by 6 dB an octave above 50 Hz, float32 (length,)."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HERTZ)
    return _unit(np.fft.irfft(spectrum / np.maximum(hertz, BROWN_FROM_HERTZ), length))


def hum(length: int, hertz: float, random: np.random.Generator) -> FloatArray:
    """The mains' 50 or 60 Hz and its harmonics in random phases, unit power, float32 (length,)."""
    phases = random.uniform(0.0, 2 * np.pi, HARMONICS)
    turns = 2 * np.pi * hertz * np.arange(length) / SAMPLE_RATE_HERTZ
    return _unit(sum(np.sin(k * turns + phase) / k for k, phase in enumerate(phases, 1)))


def excerpt(recording: FloatArray, length: int, random: np.random.Generator) -> FloatArray:
    """Float32 (length,) from a random place on; a recording that ends begins again."""
    return np.resize(np.roll(recording, -int(random.integers(len(recording)))), length)


def babble(voices: Sequence[FloatArray], length: int, random: np.random.Generator) -> FloatArray:
    """All these people at once, each equally loud and from a random place on: float32 (length,)."""
    level = [10 ** (active_level_db(voice) / 20) for voice in voices]
    parts = [excerpt(v, length, random) / n for v, n in zip(voices, level, strict=True)]
    together: FloatArray = np.sum(parts, axis=0).astype(np.float32)
    return together


def mixed(speech: FloatArray, noise: FloatArray, snr_db: float) -> FloatArray:
    """Both, float32 (n,), the noise's mean power `snr_db` below the active level of the speech.

    The active level (ITU-T P.56) leaves pauses out: more of them do not mean less noise. An
    excerpt that is silent adds nothing.

    Raises:
        ValueError: the speech is silent, so that no noise has a ratio to it.
    """
    level_db = active_level_db(speech)
    if not np.isfinite(level_db):
        raise ValueError("silence has no signal-to-noise ratio: expected speech")
    power = float(np.mean(noise.astype(np.float64) ** 2))
    if power == 0.0:
        return speech
    gain = np.sqrt(10 ** ((level_db - snr_db) / 10) / power)
    return speech + np.float32(gain) * noise


def _unit(noise: np.ndarray) -> FloatArray:
    unit: FloatArray = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return unit


NOISES: dict[str, Noise] = {"white": white_noise, "pink": pink_noise, "brown": brown_noise}
