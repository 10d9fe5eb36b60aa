"""Prosodic features of 10 ms frames, for all calls of a batch together.

Frame k covers samples [80k, 80k + 80) and looks back only: its spectrum is that of the 32 ms,
its pitch that of the 64 ms, that end where the frame ends. Frames without a voice are all zeros,
and cost nothing: what is in a pause is the line's, not the speaker's. The audio is as received:
that no level may matter is up to those who use the features (`training.fitting`,
`prosody`).

A frame's features depend on those samples and its predecessor's alone, never on how the audio was
split or who shares the batch: matrix products are of 64 rows each, because their rounding depends
on their shape. All else is done for many rows at once: a call of NumPy costs more than a few rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits

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
    BoolArray,
    FeatureFrames,
    FloatArray,
    VoicedAudio,
)

TILE = 64  # rows of a matrix product
CHUNK = 4 * TILE  # rows worked on at a time: what they need stays within a processor's cache
SPECTRUM_WINDOW = 256  # 32 ms
PITCH_WINDOW = 512  # 64 ms: three periods of 47 Hz
PITCH_FFT = 648  # the window and the longest lag, and a product of small primes
CONTEXT = PITCH_WINDOW  # samples needed before the first frame (one predecessor included)
F0_MIN_HERTZ, F0_MAX_HERTZ = 60.0, 500.0
PITCH_BAND_HERTZ = 1300.0  # power falls to 1/e here: a Gaussian low-pass without phase
VOICED = 0.45  # harmonicity from which a frame has a pitch (Boersma's default)
OCTAVE_COST = 0.03  # an octave: prefers the higher of two equally good candidates
LINE_SHARE = 1e-4  # of a frame's mean power: 40 dB below it lies what codecs and lines add
FLOOR = 1e-9  # power of a bin: G.711's smallest steps are above it

# How a product is split among threads changes its rounding; and for products as small as these a
# second thread only gets in the way, and spins while it waits for work.
threadpool_limits(1, user_api="blas")

BIN_HERTZ = np.arange(SPECTRUM_WINDOW // 2 + 1) * (SAMPLE_RATE_HERTZ / SPECTRUM_WINDOW)


def hann(length: int) -> FloatArray:
    """Periodic Hann window, float32 (length,)."""
    phase = 2 * np.pi * np.arange(length) / length
    return np.asarray(0.5 - 0.5 * np.cos(phase), dtype=np.float32)


def mel_filters() -> FloatArray:
    """Triangular filters, Slaney's mel scale and area normalisation, float32 (129, 40).

    Source: M. Slaney, Auditory Toolbox, 1998; the same as `librosa.filters.mel`.
    """
    low, high = _hertz_to_mel(60.0), _hertz_to_mel(3800.0)
    edges = _mel_to_hertz(np.linspace(low, high, MEL_BANDS + 2))
    rising = (BIN_HERTZ[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - BIN_HERTZ[:, None]) / np.diff(edges)[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (edges[2:] - edges[:-2])), dtype=np.float32)


def _hertz_to_mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * float(np.log(hertz / 1000) / np.log(6.4))


def _mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def _tilt_weights() -> FloatArray:
    """Least-squares slope of dB over log2 frequency, 300-3400 Hz, float32 (129, 1)."""
    inside = (BIN_HERTZ >= 300) & (BIN_HERTZ <= 3400)
    octave = np.log2(np.where(inside, BIN_HERTZ, 1.0))
    octave = np.where(inside, octave - octave[inside].mean(), 0.0)
    weights: FloatArray = (octave / (octave**2).sum()).astype(np.float32)[:, None]
    return weights


def _correlation_of_power() -> FloatArray:
    """Power (325,) to the autocorrelation at lag 0 and LAGS, of the whole band and then of the
    pitch band: the rows of an inverse real DFT, float32 (325, 2 * (1 + lags))."""
    bins = np.arange(PITCH_FFT // 2 + 1)
    twice = np.where((bins == 0) | (bins == PITCH_FFT // 2), 1.0, 2.0) / PITCH_FFT
    lags = np.concatenate([[0], LAGS])
    whole = twice[:, None] * np.cos(2 * np.pi * np.outer(bins, lags) / PITCH_FFT)
    return np.concatenate([whole, PITCH_BAND[:, None] * whole], axis=1).astype(np.float32)


PITCH_BAND = np.exp(
    -((np.arange(PITCH_FFT // 2 + 1) * SAMPLE_RATE_HERTZ / PITCH_FFT / PITCH_BAND_HERTZ) ** 2)
).astype(np.float32)
SPECTRUM_HANN = hann(SPECTRUM_WINDOW)
HANN_POWER = (SPECTRUM_HANN**2).sum()
PITCH_HANN = hann(PITCH_WINDOW)
MEL = mel_filters()
TILT_WEIGHTS = _tilt_weights()
CENTROID_WEIGHTS = np.stack([BIN_HERTZ, np.ones_like(BIN_HERTZ)], axis=1).astype(np.float32)
LAG_MIN = int(SAMPLE_RATE_HERTZ / F0_MAX_HERTZ)
LAG_MAX = int(np.ceil(SAMPLE_RATE_HERTZ / F0_MIN_HERTZ))
LAGS = np.arange(LAG_MIN - 1, LAG_MAX + 2)
_window_power = np.abs(scipy.fft.rfft(PITCH_HANN.astype(np.float64), PITCH_FFT)) ** 2
_window_correlation = scipy.fft.irfft(_window_power)[LAGS]
WINDOW_CORRELATION = (_window_correlation / (PITCH_HANN.astype(np.float64) ** 2).sum()).astype(
    np.float32
)
CORRELATION = _correlation_of_power()
LAG_COST = (OCTAVE_COST * np.log2(LAGS[1:-1] * F0_MIN_HERTZ / SAMPLE_RATE_HERTZ)).astype(np.float32)


def extract(spans: Sequence[VoicedAudio]) -> list[FeatureFrames]:
    """Features of each span's frames; float32 (t, len(FEATURE_NAMES)) each, t = len(voice), zeros
    where there is no voice.

    A span's samples must begin CONTEXT samples before its first frame.
    """
    wanted = [_wanted(span.voice) for span in spans]
    rows = np.concatenate([_windows(span)[own] for span, own in zip(spans, wanted, strict=True)])
    parts = [_rows(rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK)]
    features = np.concatenate([np.zeros((0, len(FEATURE_NAMES)), np.float32), *parts])
    frames, at = [], 0
    for span, own in zip(spans, wanted, strict=True):
        found = np.zeros((len(own), len(FEATURE_NAMES)), np.float32)
        count = int(own.sum())
        found[own] = features[at : at + count]
        at += count
        values = _differing(found)
        values[~span.voice] = 0.0
        frames.append(FeatureFrames(span.end - len(values) * HOP, values, span.voice))
    return frames


def _wanted(voice: BoolArray) -> BoolArray:
    """Of a span's frames and the predecessor of the first: those with a voice, and those before
    them, which feed the differences."""
    wanted = np.zeros(len(voice) + 1, np.bool_)
    wanted[1:] = voice
    wanted[:-1] |= voice
    return wanted


def _windows(span: VoicedAudio) -> FloatArray:
    expected = CONTEXT + len(span.voice) * HOP
    if len(span.samples) != expected:
        raise ValueError(f"the span needs {expected} samples, got {len(span.samples)}")
    shape = (len(span.voice) + 1, PITCH_WINDOW)
    (step,) = span.samples.strides
    # sliding_window_view takes five times as long; the length has been checked.
    return np.lib.stride_tricks.as_strided(span.samples, shape, (HOP * step, step), writeable=False)


def _rows(rows: FloatArray) -> FloatArray:
    """Float32 (t, 512) windows to (t, F); flux, jitter and shimmer are left to be filled in."""
    tail = rows[:, -SPECTRUM_WINDOW:] * SPECTRUM_HANN
    power = _power(tail, SPECTRUM_WINDOW)
    moments = _product(np.sqrt(power), CENTROID_WEIGHTS)
    power += LINE_SHARE * power.mean(axis=1, keepdims=True) + FLOOR
    out = np.empty((len(rows), len(FEATURE_NAMES)), np.float32)
    out[:, :MEL_BANDS] = np.log(_product(power, MEL))
    mean_power = np.einsum("ij,ij->i", tail, tail) / HANN_POWER
    out[:, ENERGY] = 10 * np.log10(mean_power + FLOOR)
    out[:, TILT] = _product(10 * np.log10(power), TILT_WEIGHTS)[:, 0]
    out[:, CENTROID] = np.log(moments[:, 0] / (moments[:, 1] + 1e-6) + 1.0)
    out[:, LOG_F0], out[:, HARMONICITY] = pitch(rows)
    return out


def _power(rows: FloatArray, length: int) -> FloatArray:
    """Power spectra of (t, n) windows, zeros added up to `length`: (t, length // 2 + 1)."""
    squares = np.square(scipy.fft.rfft(rows, length).view(np.float32))  # real, imaginary, real, …
    power: FloatArray = squares[:, ::2] + squares[:, 1::2]
    return power


def _product(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """rows @ matrix, TILE rows at a time; the last tile is filled up with zeros."""
    tiles = np.zeros((-(-len(rows) // TILE), TILE, rows.shape[1]), np.float32)
    tiles.reshape(-1, rows.shape[1])[: len(rows)] = rows
    product: FloatArray = (tiles @ matrix).reshape(-1, matrix.shape[1])[: len(rows)]
    return product


def pitch(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log F0 (ln Hz; 0 where unvoiced) and harmonicity (0..1) of float32 (t, 512) windows.

    The autocorrelation of the windowed signal divided by that of the window, its best peak
    interpolated by a parabola: P. Boersma, "Accurate short-term analysis of the fundamental
    frequency and the harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993.
    The peak is sought below about 1.3 kHz: with all of 4 kHz the peaks of a flat spectrum are so
    narrow that a parabola through lags of 125 µs underrates them by up to a third, and a multiple
    of the period wins. Harmonicity r is the height of the whole band's peak at that lag;
    10 log10(r / (1 - r)) is the HNR in dB.
    """
    centred = (rows - rows.mean(axis=1, keepdims=True)) * PITCH_HANN
    # The inverse transform, but at the lags alone that are looked at, for both bands at once.
    correlation = _product(_power(centred, PITCH_FFT), CORRELATION)
    normalised = _normalised(correlation.reshape(len(rows), 2, -1))
    whole, low = normalised[:, 0], normalised[:, 1]
    left, here, right = low[:, :-2], low[:, 1:-1], low[:, 2:]
    peak = (here > left) & (here >= right)
    offset, height = np.zeros(peak.shape, np.float32), np.zeros(peak.shape, np.float32)
    offset[peak], height[peak] = _top(left[peak], here[peak], right[peak])
    best = (height - LAG_COST).argmax(axis=1)
    row = np.arange(len(rows))
    lag = LAGS[1:-1][best] + offset[row, best]
    harmonicity = np.where(peak[row, best], _height_near(whole, best), 0.0)
    voiced = harmonicity >= VOICED
    log_f0 = np.where(voiced, np.log(SAMPLE_RATE_HERTZ / lag), 0.0)
    return log_f0.astype(np.float32), harmonicity.astype(np.float32)


def _normalised(correlation: FloatArray) -> FloatArray:
    """Autocorrelations at lag 0 and LAGS (t, bands, 1 + lags) to those at LAGS, the window divided
    out."""
    energy = np.maximum(correlation[..., :1], FLOOR)
    return np.asarray(correlation[..., 1:] / (energy * WINDOW_CORRELATION), dtype=np.float32)


def _top(left: FloatArray, here: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of each peak between its neighbours: where its top lies beside it (lags), how high."""
    bend = np.minimum(left - 2 * here + right, -1e-6)  # negative at a peak
    slope = left - right
    offset = (0.5 * slope / bend).clip(-0.5, 0.5)
    return offset, here - 0.25 * slope * offset


def _height_near(r: FloatArray, best: np.ndarray) -> FloatArray:
    """The highest top within a lag of each row's best inner lag, in 0..1."""
    inner = (best[:, None] + np.arange(-1, 2)).clip(0, r.shape[1] - 3)
    row = np.arange(len(r))[:, None]
    left, here, right = r[row, inner], r[row, inner + 1], r[row, inner + 2]
    _, height = _top(left, here, right)
    peak = (here > left) & (here >= right)
    highest: FloatArray = np.where(peak, height, 0.0).max(axis=1).clip(0.0, 1.0)
    return highest


def _differing(features: FloatArray) -> FloatArray:
    """Fills in, in place, what compares a frame with its predecessor, and drops the first row.

    flux: root mean square change of the log-mel bands, level change taken out (nepers).
    jitter: |change of ln F0|; shimmer: |change of level| in dB; both between voiced frames
    only, frame-wise proxies of the cycle-wise measures.
    """
    before, now = features[:-1], features[1:]
    change = now[:, :MEL_BANDS] - before[:, :MEL_BANDS]
    change -= change.mean(axis=1, keepdims=True)
    now[:, FLUX] = np.sqrt((change**2).mean(axis=1))
    voiced = (now[:, LOG_F0] > 0) & (before[:, LOG_F0] > 0)
    now[:, JITTER] = np.where(voiced, np.abs(now[:, LOG_F0] - before[:, LOG_F0]), 0.0)
    now[:, SHIMMER] = np.where(voiced, np.abs(now[:, ENERGY] - before[:, ENERGY]), 0.0)
    return now
