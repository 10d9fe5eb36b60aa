"""Speech, not just voice: webrtcvad takes music, tones and steady noise for speech.

Three published properties set speech apart, each measured causally on levelled audio:
  * its level moves by the syllable, that of steady noise does not (low-energy ratio and 4 Hz
    modulation: Scheirer & Slaney, ICASSP 1997);
  * its harmonics glide, those of music stand still (spectral stability: ibid.);
  * its energy is spread over harmonics, that of a tone lies in one or two lines that do not
    move (ITU-T Q.23 for DTMF, E.180 for ringback).
It is no emotion model: it runs on every leg.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter1d

from emotion_service.types import BLOCK, BoolArray, FloatArray, Sound

WINDOW = 256  # 32 ms that end with the block
BINS = slice(5, 122)  # 156-3800 Hz at 31.25 Hz
RING = 100  # blocks (2 s) the gate looks back on
DECIDE = 5  # blocks (100 ms) between decisions
NOISE_BLOCKS = 50  # one second of voice whose level ...
NOISE_SPREAD_DB = 6.0  # ... moves by less than this (90th - 10th percentile) is steady noise
MUSIC_BLOCKS = 50  # voiced blocks in the ring before music can be claimed
MUSIC_ON, MUSIC_OFF = 0.55, 0.40  # spectral stability; speech stays below 0.36 in 90 % of 2 s
MUSIC_OFF_BLOCKS = 25  # voiced blocks (0.5 s) over which the end of music is judged
TONE_SHARE = 0.98  # of the power in the two strongest lines
TONE_STEP_DB = 1.5  # a tone's level moves less than this from block to block
TONE_BLOCKS = 4  # 80 ms


class SoundGate:
    """What each block of one leg carries, given what webrtcvad said of it."""

    def __init__(self) -> None:
        self._tail = np.zeros(WINDOW - BLOCK, np.float32)
        self._shape = np.zeros(BINS.stop - BINS.start, np.float32)
        self._level_db = np.full(RING, -100.0)
        self._stability = np.zeros(RING)
        self._voice = np.zeros(RING, np.bool_)
        self._seen = 0
        self._line = -1
        self._tone_run = 0
        self._heard = Sound.SPEECH  # what a voiced block is taken for

    def classify(self, samples: FloatArray, voice: BoolArray) -> list[Sound]:
        """Levelled whole blocks, float32 (k * BLOCK,), and bool (k,) to k sounds."""
        power = self._power(samples)
        level_db = 10.0 * np.log10(power.sum(axis=1) + 1e-9)
        stability = self._stabilities(power)
        share, line = _lines(power)
        return [
            self._block(float(level_db[i]), float(stability[i]), float(share[i]), int(line[i]), v)
            for i, v in enumerate(voice.tolist())
        ]

    def _power(self, samples: FloatArray) -> FloatArray:
        padded = np.concatenate([self._tail, samples])
        self._tail = padded[len(padded) - len(self._tail) :]
        windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::BLOCK]
        spectrum = scipy.fft.rfft(windows * _HANN)[:, BINS]
        power: FloatArray = spectrum.real**2 + spectrum.imag**2
        return power

    def _stabilities(self, power: FloatArray) -> FloatArray:
        """Correlation of each block's log spectrum, envelope taken out, with the one before."""
        log_power = np.log(power + 1e-6)
        shape = log_power - uniform_filter1d(log_power, 9, axis=1)
        shape /= np.sqrt((shape**2).sum(axis=1, keepdims=True)) + 1e-9
        before = np.concatenate([self._shape[None], shape[:-1]])
        self._shape = shape[-1]
        stability: FloatArray = (before * shape).sum(axis=1)
        return stability

    def _block(
        self, level_db: float, stability: float, share: float, line: int, voice: bool
    ) -> Sound:
        steady = abs(level_db - self._level_db[(self._seen - 1) % RING]) < TONE_STEP_DB
        same = abs(line - self._line) <= 1
        self._line = line
        self._tone_run = self._tone_run + 1 if share >= TONE_SHARE and steady and same else 0
        at = self._seen % RING
        self._level_db[at], self._stability[at], self._voice[at] = level_db, stability, voice
        self._seen += 1
        if self._seen % DECIDE == 0 and self._voice.any():
            self._heard = self._decide()
        if not voice:
            return Sound.SILENCE
        return Sound.TONE if self._tone_run >= TONE_BLOCKS else self._heard

    def _decide(self) -> Sound:
        order = np.arange(self._seen - RING, self._seen) % RING
        level_db, stability = self._level_db[order], self._stability[order]
        voice = self._voice[order]
        voiced = stability[voice]
        if self._heard is Sound.MUSIC:
            if voiced[-MUSIC_OFF_BLOCKS:].mean() >= MUSIC_OFF:
                return Sound.MUSIC
        elif len(voiced) >= MUSIC_BLOCKS and voiced.mean() >= MUSIC_ON:
            return Sound.MUSIC
        recent = level_db[-NOISE_BLOCKS:]
        low, high = np.percentile(recent, (10, 90))
        steady = voice[-NOISE_BLOCKS:].all() and high - low < NOISE_SPREAD_DB
        return Sound.SILENCE if steady else Sound.SPEECH


def _lines(power: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of each block's power in its two strongest lines (5 bins each), and the strongest."""
    strongest = power.argmax(axis=1)
    rest = power.copy()
    _clear(rest, strongest)
    _clear(rest, rest.argmax(axis=1))
    return 1.0 - rest.sum(axis=1) / (power.sum(axis=1) + 1e-9), strongest


def _clear(power: FloatArray, line: np.ndarray) -> None:
    columns = np.clip(line[:, None] + np.arange(-2, 3), 0, power.shape[1] - 1)
    np.put_along_axis(power, columns, 0.0, axis=1)


_HANN = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
