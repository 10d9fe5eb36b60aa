"""The same words from a faster, slower, higher or lower voice."""

from __future__ import annotations

import numpy as np
import soxr
from scipy.signal import istft, stft

from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

WINDOW = 512  # samples: 64 ms, which keeps the harmonics of a low voice apart
STEP = WINDOW // 4


def speeded(samples: FloatArray, speed: float) -> FloatArray:
    """Float32 (n,) to (n / speed,): tempo, pitch and formants change together."""
    faster: FloatArray = soxr.resample(samples, SAMPLE_RATE_HERTZ * speed, SAMPLE_RATE_HERTZ)
    return faster


def pitched(samples: FloatArray, semitones: float) -> FloatArray:
    """Float32 (n,) to the same length and tempo; pitch and formants move, 12 semitones an octave.

    A lowered voice has nothing left just below 4 kHz, as from a speaker whose band was narrower.
    """
    ratio = 2.0 ** (semitones / 12)
    moved = soxr.resample(_stretched(samples, ratio), SAMPLE_RATE_HERTZ * ratio, SAMPLE_RATE_HERTZ)
    kept: FloatArray = np.zeros(len(samples), np.float32)
    kept[: len(moved)] = moved[: len(samples)]
    return kept


def _stretched(samples: FloatArray, ratio: float) -> FloatArray:
    """Float32 (n,) to about (n * ratio,) at the same pitch.

    A phase vocoder (Flanagan and Golden 1966): every bin goes on at the frequency that its phase
    showed, from frame to frame of the new time.
    """
    padded = np.append(samples, np.zeros(WINDOW, np.float32))
    _, _, spectrum = stft(padded, nperseg=WINDOW, noverlap=WINDOW - STEP)
    at = np.arange(0.0, spectrum.shape[1] - 1, 1 / ratio)
    before = at.astype(int)
    share = at - before
    level, angle = np.abs(spectrum), np.angle(spectrum)
    level = (1 - share) * level[:, before] + share * level[:, before + 1]
    expected = 2 * np.pi * STEP / WINDOW * np.arange(len(spectrum))[:, None]
    strayed = angle[:, before + 1] - angle[:, before] - expected
    advance = expected + strayed - 2 * np.pi * np.round(strayed / (2 * np.pi))
    phase = np.cumsum(np.hstack([angle[:, :1], advance[:, :-1]]), axis=1)
    _, stretched = istft(level * np.exp(1j * phase), nperseg=WINDOW, noverlap=WINDOW - STEP)
    result: FloatArray = stretched.astype(np.float32)
    return result
