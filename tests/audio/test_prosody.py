"""Prosody of frames made by hand, of synthetic syllables, and of sentences with known counts."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from emotion_service.audio import prosody
from emotion_service.audio.features import CONTEXT, extract
from emotion_service.audio.prosody import describe, syllable_nuclei
from emotion_service.training.corpora.corpus import read_audio, read_corpus
from emotion_service.types import (
    BLOCK,
    FEATURE_NAMES,
    HOP,
    JITTER,
    LOG_F0,
    MEL_BANDS,
    SAMPLE_RATE_HERTZ,
    TILT,
    BoolArray,
    FeatureFrames,
    FloatArray,
    Prosody,
    Sound,
    VoicedAudio,
)

Hear: TypeAlias = Callable[[FloatArray], tuple[FloatArray, BoolArray, list[Sound]]]


def frames(pitches: list[float], voice: list[bool]) -> FeatureFrames:
    """Frames with a pitch in Hz each (0: none), tilts -1, -2, -3, … and jitters 1, 2, 3, … %."""
    values = np.zeros((len(pitches), len(FEATURE_NAMES)), np.float32)
    values[:, LOG_F0] = [np.log(pitch) if pitch else 0.0 for pitch in pitches]
    values[:, TILT] = -np.arange(1, len(pitches) + 1)
    values[:, JITTER] = np.arange(1, len(pitches) + 1) / 100
    return FeatureFrames(0, values, np.array(voice, np.bool_))


def hills(heights_db: list[float], dip_db: float = -30.0, pitched: bool = True) -> FeatureFrames:
    """A hill in all bands for each height: 20 frames each, raised cosines above `dip_db`."""
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(20) / 20)
    level_db = np.concatenate([dip_db + (height - dip_db) * shape for height in heights_db])
    values = np.zeros((len(level_db), len(FEATURE_NAMES)), np.float32)
    values[:, :MEL_BANDS] = (level_db * np.log(10) / 10)[:, np.newaxis]
    values[:, LOG_F0] = np.log(150.0) if pitched else 0.0
    return FeatureFrames(0, values, np.ones(len(level_db), np.bool_))


# --- by hand ----------------------------------------------------------------------------------


def test_means_are_those_of_the_voiced_frames_that_have_a_pitch() -> None:
    described = describe(frames([100, 200, 0, 400, 800], [True, True, True, False, True]))
    assert described.speech == 4 * HOP
    assert described.pitch == pytest.approx(np.log((100 * 200 * 800) ** (1 / 3)), abs=1e-6)
    # -1, 0 and +2 octaves about 200 Hz: 12 semitones each, deviation sqrt(14 / 9) octaves.
    assert described.pitch_range == pytest.approx(12 * np.sqrt(14 / 9), abs=1e-5)
    assert described.tilt == pytest.approx(-(1 + 2 + 5) / 3)
    assert described.roughness == pytest.approx((1 + 2 + 5) / 3)
    assert described.pace == 0.0


def test_speech_without_pitch_has_neither_pitch_nor_colour() -> None:
    assert describe(frames([0] * 10, [True] * 10)) == Prosody(800, None, None, 0.0, None, None)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 50])
def test_without_speech_there_is_nothing_to_describe(count: int) -> None:
    silent = frames([150] * count, [False] * count)
    assert describe(silent) == Prosody(0, None, None, 0.0, None, None)


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_a_window_shorter_than_a_syllable_has_a_pitch_and_no_pace(count: int) -> None:
    """As after consent that arrives 20 ms before a window is due."""
    described = describe(frames([150] * count, [True] * count))
    assert (described.speech, described.pace) == (count * HOP, 0.0)
    assert described.pitch == pytest.approx(np.log(150), abs=1e-6)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 80.0, 300.0])), max_size=30))
def test_any_window_can_be_described(drawn: list[tuple[bool, float]]) -> None:
    described = describe(frames([pitch for _, pitch in drawn], [voice for voice, _ in drawn]))
    assert described.speech == HOP * sum(voice for voice, _ in drawn)
    assert (described.pitch is None) == (not any(voice and pitch for voice, pitch in drawn))


# --- syllable nuclei --------------------------------------------------------------------------


def test_each_hill_has_a_nucleus_at_its_top() -> None:
    assert syllable_nuclei(hills([0.0, -3.0, 0.0])).tolist() == [10, 30, 50]


def test_pace_is_nuclei_a_second_of_speech() -> None:
    window = hills([0.0] * 6)
    half = FeatureFrames(0, window.values, np.arange(120) < 60)
    assert describe(window).pace == 5.0
    assert describe(half).pace == 5.0  # three hills in 0.6 s; the others are no speech


@pytest.mark.parametrize(("dip_db", "nuclei"), [(-3.0, 2), (-6.0, 3)])
def test_a_dip_must_be_three_decibels_deep(dip_db: float, nuclei: int) -> None:
    """Between louder neighbours, and after 70 ms of smoothing, which takes off a fifth."""
    assert len(syllable_nuclei(hills([9.0, 0.0, 9.0], dip_db))) == nuclei


@pytest.mark.parametrize(("height_db", "nuclei"), [(-20.0, 3), (-32.0, 2)])
def test_a_nucleus_is_at_most_25_decibels_below_the_loud_ones(
    height_db: float, nuclei: int
) -> None:
    assert len(syllable_nuclei(hills([0.0, height_db, 0.0], dip_db=-60.0))) == nuclei


def test_without_pitch_there_is_no_nucleus() -> None:
    assert len(syllable_nuclei(hills([0.0] * 4, pitched=False))) == 0


def syllables(rate: float, count: int, pitch: float, seed: int) -> VoicedAudio:
    """`count` syllables at `rate` a second: a vowel each (two formants), rising and falling."""
    length = int(SAMPLE_RATE_HERTZ / rate)
    time = np.arange(count * length + HOP) / SAMPLE_RATE_HERTZ
    pulses = np.diff(np.floor(pitch * time), prepend=0.0)[: count * length].reshape(count, length)
    formants = np.random.default_rng(seed).uniform((350, 1000), (700, 1900), (count, 2))
    for i in range(count):
        for formant in formants[i]:
            pole = 0.95 * np.exp(2j * np.pi * formant / SAMPLE_RATE_HERTZ)
            pulses[i] = signal.lfilter([1], np.poly([pole, pole.conjugate()]).real, pulses[i])
        pulses[i] *= np.hanning(length) / np.sqrt(np.mean(pulses[i] ** 2))
    voice = np.ones(count * length // HOP, np.bool_)
    samples = np.zeros(CONTEXT + len(voice) * HOP, np.float32)
    samples[CONTEXT:] = 0.1 * pulses.reshape(-1)[: len(voice) * HOP]
    return VoicedAudio("customer", -CONTEXT, samples, voice)


@pytest.mark.parametrize("pitch", [90.0, 150.0, 240.0])
@pytest.mark.parametrize("rate", [3.0, 4.0, 5.0, 6.0])
def test_pace_of_synthetic_syllables_is_their_rate(rate: float, pitch: float) -> None:
    (window,) = extract([syllables(rate, int(4 * rate), pitch, seed=int(rate))])
    assert describe(window).pace == pytest.approx(rate, rel=0.01)


# --- sentences with known counts --------------------------------------------------------------


def sentence_paces(hear: Hear, folder: Path, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimated and true syllables a second of speech, of every so-many-th clip."""
    with (folder / "sentences.csv").open(newline="", encoding="utf-8") as file:
        counts = {row["sentence"]: int(row["syllables"]) for row in csv.DictReader(file)}
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        truth = [counts[row["sentence"]] for row in csv.DictReader(file)]
    pairs = []
    for clip, count in list(zip(read_corpus(folder), truth, strict=True))[::every]:
        audio = read_audio(clip.path)
        _, _, sounds = hear(audio)
        voice = np.repeat([sound is Sound.SPEECH for sound in sounds], BLOCK // HOP)
        samples = np.concatenate([np.zeros(CONTEXT, np.float32), audio[: len(sounds) * BLOCK]])
        described = describe(extract([VoicedAudio("customer", -CONTEXT, samples, voice)])[0])
        if described.speech:
            pairs.append((described.pace, count * SAMPLE_RATE_HERTZ / described.speech))
    estimated, true = np.array(pairs).T
    return estimated, true


@pytest.mark.parametrize(
    ("corpus", "every", "correlation"), [("emodb", 3, 0.60), ("ravdess", 12, 0.55)]
)
def test_pace_follows_the_syllable_counts_of_real_sentences(
    hear: Hear, corpora: Path, corpus: str, every: int, correlation: float
) -> None:
    """Measured over all clips: emodb r 0.64, ratio 0.85 (its fast speakers swallow syllables);
    ravdess r 0.59, ratio 1.05 (both of its sentences have seven, so that only the length of the
    speech tells one truth from another); both together r 0.76."""
    estimated, true = sentence_paces(hear, corpora / corpus, every)
    assert len(true) > 100
    assert np.corrcoef(estimated, true)[0, 1] >= correlation
    assert 0.75 <= (estimated / true).mean() <= 1.15


@given(st.lists(st.floats(-120, 20), min_size=1, max_size=400))
def test_the_percentile_is_numpys_to_the_bit(values: list[float]) -> None:
    assert prosody._percentile_95(np.array(values)) == float(np.percentile(values, 95))


@given(
    st.lists(st.integers(-12, 12), min_size=1, max_size=60),
    st.integers(1, 8),
    st.integers(-12, 12),
)
def test_the_tops_are_scipys(steps: list[int], prominence: int, lowest: int) -> None:
    """Of flat tops, steps, edges and equal heights too: the levels are whole numbers."""
    for level in (np.array(steps, float), np.cumsum(steps, dtype=float)):
        expected, _ = signal.find_peaks(level, prominence=prominence, height=lowest)
        assert prosody.prominent_tops(level, prominence, lowest).tolist() == expected.tolist()
