"""Lines drawn as a recipe says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from emotion_service.training.lines.augment import Chance, LineRecipe
from emotion_service.training.lines.channel import CODECS
from emotion_service.training.lines.line import Line, Surroundings
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]
NEVER = Chance(0.0, 0.1, 0.1)


def lines(recipe: LineRecipe, count: int, seed: int = 0) -> list[Line]:
    random = np.random.default_rng(seed)
    return [recipe.draw(random) for _ in range(count)]


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
