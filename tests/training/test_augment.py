"""The shipped model's variants, bit for bit, and lines drawn as a recipe says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import soxr
from scipy.signal import butter, sosfilt

from emotion_service.training.augment import (
    VARIANTS,
    Chance,
    LineRecipe,
    Variant,
    apply,
)
from emotion_service.training.channel import CODECS
from emotion_service.training.line import Line, Surroundings
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]
NEVER = Chance(0.0, 0.1, 0.1)


def sine(hertz: float, seconds: float = 2.0) -> FloatArray:
    time = np.arange(int(seconds * 8000)) / 8000
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def applied(variant: Variant, samples: FloatArray, seed: int = 0) -> FloatArray:
    return apply(variant, samples, np.random.default_rng(seed))


def lines(recipe: LineRecipe, count: int, seed: int = 0) -> list[Line]:
    random = np.random.default_rng(seed)
    return [recipe.draw(random) for _ in range(count)]


# --- variants ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_shipped_models_clips_can_be_made_again_to_the_bit(
    variant: Variant, speech: Voice
) -> None:
    """Written out as it was when that model was trained."""
    expected, random = speech(2.0, 3), np.random.default_rng(9)
    if variant.speed != 1.0:
        expected = soxr.resample(expected, 8000 * variant.speed, 8000)
    if variant.narrow:
        band = butter(4, (300, 3400), "bandpass", fs=8000, output="sos")
        expected = sosfilt(band, expected).astype(np.float32)
    if variant.noise_db is not None:
        spectrum = np.fft.rfft(random.standard_normal(len(expected)))
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
        noise = np.fft.irfft(spectrum, len(expected))
        noise = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
        power = float(np.mean(expected**2)) * 10 ** (variant.noise_db / 10)
        expected = expected + noise * np.float32(np.sqrt(power))
    expected = np.clip(expected, -1.0, 1.0).astype(np.float32)
    assert applied(variant, speech(2.0, 3), seed=9).tobytes() == expected.tobytes()


@pytest.mark.parametrize("noise_db", [-20.0, -15.0])
def test_noise_lies_where_it_is_said(noise_db: float, speech: Voice) -> None:
    voice = speech(4.0, 0)
    noise = applied(Variant("audio/PCMU", noise_db=noise_db), voice) - voice
    given_db = 10 * np.log10(np.mean(noise**2) / np.mean(voice**2))
    assert given_db == pytest.approx(noise_db, abs=0.01)


def test_too_loud_a_clip_is_clipped() -> None:
    assert np.abs(applied(Variant("audio/PCMU", noise_db=-6.0), 3.3 * sine(300))).max() == 1.0


# --- recipes ----------------------------------------------------------------------------------


def test_conditions_come_as_often_and_as_strong_as_the_recipe_says() -> None:
    drawn = lines(LineRecipe(noise_snr_db=Chance(0.25, 5.0, 15.0)), 2000)
    ratios = [line.noise_snr_db for line in drawn if line.noise_snr_db is not None]
    assert len(ratios) / len(drawn) == pytest.approx(0.25, abs=0.02)
    assert (min(ratios), max(ratios)) == pytest.approx((5.0, 15.0), abs=0.1)
    assert np.mean(ratios) == pytest.approx(10.0, abs=0.3)


def test_shares_are_kept() -> None:
    drawn = lines(LineRecipe(band=0.3, comfort_noise=0.2, gaps=0.1, concealed=0.6), 2000)
    shares = {
        "band": np.mean([line.band for line in drawn]),
        "comfort": np.mean([line.pauses == "comfort" for line in drawn]),
        "gaps": np.mean([line.pauses == "gaps" for line in drawn]),
        "repeat": np.mean([line.concealment == "repeat" for line in drawn]),
        "pcmu": np.mean([line.codec == "pcmu" for line in drawn]),
        "60 Hz": np.mean([line.hum_hertz == 60.0 for line in drawn]),
    }
    expected = {
        "band": 0.3, "comfort": 0.2, "gaps": 0.1, "repeat": 0.6, "pcmu": 4 / 13, "60 Hz": 0.5,
    }  # fmt: skip
    assert shares == pytest.approx(expected, abs=0.03)
    assert {line.codec for line in drawn} == set(CODECS)
    assert {line.noise for line in drawn} == {"white", "pink", "brown"}


def test_the_default_bounds_are_those_of_the_aims() -> None:
    drawn = lines(LineRecipe(), 2000)
    assert all(-20 <= line.level_db <= 20 for line in drawn)
    assert all(line.loss == 0.0 or 0.01 <= line.loss <= 0.1 for line in drawn)
    assert all(line.noise_snr_db is None or 0 <= line.noise_snr_db <= 30 for line in drawn)
    assert all(line.babble_snr_db is None for line in drawn)
    assert all(0.9 <= line.speed <= 1.1 and 1.2 <= line.burst <= 4.0 for line in drawn)


def test_a_recipe_without_conditions_is_the_plain_line(speech: Voice) -> None:
    recipe = LineRecipe(
        speed=NEVER,
        pitch_semitones=NEVER,
        noise_snr_db=NEVER,
        hum_snr_db=NEVER,
        overdrive_db=NEVER,
        level_db=NEVER,
        band=0.0,
        comfort_noise=0.0,
        gaps=0.0,
        codecs={"pcma": 1.0},
        loss=NEVER,
    )
    (line,) = lines(recipe, 1)
    heard = line.carry(speech(1.0, 0), Surroundings(), np.random.default_rng(0))
    assert line.encoding == "audio/PCMA"
    assert np.array_equal(heard, CODECS["pcma"](speech(1.0, 0)))


def test_lines_are_the_seeds_alone() -> None:
    assert lines(LineRecipe(), 50, 1) == lines(LineRecipe(), 50, 1)
    assert lines(LineRecipe(), 50, 1) != lines(LineRecipe(), 50, 2)


def test_one_condition_more_changes_no_other() -> None:
    with_babble = lines(LineRecipe(babble_snr_db=Chance(1.0, 5.0, 30.0)), 50)
    assert [replace(line, babble_snr_db=None) for line in with_babble] == lines(LineRecipe(), 50)


# --- files ------------------------------------------------------------------------------------
