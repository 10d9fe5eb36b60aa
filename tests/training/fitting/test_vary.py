"""What is altered in a window, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from emotion_service.training.fitting.vary import CENTRES_HERTZ, masked, warped
from emotion_service.types import CENTROID, ENERGY, FEATURE_NAMES, MEL_BANDS, FloatArray


def frames_with_bump(hertz: float) -> FloatArray:
    """A frame of a broad resonance, after one without a voice."""
    frames = np.zeros((2, len(FEATURE_NAMES)), np.float32)
    frames[1, :MEL_BANDS] = 5 * np.exp(-(np.log(CENTRES_HERTZ / hertz) ** 2) / 0.05)
    frames[1, CENTROID] = np.log(hertz)
    return frames


def bump(frame: FloatArray) -> float:
    """Where its resonance is, in Hz."""
    weights = frame[:MEL_BANDS].astype(np.float64) ** 2 * np.gradient(np.log(CENTRES_HERTZ))
    return float(np.exp((np.log(CENTRES_HERTZ) * weights).sum() / weights.sum()))


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_a_shorter_vocal_tract_resonates_higher(factor: float) -> None:
    frames = frames_with_bump(1500.0)
    moved = warped(frames, factor)
    assert bump(moved[1]) / bump(frames[1]) == pytest.approx(factor, rel=0.005)
    assert moved[1, CENTROID] == pytest.approx(np.log(1500.0 * factor))
    assert moved[1, ENERGY] == frames[1, ENERGY]
    assert not moved[0].any()


def test_masking_hides_bands_and_a_stretch_and_nothing_else() -> None:
    random = np.random.default_rng(3)
    frames = random.normal(size=(4, 400, len(FEATURE_NAMES))).astype(np.float32)
    before = frames.copy()
    hidden = masked(frames, np.ones((4, 400), np.float32), random)
    assert np.array_equal(frames, before)
    changed = hidden != before
    assert not changed[:, :, MEL_BANDS:].any()
    for window in changed[:, :, :MEL_BANDS]:
        assert window.all(axis=0).sum() <= 8
        assert window.all(axis=1).sum() <= 30
        assert not window[~window.all(axis=1)][:, ~window.all(axis=0)].any()
