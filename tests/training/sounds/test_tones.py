"""The network's tones have the frequencies and the rhythm of their standards."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest

from emotion_service.training.sounds.instruments import Samples
from emotion_service.training.sounds.tones import (
    BUSY,
    KEYS,
    RINGBACK,
    SPECIAL,
    Cadence,
    cadence,
    carrier,
    dtmf,
    keyed,
    tone,
)


def runs(samples: Samples) -> list[tuple[bool, float]]:
    """Whether it sounds, and for how many seconds; the first and the last run are cut off."""
    sounding = np.abs(samples).reshape(-1, 80).max(axis=1) > 0
    return [(on, len(list(run)) / 100) for on, run in groupby(sounding)][1:-1]


def lines(samples: Samples, count: int) -> list[float]:
    """The strongest frequencies in hertz, ascending."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hertz = np.fft.rfftfreq(len(samples), 1 / 8000)
    found = []
    for _ in range(count):
        found.append(float(hertz[power.argmax()]))
        power[np.abs(hertz - found[-1]) < 12] = 0
    return sorted(found)


@pytest.mark.parametrize("chosen", [*RINGBACK, *BUSY])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_cadence_has_its_rhythm_and_its_frequencies(chosen: Cadence, seed: int) -> None:
    samples = cadence([chosen], 24.0, np.random.default_rng(seed))
    assert len(samples) == 24 * 8000
    wanted = [run for _, on, off in chosen for run in ((True, on), (False, off))]
    found = runs(samples)
    assert any(
        all(
            on == wanted[(i + shift) % len(wanted)][0]
            and abs(length - wanted[(i + shift) % len(wanted)][1]) <= 0.021
            for i, (on, length) in enumerate(found)
        )
        for shift in range(len(wanted))
    )
    hertz = chosen[0][0]
    assert lines(samples, len(hertz)) == pytest.approx(sorted(hertz), rel=0.011)


def test_special_information_rises_in_three_steps() -> None:
    samples = cadence([SPECIAL[0]], 10.0, np.random.default_rng(0))
    assert lines(samples, 3) == pytest.approx([913.8, 1370.6, 1776.7], rel=0.011)


def test_each_press_is_one_key() -> None:
    samples = dtmf(20.0, np.random.default_rng(5))
    sounding = np.abs(samples).reshape(-1, 80).max(axis=1) > 0
    edges = np.flatnonzero(np.diff(sounding.astype(int))) + 1
    pressed = [samples[a * 80 + 80 : b * 80 - 80] for a, b in pairwise(edges) if sounding[a]]
    assert len(pressed) >= 15
    keys = {_key(press) for press in pressed}
    assert keys <= set(KEYS)
    assert len(keys) >= 8


def _key(press: Samples) -> tuple[int, int]:
    """Of each group of four the frequency that fits best."""
    time = np.arange(len(press)) / 8000
    strength = {
        hertz: abs(press @ np.exp(-2j * np.pi * hertz * time)) for key in KEYS for hertz in key
    }
    low = max((697, 770, 852, 941), key=strength.__getitem__)
    high = max((1209, 1336, 1477, 1633), key=strength.__getitem__)
    assert min(strength[low], strength[high]) > 0.1 * len(press) / 4
    return low, high


def test_a_tone_is_its_sines_and_fades_at_both_ends() -> None:
    samples = tone((1000.0,), 0.1, 1.0)
    time = np.arange(16, 784) / 8000
    np.testing.assert_allclose(samples[16:784], np.sin(2 * np.pi * 1000 * time), atol=1e-9)
    assert samples[0] == samples[-1] == 0.0


def test_keyed_data_has_two_frequencies() -> None:
    samples = keyed(1650.0, 1850.0, 300.0, 2.0, np.random.default_rng(0))
    turns = np.diff(np.unwrap(np.angle(_analytic(samples))))[100:-100] * 8000 / (2 * np.pi)
    assert np.percentile(turns, 25) == pytest.approx(1650, abs=40)
    assert np.percentile(turns, 75) == pytest.approx(1850, abs=40)


def test_a_carrier_stays_in_its_band() -> None:
    samples = carrier(1800.0, 2400.0, 4.0, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / 8000)
    assert power[np.abs(hertz - 1800) <= 1200].sum() >= 0.9 * power.sum()


def _analytic(samples: Samples) -> np.ndarray:
    spectrum = np.fft.fft(samples)
    spectrum[len(samples) // 2 :] = 0
    return np.fft.ifft(spectrum)
