"""What a telephone does to a clip, and that chance is the seed's alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emotion_service.training.augment import VARIANTS, Variant, apply, pink_noise
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]


def sine(hertz: float, seconds: float = 2.0) -> FloatArray:
    time = np.arange(int(seconds * 8000)) / 8000
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def applied(variant: Variant, samples: FloatArray, seed: int = 0) -> FloatArray:
    return apply(variant, samples, np.random.default_rng(seed))


def strongest(samples: FloatArray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 8000 / len(samples))


def gain_db(variant: Variant, hertz: float) -> float:
    inside = slice(4000, 12_000)  # without the edges
    before, after = sine(hertz)[inside], applied(variant, sine(hertz))[inside]
    return float(10 * np.log10(np.mean(after**2) / np.mean(before**2)))


def test_the_first_variant_is_the_clip_itself(speech: Voice) -> None:
    assert VARIANTS[0] == Variant("audio/PCMU")
    assert np.array_equal(applied(VARIANTS[0], speech(1.0, 0)), speech(1.0, 0))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_the_same_bits(variant: Variant, speech: Voice) -> None:
    voice = speech(1.0, 0)
    first, again, other = (applied(variant, voice, seed) for seed in (5, 5, 6))
    assert first.dtype == np.float32
    assert np.abs(first).max() <= 1.0
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (variant.noise_db is None)


@pytest.mark.parametrize("speed", [0.9, 0.95, 1.05, 1.1])
def test_speed_changes_tempo_and_pitch_together(speed: float) -> None:
    changed = applied(Variant("audio/PCMU", speed=speed), sine(500))
    assert len(changed) == pytest.approx(16_000 / speed, abs=1)
    assert strongest(changed) == pytest.approx(500 * speed, abs=1)


@pytest.mark.parametrize(("hertz", "low", "high"), [(1000, -0.2, 0.2), (100, -99, -24)])
def test_a_narrow_line_loses_what_is_below_300_hz(hertz: float, low: float, high: float) -> None:
    assert low < gain_db(Variant("audio/PCMU", narrow=True), hertz) < high


@pytest.mark.parametrize("noise_db", [-20.0, -15.0])
def test_noise_lies_where_it_is_said(noise_db: float, speech: Voice) -> None:
    voice = speech(4.0, 0)
    noise = applied(Variant("audio/PCMU", noise_db=noise_db), voice) - voice
    given_db = 10 * np.log10(np.mean(noise**2) / np.mean(voice**2))
    assert given_db == pytest.approx(noise_db, abs=0.01)


def test_too_loud_a_clip_is_clipped() -> None:
    assert np.abs(applied(Variant("audio/PCMU", noise_db=-6.0), 3.3 * sine(300))).max() == 1.0


def test_pink_noise_has_unit_power_and_the_same_in_every_octave() -> None:
    noise = pink_noise(1 << 17, np.random.default_rng(1))
    assert np.mean(noise.astype(np.float64) ** 2) == pytest.approx(1.0, abs=1e-4)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [10 * np.log10(power[1 << n : 2 << n].sum()) for n in range(8, 16)]
    assert max(octaves) - min(octaves) < 1.0
