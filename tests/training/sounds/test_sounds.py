"""Every sound is whole, as loud as said, and its seed's own."""

from __future__ import annotations

import numpy as np
import pytest

from emotion_service.training.corpora.corpus import active_level_db
from emotion_service.training.sounds.sounds import SOUNDS, TEST_SEEDS, TRAINING_SEEDS, generate
from emotion_service.types import FloatArray

SPARSE = {"beeps", "special_information", "ringback"}  # two seconds may hold nothing of them


@pytest.mark.parametrize("kind", SOUNDS)
def test_a_sound_is_as_long_and_as_loud_as_said(kind: str) -> None:
    sound = generate(kind, 2.05, 7)
    assert (sound.dtype.name, sound.shape) == ("float32", (16_400,))
    assert np.abs(sound).max() <= 1.0
    level_db = active_level_db(sound)
    if kind not in SPARSE or np.isfinite(level_db):
        wanted_db = -50.0 if kind == "comfort_noise" else -20.0
        assert level_db == pytest.approx(wanted_db, abs=2.0)  # crackle clips


@pytest.mark.parametrize("kind", SOUNDS)
def test_a_seed_is_a_sound(kind: str) -> None:
    first, again, other = (generate(kind, 12.0, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_training_and_test_never_share_a_seed() -> None:
    assert TRAINING_SEEDS.stop == TEST_SEEDS.start
    assert len(TRAINING_SEEDS) == len(TEST_SEEDS) == 1_000_000


def octave_powers(samples: FloatArray) -> tuple[float, float, float]:
    """In 250-500, 500-1000 and 1000-2000 Hz, in dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / 8000)
    low, middle, high = (
        10 * np.log10(power[(hertz >= edge) & (hertz < 2 * edge)].sum())
        for edge in (250, 500, 1000)
    )
    return float(low), float(middle), float(high)


@pytest.mark.parametrize(("colour", "step_db"), [("white", 3.0), ("pink", 0.0), ("brown", -3.0)])
def test_noise_has_its_colour(colour: str, step_db: float) -> None:
    low, middle, high = octave_powers(generate(f"{colour}_noise", 8.0, 0))
    assert middle - low == pytest.approx(step_db, abs=0.5)
    assert high - middle == pytest.approx(step_db, abs=0.5)


def test_the_buzz_of_a_mobile_telephone_repeats_with_its_frames() -> None:
    sound = generate("buzz", 8.0, 0).astype(np.float64)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / 8000)
    harmonics = np.abs(hertz / 216.7 - np.round(hertz / 216.7)) * 216.7 < 10
    assert power[harmonics].sum() > 0.6 * power.sum()
    assert harmonics.mean() < 0.1
