"""Instruments are in tune, scales are scales, bars are as long as they should be."""

from __future__ import annotations

import numpy as np
import pytest

from emotion_service.training.sounds.instruments import (
    Maker,
    beat,
    brass,
    flute,
    guitar,
    organ,
    pad,
    piano,
    singer,
    strings,
)
from emotion_service.training.sounds.music import BANDS, MAJOR, MINOR, Tune, play

TUNED: list[Maker] = [organ, strings, pad, guitar, piano, flute, brass]
TUNE = Tune(beat=0.5, beats=4, root=69, scale=MAJOR, progression=(0, 3), bars=4)


@pytest.mark.parametrize("maker", TUNED)
@pytest.mark.parametrize("hertz", [131.0, 262.0, 523.0])
def test_an_instrument_is_in_tune(maker: Maker, hertz: float) -> None:
    """Shifted by one period the note is nearly the same; by 0.7 of it, another."""
    note = maker(np.random.default_rng(1))(hertz, 1.0)
    assert note.shape == (8000,)
    middle = note[1000:6000]
    period = 8000 / hertz
    at = np.arange(1000, 6000)
    shifted = np.interp(at + period, np.arange(8000), note)
    assert np.corrcoef(middle, shifted)[0, 1] > 0.85
    sharp = np.interp(at + 0.7 * period, np.arange(8000), note)
    assert np.corrcoef(middle, sharp)[0, 1] < 0.7


def test_a_singer_arrives_at_the_note_or_an_octave_below() -> None:
    note = singer(np.random.default_rng(2))(262.0, 1.5)
    spectrum = np.abs(np.fft.rfft(note[8000:], 1 << 17))
    hertz = np.fft.rfftfreq(1 << 17, 1 / 8000)
    comb = {
        tried: sum(spectrum[np.argmin(abs(hertz - k * tried))] for k in range(1, 9)) / 8
        for tried in np.arange(100.0, 300.0, 1.0)
    }
    best = max(comb, key=comb.__getitem__)
    assert min(abs(best / 262.0 - 1), abs(best / 131.0 - 1)) < 0.03


@pytest.mark.parametrize("drum", ["kick", "snare", "hat"])
def test_a_drum_is_loud_at_once_and_soon_gone(drum: str) -> None:
    stroke = beat(np.random.default_rng(0))(drum)
    assert np.abs(stroke[:800]).max() > 10 * np.abs(stroke[-200:]).max()


@pytest.mark.parametrize(
    ("degree", "hertz"), [(0, 440.0), (7, 880.0), (-7, 220.0), (4, 659.26), (-1, 415.30)]
)
def test_a_degree_has_its_pitch(degree: int, hertz: float) -> None:
    assert TUNE.hertz(degree) == pytest.approx(hertz, rel=1e-4)


def test_scales_have_seven_steps_of_one_octave() -> None:
    assert [len(set(scale)) for scale in (MAJOR, MINOR)] == [7, 7]
    assert max(MAJOR + MINOR) < 12


def test_the_chords_of_a_tune_come_round() -> None:
    assert TUNE.bar == 2.0
    assert [TUNE.degree(bar) for bar in range(5)] == [0, 3, 0, 3, 0]


@pytest.mark.parametrize("name", BANDS)
def test_every_band_plays_as_long_as_it_is_asked_to(name: str) -> None:
    piece = play(BANDS[name], 3.0, np.random.default_rng(0))
    assert piece.shape == (24_000,)
    assert np.isfinite(piece).all()
    assert np.sqrt(np.mean(piece**2)) > 0.05
