"""Noise of the colour and level that was asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emotion_service.training.corpora.corpus import active_level_db
from emotion_service.training.lines.noise import (
    HARMONICS,
    NOISES,
    babble,
    brown_noise,
    excerpt,
    hum,
    mixed,
    pink_noise,
    white_noise,
)
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]


def seeded(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def level_db(samples: FloatArray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def octaves_db(noise: FloatArray) -> FloatArray:
    """The power of seven octaves, 31 Hz to 4 kHz, of 131072 samples."""
    power = np.abs(np.fft.rfft(noise)) ** 2
    return np.array([10 * np.log10(power[1 << n : 2 << n].sum()) for n in range(9, 16)])


@pytest.mark.parametrize("name", NOISES)
def test_noise_has_unit_power_and_its_seeds_bits(name: str) -> None:
    noise = NOISES[name](1 << 15, seeded())
    assert noise.dtype == np.float32
    assert level_db(noise) == pytest.approx(0.0, abs=1e-3)
    assert np.array_equal(NOISES[name](1 << 15, seeded()), noise)
    assert not np.array_equal(NOISES[name](1 << 15, seeded(2)), noise)


def test_white_noise_gains_3_db_an_octave() -> None:
    assert np.diff(octaves_db(white_noise(1 << 17, seeded()))) == pytest.approx(3.01, abs=0.7)


def test_pink_noise_has_the_same_in_every_octave() -> None:
    octaves = octaves_db(pink_noise(1 << 17, seeded()))
    assert octaves.max() - octaves.min() < 1.0


def test_brown_noise_loses_3_db_an_octave_above_50_hz() -> None:
    octaves = octaves_db(brown_noise(1 << 17, seeded()))
    assert np.diff(octaves)[1:] == pytest.approx(-3.01, abs=0.7)
    assert octaves[0] < octaves[1] + 3.0


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_is_the_mains_and_its_harmonics(mains: float) -> None:
    noise = hum(8000, mains, seeded())
    power = np.abs(np.fft.rfft(noise)) ** 2
    lines = power[int(mains) * np.arange(1, HARMONICS + 1)]
    assert lines.sum() / power.sum() == pytest.approx(1.0, abs=1e-6)
    assert lines[0] / lines == pytest.approx(np.arange(1, HARMONICS + 1) ** 2, rel=1e-3)
    assert level_db(noise) == pytest.approx(0.0, abs=1e-3)
    assert not np.array_equal(hum(8000, mains, seeded(2)), noise)


@pytest.mark.parametrize("snr", [0.0, 10.0, 30.0])
@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_the_ratio_asked_for_is_reached(snr: float, gain: float, speech: Voice) -> None:
    voice = np.concatenate([speech(3.0, 0), np.zeros(8000, np.float32)]) * np.float32(gain)
    noise = mixed(voice, pink_noise(len(voice), seeded()), snr) - voice
    assert active_level_db(voice) - level_db(noise) == pytest.approx(snr, abs=0.01)


def test_a_pause_does_not_change_the_noise(speech: Voice) -> None:
    short = speech(2.0, 0)
    long = np.concatenate([short, np.zeros(16_000, np.float32)])
    noises = [mixed(v, white_noise(len(v), seeded()), 10.0) - v for v in (short, long)]
    assert level_db(noises[0]) == pytest.approx(level_db(noises[1]), abs=0.01)


def test_silence_has_no_ratio_and_adds_nothing(speech: Voice) -> None:
    silence = np.zeros(8000, np.float32)
    with pytest.raises(ValueError, match="expected speech"):
        mixed(silence, white_noise(8000, seeded()), 10.0)
    assert np.array_equal(mixed(speech(1.0, 0), silence, 10.0), speech(1.0, 0))


def test_an_excerpt_begins_anywhere_and_begins_again() -> None:
    recording = np.arange(100, dtype=np.float32)
    cuts = [excerpt(recording, 250, seeded(seed)) for seed in range(50)]
    for cut in cuts:
        assert np.array_equal(cut, (cut[0] + np.arange(250)) % 100)
    assert len({float(cut[0]) for cut in cuts}) > 30


def test_all_talkers_of_a_babble_are_equally_loud(speech: Voice) -> None:
    loud, faint = speech(2.0, 0), speech(2.0, 1) * np.float32(0.01)
    both = babble([loud, faint], 16_000, seeded(3))
    again = seeded(3)
    parts = [excerpt(v, 16_000, again) * 10 ** (-active_level_db(v) / 20) for v in (loud, faint)]
    assert np.allclose(both, parts[0] + parts[1], rtol=1e-5, atol=1e-5)
    assert np.array_equal(babble([loud, faint], 16_000, seeded(3)), both)
