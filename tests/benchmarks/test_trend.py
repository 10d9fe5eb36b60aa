"""The slope of lines that are known, and figures of moments that are."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks.churn import Fate
from benchmarks.crowd import Crowd, Tally
from benchmarks.load import Load
from benchmarks.trend import Moment, SoakFigures, figures, slope

SECONDS = list(map(float, range(600)))


def test_the_slope_of_a_line_is_its_slope() -> None:
    assert slope(SECONDS, [100.0] * 600) == 0.0
    assert slope(SECONDS, [100.0 - at / 4 for at in SECONDS]) == -0.25
    assert slope([0.0, 1.0, 5.0], [3.0, 5.0, 13.0]) == 2.0


def test_peaks_do_not_bend_the_slope() -> None:
    values = [100.0 + at / 8 for at in SECONDS]
    values[100::10] = [500.0] * 50
    assert slope(SECONDS, values) == 0.125


def test_noise_hardly_bends_it() -> None:
    noise = np.random.default_rng(0).normal(0.0, 1.0, 600)
    values = [100.0 + at / 600 + error for at, error in zip(SECONDS, noise, strict=True)]
    assert 600 * slope(SECONDS, values) == pytest.approx(1.0, abs=0.5)


def found(growth_mb: float) -> SoakFigures:
    """Of 10 minutes in which memory doubles within two, then grows by so much in ten."""
    load = Load("", [np.zeros((8, 2), np.uint8)], calls=50, message_ms=100, seconds=600.0)
    moments = [
        Moment(
            at=at,
            rss_mb=100.0 + min(at, 120.0) / 1.2 + max(0.0, at - 120.0) * growth_mb / 600,
            cpu_seconds=at / 2,
            open_files=30 + (at == 300.0),
            live_calls=50 - (at == 400.0) if at > 2 else 0,
            watchers=8,
        )
        for at in SECONDS
    ]
    ended = Counter({fate: number for number, fate in enumerate(Fate, 1)})
    return figures(Crowd(load), Tally(ended=ended, cut=2), moments, 120.0)


@pytest.mark.parametrize(
    ("growth_mb", "flat"), [(0.0, True), (1.9, True), (-1.9, True), (2.1, False), (-2.1, False)]
)
def test_flat_is_2_mb_in_10_minutes_after_the_warm_up(growth_mb: float, flat: bool) -> None:
    assert found(growth_mb).slope_mb_per_10_minutes == pytest.approx(growth_mb)
    assert found(growth_mb).flat is flat


def test_figures() -> None:
    result = found(1.2)
    assert result.rss_after_1_minute_mb == 150.0
    assert result.rss_at_end_mb == result.rss_highest_mb == pytest.approx(200.0 + 479 * 0.002)
    assert (result.open_files_highest, result.live_calls_lowest, result.cores) == (31, 49, 0.5)
    assert (result.completed, result.withdrawn) == (1 + 2, 2)
    assert (result.cancelled, result.refused, result.slow_watchers_cut) == (3, 4 + 5, 2)
