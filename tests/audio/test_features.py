"""Features against librosa, analytic signals and their own definitions; then the invariants.

Frame k covers samples [80k, 80k + 80) behind CONTEXT samples, which every signal here includes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

import librosa
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from librosa.filters import mel as librosa_mel

from emotion_service.audio.features import (
    CONTEXT,
    FLOOR,
    LINE_SHARE,
    PITCH_WINDOW,
    SPECTRUM_WINDOW,
    extract,
    mel_filters,
)
from emotion_service.types import (
    CENTROID,
    ENERGY,
    FEATURE_NAMES,
    FLUX,
    HARMONICITY,
    HOP,
    JITTER,
    LOG_F0,
    MEL_BANDS,
    SAMPLE_RATE_HERTZ,
    SHIMMER,
    TILT,
    FeatureFrames,
    FloatArray,
    VoicedAudio,
)

Signal = npt.NDArray[np.float64]

RATE = SAMPLE_RATE_HERTZ
FRAMES = 20
TIME = np.arange(CONTEXT + FRAMES * HOP) / RATE
MEL = {"n_mels": MEL_BANDS, "fmin": 60, "fmax": 3800}
STFT = {
    "n_fft": SPECTRUM_WINDOW,
    "win_length": SPECTRUM_WINDOW,
    "hop_length": HOP,
    "window": "hann",
    "center": False,
}


def span(samples: Signal | FloatArray, start: int = 0) -> VoicedAudio:
    count = (len(samples) - CONTEXT) // HOP
    whole = samples[: CONTEXT + count * HOP].astype(np.float32)
    return VoicedAudio("customer", start, whole, np.ones(count, np.bool_))


def values(samples: Signal | FloatArray) -> FloatArray:
    """All features of a signal's frames, float32 (t, F)."""
    return extract([span(samples)])[0].values


def sine(hertz: float, amplitude: float = 0.25, time: Signal = TIME) -> Signal:
    wave: Signal = amplitude * np.sin(2 * np.pi * hertz * time + 0.3)
    return wave


def complex_tone(pitch: Signal | float, octave_db: float, time: Signal = TIME) -> Signal:
    """Harmonics up to 3.8 kHz of a pitch in Hz, falling by `octave_db` dB an octave; -18 dB."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(pitch, time.shape)) / RATE
    numbers = range(1, int(3800 / np.max(pitch)) + 1)
    wave = np.sum([np.cos(k * phase + k) * k ** (-octave_db / 6.0206) for k in numbers], axis=0)
    scaled: Signal = wave * 10 ** (-18 / 20) / np.sqrt(np.mean(wave**2))
    return scaled


def noise(seed: int, frames: int) -> Signal:
    return 0.1 * np.random.default_rng(seed).standard_normal(CONTEXT + frames * HOP)


def restless(seed: int, frames: int) -> FloatArray:
    """A signal of which no two frames are alike: gliding harmonics, noise, silence by turns."""
    rng = np.random.default_rng(seed)
    time = np.arange(CONTEXT + frames * HOP) / RATE
    glide = complex_tone(150 + 60 * np.sin(9 * time), 9.0, time)
    mixed = np.repeat(rng.uniform(0, 1, (2, -(-len(time) // 400))), 400, axis=1)[:, : len(time)]
    wave = glide * (mixed[0] > 0.3) * mixed[0] + noise(seed, frames) * (mixed[1] > 0.5) * mixed[1]
    return np.asarray(wave, np.float32)


def hertz(features: FloatArray) -> FloatArray:
    """Pitch of the voiced frames in Hz."""
    voiced = features[:, LOG_F0] > 0
    pitch: FloatArray = np.exp(features[voiced, LOG_F0])
    return pitch


# --- the time axis ----------------------------------------------------------------------------


def test_frames_end_with_the_span_and_keep_its_voice() -> None:
    voice = np.arange(FRAMES) % 3 == 0
    audio = VoicedAudio("customer", 8000, TIME.astype(np.float32), voice)
    (frames,) = extract([audio])
    assert (frames.start, frames.end) == (8000 + CONTEXT, 8000 + CONTEXT + FRAMES * HOP)
    assert frames.values.shape == (FRAMES, len(FEATURE_NAMES))
    assert frames.values.dtype == np.float32
    assert np.array_equal(frames.voice, voice)


@pytest.mark.parametrize("at", [CONTEXT - 176, CONTEXT + 1, CONTEXT + 79, CONTEXT + 400])
def test_a_click_is_heard_by_the_frames_that_look_back_on_it(at: int) -> None:
    samples = np.zeros(CONTEXT + FRAMES * HOP)
    samples[at] = 100.0
    ends = CONTEXT + HOP * np.arange(1, FRAMES + 1)
    # The window's first weight is zero.
    heard = (at < ends) & (at > ends - SPECTRUM_WINDOW)
    assert np.array_equal(values(samples)[:, ENERGY] > -89, heard)


def test_a_span_without_its_context_is_a_defect() -> None:
    short = VoicedAudio("customer", 0, np.zeros(CONTEXT, np.float32), np.ones(1, np.bool_))
    with pytest.raises(ValueError, match="needs 592 samples, got 512"):
        extract([short])


def test_a_span_without_frames_has_none() -> None:
    (frames,) = extract([span(np.zeros(CONTEXT))])
    assert (frames.start, frames.values.shape) == (CONTEXT, (0, len(FEATURE_NAMES)))


# --- spectrum: librosa is the oracle ----------------------------------------------------------


def spectrum_input(samples: FloatArray) -> FloatArray:
    """From where librosa's frame i is our frame i."""
    return samples[CONTEXT + HOP - SPECTRUM_WINDOW :]


def test_mel_filters_are_librosas() -> None:
    oracle = librosa_mel(sr=RATE, n_fft=SPECTRUM_WINDOW, **MEL)
    assert np.abs(mel_filters() - oracle.T).max() < 1e-8  # the largest weight is 0.0175


@pytest.mark.parametrize("seed", range(3))
def test_log_mels_are_librosas(seed: int) -> None:
    samples = restless(seed, 50)
    power = np.abs(librosa.stft(spectrum_input(samples), **STFT)) ** 2
    floored = power + LINE_SHARE * power.mean(axis=0) + FLOOR
    oracle = librosa.feature.melspectrogram(S=floored, sr=RATE, **MEL)
    assert oracle.shape == (MEL_BANDS, 50)
    difference = values(samples)[:, :MEL_BANDS] - np.log(oracle.T)
    assert np.abs(difference).max() < 1e-4


def test_centroid_is_librosas() -> None:
    samples = noise(0, 50).astype(np.float32)
    magnitude = np.abs(librosa.stft(spectrum_input(samples), **STFT))
    oracle = librosa.feature.spectral_centroid(S=magnitude, sr=RATE)[0]
    assert values(samples)[:, CENTROID] == pytest.approx(np.log(oracle + 1), abs=1e-5)


@pytest.mark.parametrize("frequency", [300.0, 437.0, 1013.0, 2500.0, 3300.0])
def test_centroid_of_a_sine_is_its_frequency(frequency: float) -> None:
    centroid = np.exp(values(sine(frequency))[:, CENTROID])
    assert centroid == pytest.approx(np.full(FRAMES, frequency), rel=0.007)


@pytest.mark.parametrize("amplitude", [0.001, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("frequency", [250.0, 500.0, 1000.0, 2500.0])
def test_energy_of_a_sine_is_half_its_amplitude_squared(frequency: float, amplitude: float) -> None:
    """Exact where the window holds whole periods: multiples of 31.25 Hz."""
    expected = 10 * np.log10(amplitude**2 / 2 + FLOOR)
    assert values(sine(frequency, amplitude))[:, ENERGY] == pytest.approx(expected, abs=3e-5)


@pytest.mark.parametrize("slope", [3.0, 0.0, -3.0, -6.0])
def test_tilt_of_noise_is_the_slope_of_its_filter(slope: float) -> None:
    """The mean of 800 frames of 9 dB deviation by the octave: standard error 0.03 dB. Of steeper
    slopes the end drowns in what the line is given."""
    spectrum = np.fft.rfft(noise(0, 800))
    frequency = np.fft.rfftfreq(CONTEXT + 800 * HOP, 1 / RATE)
    shaped = spectrum * (np.maximum(frequency, 100) / 1000) ** (slope / 6.0206)
    tilt = values(np.fft.irfft(shaped))[:, TILT]
    assert tilt.mean(dtype=np.float64) == pytest.approx(slope, abs=0.15)


# --- pitch ------------------------------------------------------------------------------------

PITCHES = [*np.arange(70.0, 481.0, 5.0), *np.random.default_rng(0).uniform(70, 480, 20)]
WHOLE_PERIODS = range(17, 115)  # samples: 470.6 down to 70.2 Hz


def pulses(period: int) -> Signal:
    train = np.zeros(len(TIME))
    train[3::period] = np.sqrt(period) * 10 ** (-18 / 20)
    return train


def worst_pitch_error(tone: Callable[[float], Signal], pitches: list[float]) -> float:
    """Over all frames of all tones, relative; each frame must be voiced."""
    worst = 0.0
    for pitch in pitches:
        found = hertz(values(tone(pitch)))
        assert len(found) == FRAMES
        worst = max(worst, float(np.abs(found / pitch - 1).max()))
    return worst


def test_pitch_of_sines() -> None:
    assert worst_pitch_error(sine, PITCHES) < 0.001


@pytest.mark.parametrize(("octave_db", "error"), [(12.0, 0.001), (9.0, 0.002), (7.5, 0.003)])
def test_pitch_of_harmonics_that_fall_as_in_voices(octave_db: float, error: float) -> None:
    assert worst_pitch_error(lambda pitch: complex_tone(pitch, octave_db), PITCHES) < error


def test_pitch_of_harmonics_on_a_telephone_line() -> None:
    """The fundamental is gone below 300 Hz and is found all the same."""

    def tone(pitch: float) -> Signal:
        numbers = [k for k in range(1, 49) if 300 <= k * pitch <= 3400]
        wave: Signal = np.sum([sine(k * pitch, 0.1 * k**-1.5) for k in numbers], axis=0)
        return wave

    assert worst_pitch_error(tone, PITCHES) < 0.003


def test_pitch_of_pulse_trains_of_whole_periods() -> None:
    pitches = [RATE / period for period in WHOLE_PERIODS]
    assert worst_pitch_error(lambda pitch: pulses(round(RATE / pitch)), pitches) < 0.0001


@pytest.mark.parametrize("octave_db", [6.0, 0.0])
def test_pitch_of_harmonics_as_flat_as_pulses(octave_db: float) -> None:
    assert worst_pitch_error(lambda pitch: complex_tone(pitch, octave_db), PITCHES) < 0.01


def test_pitch_of_a_glide_agrees_with_librosas_pyin() -> None:
    """pYIN's own grid of a tenth of a semitone is 0.6 % wide; the truth is closer to us."""
    time = np.arange(CONTEXT + 100 * HOP) / RATE
    truth = 110 * np.exp(0.8 * time + 0.05 * np.sin(4 * np.pi * time))
    samples = complex_tone(truth, 9.0, time).astype(np.float32)
    oracle, voiced, _ = librosa.pyin(
        samples[CONTEXT + HOP - PITCH_WINDOW :],
        fmin=60,
        fmax=500,
        sr=RATE,
        frame_length=PITCH_WINDOW,
        hop_length=HOP,
        center=False,
    )
    ours = hertz(values(samples))
    middles = CONTEXT + HOP * np.arange(1, 101) - PITCH_WINDOW // 2
    assert voiced.all()
    assert np.abs(ours / oracle - 1).max() < 0.01
    assert np.abs(ours / truth[middles] - 1).max() < 0.002


@pytest.mark.parametrize("snr_db", [5, 10, 20, 40])
def test_harmonicity_is_the_harmonic_share_of_the_power(snr_db: float) -> None:
    time = np.arange(CONTEXT + 400 * HOP) / RATE
    tone = complex_tone(160.0, 9.0, time)
    hiss = noise(0, 400)
    hiss *= np.sqrt(np.mean(tone**2) / np.mean(hiss**2)) * 10 ** (-snr_db / 20)
    ratio = 10 ** (snr_db / 10)
    harmonicity = values(tone + hiss)[:, HARMONICITY].mean(dtype=np.float64)
    assert harmonicity == pytest.approx(ratio / (1 + ratio), abs=0.015)


def test_noise_has_no_pitch() -> None:
    features = values(noise(0, 400))
    assert not features[:, [LOG_F0, JITTER, SHIMMER]].any()
    assert features[:, HARMONICITY].max() < 0.45


# --- from frame to frame ----------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [100.0, 200.0, 300.0, 1000.0])
def test_a_steady_tone_changes_nothing(frequency: float) -> None:
    """A hop holds whole periods: each frame is the same to the last bit of its samples."""
    period = np.tile(sine(frequency)[:HOP], FRAMES + CONTEXT // HOP + 1)[: len(TIME)]
    assert values(period)[:, [FLUX, JITTER, SHIMMER]].max() == 0.0


def test_flux_is_the_rms_change_of_the_log_mels_without_their_mean() -> None:
    features = values(restless(0, 60))
    change = np.diff(features[:, :MEL_BANDS].astype(np.float64), axis=0)
    assert features[1:, FLUX] == pytest.approx(change.std(axis=1), abs=1e-5)
    assert features[1:, FLUX].max() > 0.5


def test_a_tone_that_grows_has_its_growth_as_shimmer_and_no_flux() -> None:
    swelling = 0.1 * np.exp(8 * TIME) * complex_tone(100.0, 0.0)
    features = values(swelling)
    per_frame = 20 * np.log10(np.exp(8 * HOP / RATE))
    assert features[:, SHIMMER] == pytest.approx(np.full(FRAMES, per_frame), abs=1e-3)
    assert features[:, [FLUX, JITTER]].max() < 0.01


def test_a_tone_that_glides_has_its_glide_as_jitter() -> None:
    rising = 150 * np.exp(1.5 * TIME)  # 1.5 nepers a second
    jitter = values(0.2 * np.sin(2 * np.pi * np.cumsum(rising) / RATE))[:, JITTER]
    assert jitter == pytest.approx(np.full(FRAMES, 0.015), rel=0.005)


@pytest.mark.parametrize("target", [204.0, 210.0, 220.0, 240.0])
def test_a_step_of_pitch_adds_up_to_its_size(target: float) -> None:
    pitch = np.where(TIME < 0.13, 200.0, target)
    features = values(0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE))
    assert features[:, JITTER].sum() == pytest.approx(np.log(target / 200), rel=0.005)
    # The 64 ms of a pitch frame see it in at most eight frames.
    assert np.count_nonzero(features[:, JITTER] > 1e-4) <= 8


@pytest.mark.parametrize("factor", [1.1, 2.0, 4.0])
def test_a_step_of_level_adds_up_to_its_size(factor: float) -> None:
    shimmer = values(np.where(TIME < 0.13, 0.1, 0.1 * factor) * np.sin(400 * np.pi * TIME))
    assert shimmer[:, SHIMMER].sum() == pytest.approx(20 * np.log10(factor), abs=0.001)
    assert np.count_nonzero(shimmer[:, SHIMMER] > 1e-3) <= 5  # of 32 ms each


def test_jitter_and_shimmer_are_changes_between_two_voiced_frames() -> None:
    features = values(restless(0, 200))
    voiced = features[:, LOG_F0] > 0
    both = voiced[1:] & voiced[:-1]
    assert 0 < both.sum() < 199
    for change, of in ((JITTER, LOG_F0), (SHIMMER, ENERGY)):
        expected = np.where(both, np.abs(np.diff(features[:, of])), 0.0)
        assert np.array_equal(features[1:, change], expected)


# --- edges ------------------------------------------------------------------------------------


def test_silence_that_is_taken_for_voice_has_the_floors_values() -> None:
    """Warnings are errors here, so there are none; energy and tilt are rounded to float32."""
    features = values(np.zeros(CONTEXT + 5 * HOP))
    floor = np.log(FLOOR * mel_filters().sum(axis=0))
    assert features[:, :MEL_BANDS] == pytest.approx(np.tile(floor, (5, 1)), abs=1e-5)
    assert features[:, ENERGY] == pytest.approx(np.full(5, -90.0), abs=1e-5)
    assert features[:, TILT] == pytest.approx(np.zeros(5), abs=1e-5)
    assert not features[:, [LOG_F0, HARMONICITY, CENTROID, FLUX, JITTER, SHIMMER]].any()


@given(voice=st.lists(st.booleans(), min_size=150, max_size=150))
@settings(max_examples=30, deadline=None)
def test_frames_without_a_voice_are_zeros_and_change_no_other(voice: list[bool]) -> None:
    audio = VoicedAudio("customer", 0, AUDIO, np.array(voice))
    (frames,) = extract([audio])
    assert np.array_equal(frames.values, np.where(audio.voice[:, np.newaxis], WHOLE, 0.0))


@pytest.mark.parametrize("gain_db", [-20.0, -12.0, 12.0])
def test_a_gain_moves_levels_and_nothing_else(gain_db: float) -> None:
    """Down to the floor, 90 dB below full scale, which does not move along."""
    moved = values(AUDIO * np.float32(10 ** (gain_db / 20))) - WHOLE
    audible = WHOLE[:, ENERGY] > -40
    assert audible.sum() > 100
    assert moved[audible, ENERGY] == pytest.approx(np.full(audible.sum(), gain_db), abs=0.01)
    nepers = gain_db * np.log(10) / 10
    assert np.abs(moved[audible, :MEL_BANDS] - nepers).max() < 0.02
    assert np.abs(moved[audible][:, [LOG_F0, HARMONICITY, CENTROID]]).max() < 1e-3


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.0, 1e-30, 1e-12, 1e-4, 1.0, 13.0]),  # 22 dB above full scale
    constant=st.sampled_from([-13.0, -0.3, 0.0, 1.0]),
)
@settings(max_examples=40)
def test_any_audio_has_finite_features_in_their_ranges(
    seed: int, scale: float, constant: float
) -> None:
    samples = scale * np.random.default_rng(seed).uniform(-1, 1, CONTEXT + 5 * HOP) + constant
    features = values(samples)
    assert np.isfinite(features).all()
    assert ((features[:, HARMONICITY] >= 0) & (features[:, HARMONICITY] <= 1)).all()
    found = hertz(features)
    assert ((found > 55) & (found < 540)).all()
    assert features[:, ENERGY].min() >= -90.001
    assert features[:, [FLUX, JITTER, SHIMMER, CENTROID]].min() >= 0


# --- invariants -------------------------------------------------------------------------------

AUDIO = restless(7, 150)
WHOLE = values(AUDIO)


def piece(first: int, last: int) -> VoicedAudio:
    """Frames first..last of AUDIO as a span of their own."""
    return span(AUDIO[first * HOP : CONTEXT + last * HOP], first * HOP)


@given(cuts=st.lists(st.integers(0, 150), max_size=12), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_any_split_into_spans_in_any_order_gives_the_same_bits(
    cuts: list[int], shuffle: Random
) -> None:
    edges = list(pairwise([0, *sorted(cuts), 150]))
    shuffle.shuffle(edges)
    frames = extract([piece(*edge) for edge in edges])
    for (first, last), found in zip(edges, frames, strict=True):
        assert found.start == CONTEXT + first * HOP
        assert np.array_equal(found.values, WHOLE[first:last])


@given(
    seeds=st.lists(st.integers(0, 100), max_size=4),
    lengths=st.lists(st.integers(0, 70), min_size=4, max_size=4),
    at=st.integers(0, 4),
)
@settings(max_examples=30, deadline=None)
def test_company_in_the_batch_gives_the_same_bits(
    seeds: list[int], lengths: list[int], at: int
) -> None:
    others = [span(restless(s, n)) for s, n in zip(seeds, lengths, strict=False)]
    garbage = span(np.float32(1e6) * restless(1, 3))
    batch = [*others[:at], piece(40, 101), *others[at:], garbage]
    frames: list[FeatureFrames] = extract(batch)
    assert np.array_equal(frames[len(others[:at])].values, WHOLE[40:101])
