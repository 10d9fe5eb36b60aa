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
NOISE_BLOCKS = 50  # one second whose level ...
NOISE_SPREAD_DB = 6.0  # ... moves by less than this (90th - 10th percentile) is steady noise ...
NOISE_VOICED = 10  # ... if this many of its blocks were taken for voice
MUSIC_BLOCKS = 50  # voiced blocks in the ring before music can be claimed
MUSIC_ON, MUSIC_OFF = 0.65, 0.40  # spectral stability; speech stays below 0.36 in 90 % of 2 s
MUSIC_OFF_BLOCKS = 25  # voiced blocks (0.5 s) over which the end of music is judged
TONE_SHARE = 0.995  # of the power in the two strongest lines
TONE_STEP_DB = 3.0  # a tone's level moves less than this from block to block (two may beat)
TONE_BLOCKS = 3  # 60 ms: a DTMF digit is a tone before it could count as speech


class SoundGate:
    """What each block of one leg carries, given what webrtcvad said of it."""

    def __init__(self) -> None:
        self._tail = np.zeros(WINDOW - BLOCK, np.float32)
        self._shape = np.zeros(BINS.stop - BINS.start, np.float32)
        self._level_db = np.full(RING, -100.0)
        self._stability = np.zeros(RING)
        self._voice = np.zeros(RING, np.bool_)
        self._seen = 0
        self._lines = (-9, -9)  # of the block before
        self._tone_run = 0
        self._heard = Sound.SPEECH  # what a voiced block is taken for

    def classify(self, samples: FloatArray, voice: BoolArray) -> list[Sound]:
        """Levelled whole blocks, float32 (k * BLOCK,), and bool (k,) to k sounds."""
        power = self._power(samples)
        level_db = 10.0 * np.log10(power.sum(axis=1) + 1e-9)
        stability = self._stabilities(power)
        share, first, second = _lines(power)
        lines = list(zip(first.tolist(), second.tolist(), strict=True))
        return [
            self._block(float(level_db[i]), float(stability[i]), float(share[i]), lines[i], v)
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
        self,
        level_db: float,
        stability: float,
        share: float,
        lines: tuple[int, int],
        voice: bool,
    ) -> Sound:
        steady = abs(level_db - self._level_db[(self._seen - 1) % RING]) < TONE_STEP_DB
        # Of two lines of equal strength now one is the strongest, now the other.
        same = min(abs(lines[0] - before) for before in self._lines) <= 1
        self._lines = lines
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
        voiced_blocks = int(voice[-NOISE_BLOCKS:].sum())
        steady = voiced_blocks >= NOISE_VOICED and high - low < NOISE_SPREAD_DB
        return Sound.SILENCE if steady else Sound.SPEECH


def _lines(power: FloatArray) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Share of each block's power in its two strongest lines (5 bins each), and these two."""
    rest = power.copy()
    first = rest.argmax(axis=1)
    _clear(rest, first)
    second = rest.argmax(axis=1)
    _clear(rest, second)
    return 1.0 - rest.sum(axis=1) / (power.sum(axis=1) + 1e-9), first, second


def _clear(power: FloatArray, line: np.ndarray) -> None:
    columns = np.clip(line[:, None] + np.arange(-2, 3), 0, power.shape[1] - 1)
    np.put_along_axis(power, columns, 0.0, axis=1)


_HANN = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
