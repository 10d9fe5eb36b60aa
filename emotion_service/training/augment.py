"""What a telephone and a speaker may do to a clip: one seeded variant after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from scipy.signal import butter, sosfilt

from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

_BAND = butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE_HERTZ, output="sos")


@dataclass(frozen=True, slots=True)
class Variant:
    """How a clip is changed before the codec; `speed` changes tempo and pitch together."""

    encoding: str
    speed: float = 1.0
    narrow: bool = False  # 300-3400 Hz, as analogue lines carry
    noise_db: float | None = None  # level of pink noise against the clip's, in dB


VARIANTS = (
    Variant("audio/PCMU"),  # the plain one, which evaluation uses
    Variant("audio/PCMA"),
    Variant("audio/PCMU", speed=0.9),
    Variant("audio/PCMU", speed=1.1),
    Variant("audio/PCMA", narrow=True),
    Variant("audio/PCMU", noise_db=-20.0),
    Variant("audio/PCMU", speed=0.95, narrow=True),
    Variant("audio/PCMA", speed=1.05, noise_db=-15.0),
)


def apply(variant: Variant, samples: FloatArray, random: np.random.Generator) -> FloatArray:
    """Float32 (n,) in -1..1 to the same, of another length where the speed changes."""
    changed = samples
    if variant.speed != 1.0:
        changed = soxr.resample(changed, SAMPLE_RATE_HERTZ * variant.speed, SAMPLE_RATE_HERTZ)
    if variant.narrow:
        changed = sosfilt(_BAND, changed).astype(np.float32)
    if variant.noise_db is not None:
        noise = pink_noise(len(changed), random)
        power = float(np.mean(changed**2)) * 10 ** (variant.noise_db / 10)
        changed = changed + noise * np.float32(np.sqrt(power))
    clipped: FloatArray = np.clip(changed, -1.0, 1.0).astype(np.float32)
    return clipped


def pink_noise(length: int, random: np.random.Generator) -> FloatArray:
    """Noise of unit power whose spectrum falls by 3 dB an octave, float32 (length,)."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
    noise = np.fft.irfft(spectrum, length)
    unit: FloatArray = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return unit
