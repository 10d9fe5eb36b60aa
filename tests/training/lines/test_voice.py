"""Tempo and pitch: together, or the one without the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emotion_service.training.lines.voice import pitched, speeded
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]


def sine(hertz: float, seconds: float = 2.0) -> FloatArray:
    time = np.arange(int(seconds * 8000)) / 8000
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def strongest(samples: FloatArray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 8000 / len(samples))


@pytest.mark.parametrize("speed", [0.9, 0.95, 1.05, 1.1])
def test_speed_changes_tempo_and_pitch_together(speed: float) -> None:
    changed = speeded(sine(500), speed)
    assert len(changed) == pytest.approx(16_000 / speed, abs=1)
    assert strongest(changed) == pytest.approx(500 * speed, abs=1)


@pytest.mark.parametrize("semitones", [-4.0, -1.0, 0.5, 3.0])
@pytest.mark.parametrize("hertz", [120.0, 1000.0])
def test_pitch_moves_and_tempo_stays(semitones: float, hertz: float) -> None:
    changed = pitched(sine(hertz), semitones)
    assert changed.shape == (16_000,)
    assert changed.dtype == np.float32
    assert strongest(changed) == pytest.approx(hertz * 2 ** (semitones / 12), abs=1)
    inside = slice(2000, 14_000)
    assert np.std(changed[inside]) / np.std(sine(hertz)[inside]) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("semitones", [-2.0, 2.0])
def test_syllables_stay_where_they_are(semitones: float, speech: Voice) -> None:
    voice = speech(3.0, 0)
    before, after = (
        np.abs(x).reshape(-1, 80).mean(axis=1) for x in (voice, pitched(voice, semitones))
    )
    lags = range(-10, 11)
    likeness = [np.corrcoef(np.roll(after, -lag)[10:-10], before[10:-10])[0, 1] for lag in lags]
    assert abs(lags[int(np.argmax(likeness))]) <= 1
    assert max(likeness) > 0.8


def test_no_change_of_pitch_changes_next_to_nothing(speech: Voice) -> None:
    voice = speech(2.0, 1)
    assert np.allclose(pitched(voice, 0.0), voice, atol=1e-4)


@pytest.mark.parametrize("length", [1, 100, 5001])
def test_any_length_is_kept(length: int, speech: Voice) -> None:
    assert pitched(speech(1.0, 0)[:length], 1.5).shape == (length,)
