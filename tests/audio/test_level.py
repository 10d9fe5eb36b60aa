"""The gain of a leg, worked out by hand, and what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.level import DOUBT, FLOOR_DB, RELEASE_DB, TARGET_DB, Level
from emotion_service.types import BLOCK, FloatArray

MAX_GAIN_DB = TARGET_DB - FLOOR_DB


def steady(level_db: float, blocks: int) -> FloatArray:
    """A square wave: every block of it has exactly this power."""
    sign = np.tile(np.array([1.0, -1.0], np.float32), blocks * BLOCK // 2)
    return np.float32(10 ** (level_db / 20)) * sign


def uneven(seed: int, blocks: int, low_db: float = -60.0) -> FloatArray:
    """Noise whose level changes by the block, low_db..-10 dB."""
    rng = np.random.default_rng(seed)
    levels = 10 ** (rng.uniform(low_db, -10, blocks) / 20)
    noise = rng.standard_normal((blocks, BLOCK)) * levels[:, np.newaxis]
    return noise.astype(np.float32).reshape(-1)


def gains_db(samples: FloatArray) -> list[float]:
    """The gain at the end of each block."""
    ratio = Level().apply(samples)[BLOCK - 1 :: BLOCK] / samples[BLOCK - 1 :: BLOCK]
    return [float(db) for db in 20 * np.log10(ratio)]


# --- by hand ----------------------------------------------------------------------------------


@pytest.mark.parametrize("level_db", [-38.0, -26.0, -18.0, -3.0])
def test_steady_audio_reaches_the_target_with_the_third_block(level_db: float) -> None:
    # One and two blocks of three: the 60 ms level is 10 log10(1/3) and (2/3) below the block's.
    one, two = 10 * np.log10(1 / 3), 10 * np.log10(2 / 3)
    expected = [min(MAX_GAIN_DB, TARGET_DB - level_db - short) for short in (one, two, 0)]
    gains = gains_db(steady(level_db, 50))
    assert gains[:3] == pytest.approx(expected, abs=1e-5)
    # From then on it is released a little and caught again, by turns.
    assert gains[3:] == pytest.approx([TARGET_DB - level_db] * 47, abs=RELEASE_DB + 1e-5)


@pytest.mark.parametrize("level_db", [-41.0, -60.0, -90.0])
def test_below_the_floor_the_gain_is_22_decibels_and_no_more(level_db: float) -> None:
    assert MAX_GAIN_DB == 22.0
    assert gains_db(steady(level_db, 50)) == pytest.approx([22.0] * 50, abs=1e-5)


@given(seed=st.integers(0, 2**32 - 1), low_db=st.floats(-120, -10))
@settings(max_examples=30)
def test_gain_is_never_above_22_decibels(seed: int, low_db: float) -> None:
    samples = uneven(seed, 60, low_db)
    bound = np.abs(samples) * 10 ** (MAX_GAIN_DB / 20) * (1 + 1e-6)
    assert (np.abs(Level().apply(samples)) <= bound).all()


def test_silence_stays_silence() -> None:
    assert not Level().apply(np.zeros(100 * BLOCK, np.float32)).any()


def test_a_step_up_of_20_decibels_is_followed_within_60_ms() -> None:
    gains = gains_db(np.concatenate([steady(-30, 5), steady(-10, 5)]))
    # Power 1 before the step and 100 after it, averaged over three blocks.
    levels = [-30 + 10 * np.log10(total / 3) for total in (102, 201, 300)]
    assert gains[4:8] == pytest.approx([12.0, *(TARGET_DB - level for level in levels)], abs=1e-5)
    assert gains[8:] == pytest.approx([-8.0] * 2, abs=RELEASE_DB + 1e-5)


def test_the_gain_moves_along_a_line_within_a_block() -> None:
    samples = np.concatenate([steady(-30, 5), steady(-10, 1)])
    ratio = (Level().apply(samples) / samples)[-BLOCK - 1 :]
    steps = np.diff(ratio)
    assert steps == pytest.approx(np.full(BLOCK, steps.mean()), abs=2e-6)
    assert 20 * np.log10(ratio[0]) == pytest.approx(12.0, abs=1e-5)


def test_after_a_step_down_of_15_decibels_the_gain_rises_by_1_decibel_a_second() -> None:
    gains = gains_db(np.concatenate([steady(-10, 5), steady(-25, 500)]))
    assert RELEASE_DB * 50 == 1.0
    # Two more blocks hold -10 dB within their 60 ms; none of them exceeds the peak.
    assert gains[4] == pytest.approx(-8.0, abs=1e-5)
    assert gains[-1] == pytest.approx(-8.0 + 500 * RELEASE_DB, abs=1e-4)
    assert np.diff(gains[4:]) == pytest.approx(np.full(500, RELEASE_DB), abs=1e-4)


def test_after_a_step_down_of_25_decibels_the_gain_waits_for_speech() -> None:
    gains = gains_db(np.concatenate([steady(-10, 5), steady(-35, 500)]))
    # While the loud blocks leave the 60 ms the level is within 20 dB of the peak: two releases.
    assert gains[-1] == pytest.approx(-8.0 + 2 * RELEASE_DB, abs=1e-5)
    assert gains[7:] == pytest.approx([gains[-1]] * len(gains[7:]), abs=1e-5)


def test_a_burst_that_ten_seconds_of_sound_never_came_near_was_no_speech() -> None:
    gains = gains_db(np.concatenate([steady(-3, 10), steady(-32, DOUBT + 2000)]))
    doubting = gains[12 : 12 + DOUBT - 10]
    assert doubting == pytest.approx([doubting[0]] * len(doubting), abs=1e-5)
    # Then the peak is released at the usual pace, down to the sound that is really there.
    released = gains[12 + DOUBT + 100] - gains[12 + DOUBT]
    assert released == pytest.approx(100 * RELEASE_DB, abs=1e-5)
    assert gains[-1] == pytest.approx(TARGET_DB + 32.0, abs=RELEASE_DB + 1e-5)


# --- what it must not depend on ---------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 4.0, 3.7])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_above_the_floor_the_inputs_gain_does_not_matter(factor: float, seed: int) -> None:
    """From the second block on: the first one's ramp starts from the floor's gain."""
    samples = uneven(seed, 60, low_db=-20)
    plain = Level().apply(samples)[BLOCK:]
    scaled = Level().apply(np.float32(factor) * samples)[BLOCK:]
    # The samples' own rounding comes on top of the gain's where the factor is no power of two.
    assert np.abs(scaled - plain).max() <= 4 * np.spacing(np.abs(plain).max())
    if factor != 3.7:
        # Powers of two leave the samples' digits alone; the gain differs by the 1e-12 that keeps
        # the logarithm of silence finite, which now and then tips its rounding.
        assert np.mean(scaled != plain) < 0.05


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 120), max_size=12))
@settings(max_examples=50)
def test_any_split_into_whole_blocks_gives_the_same_bits(seed: int, cuts: list[int]) -> None:
    samples = uneven(seed, 120)
    level = Level()
    parts = [level.apply(part) for part in np.split(samples, [cut * BLOCK for cut in sorted(cuts)])]
    assert np.array_equal(np.concatenate(parts), Level().apply(samples))


def test_output_is_float32_of_the_same_length() -> None:
    levelled = Level().apply(uneven(0, 7))
    assert levelled.dtype == np.float32
    assert levelled.shape == (7 * BLOCK,)
