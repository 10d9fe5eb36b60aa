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

from collections import deque
from collections.abc import Collection, Sequence
from itertools import islice

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter1d

from emotion_service.types import BLOCK, BoolArray, FloatArray, Sound

WINDOW = 256  # 32 ms that end with the block
TAIL = WINDOW - BLOCK  # of which so many samples are of the block before
BINS = slice(5, 122)  # 156-3800 Hz at 31.25 Hz
VOWEL_BINS = slice(6, 63)  # of those: 330-2100 Hz, where vowels are strong
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
        # The end of what came before: samples, and the shape of the last spectrum.
        self.tail = np.zeros(TAIL, np.float32)
        self.shape = np.zeros(BINS.stop - BINS.start, np.float32)
        # By block, the latest last.
        self._level_db = deque([-100.0] * NOISE_BLOCKS, NOISE_BLOCKS)
        self._stability = deque([0.0] * RING, RING)  # 0 where there was no voice
        self._voiced = deque([0.0] * MUSIC_OFF_BLOCKS, MUSIC_OFF_BLOCKS)  # where there was
        self._voice = 0  # a bit each, the latest the lowest: 1 is voice
        self._seen = 0
        self._lines = (-9, -9)  # of the block before
        self._tone_run = 0
        self._heard = Sound.SPEECH  # what a voiced block is taken for

    def classify(self, samples: FloatArray, voice: BoolArray) -> list[Sound]:
        """Levelled whole blocks, float32 (k * BLOCK,), and bool (k,) to k sounds."""
        return classify([self], samples, voice, [len(voice)])[0]

    def follow(
        self, level_db: float, stability: float, tonal: tuple[bool, int, int], voice: bool
    ) -> Sound:
        """The next block's figures to its sound."""
        pure, first, second = tonal
        self._tone_run = self._tone_run + 1 if pure and self._goes_on(level_db, first) else 0
        self._lines = (first, second)
        self._level_db.append(level_db)
        self._stability.append(stability if voice else 0.0)
        self._voice = (self._voice << 1 | voice) & _LAST_RING
        if voice:
            self._voiced.append(stability)
        self._seen += 1
        if self._seen % DECIDE == 0 and self._voice:
            self._heard = self._decide()
        if not voice:
            return _SILENCE
        return Sound.TONE if self._tone_run >= TONE_BLOCKS else self._heard

    def _goes_on(self, level_db: float, line: int) -> bool:
        """Whether the block before may have been the same tone."""
        steady = abs(level_db - self._level_db[-1]) < TONE_STEP_DB
        # Of two lines of equal strength now one is the strongest, now the other.
        return steady and any(abs(line - before) <= 1 for before in self._lines)

    def _decide(self) -> Sound:
        voiced = self._voice.bit_count()
        if self._heard is Sound.MUSIC:
            latest = list(self._voiced)[-voiced:]  # none that the ring has forgotten
            if sum(latest) >= MUSIC_OFF * len(latest):
                return Sound.MUSIC
        elif voiced >= MUSIC_BLOCKS and sum(self._stability) >= MUSIC_ON * voiced:
            return Sound.MUSIC
        late = (self._voice & _LAST_SECOND).bit_count()
        noisy = late >= NOISE_VOICED and _spread(self._level_db) < NOISE_SPREAD_DB
        return Sound.SILENCE if noisy else Sound.SPEECH


def classify(
    gates: Sequence[SoundGate], samples: FloatArray, voice: BoolArray, counts: Sequence[int]
) -> tuple[list[Sound], list[float]]:
    """The whole blocks of several legs in one pass: levelled, float32 (sum(counts) * BLOCK,), leg
    after leg, and bool (sum(counts),) to as many sounds, and powers of the vowel band. A
    leg's do not depend on who else is there: nothing is computed across rows."""
    power = _power(gates, samples, counts)
    total = power.sum(axis=1)
    blocks = zip(
        (10.0 * np.log10(total + 1e-9)).tolist(),
        _stabilities(gates, power, counts),
        _tonal(power, total),
        voice.tolist(),
        strict=True,
    )
    sounds = [
        gate.follow(*block)
        for gate, count in zip(gates, counts, strict=True)
        for block in islice(blocks, count)
    ]
    return sounds, np.add.reduce(power[:, VOWEL_BINS], axis=1).tolist()


def _power(gates: Sequence[SoundGate], samples: FloatArray, counts: Sequence[int]) -> FloatArray:
    """Power spectra (n, bins) of the 32 ms that end with each block."""
    blocks = samples.reshape(-1, BLOCK)
    windows = np.empty((len(blocks), WINDOW), np.float32)
    windows[:, TAIL:] = blocks
    windows[1:, :TAIL] = blocks[:-1, -TAIL:]
    at = 0
    for gate, count in zip(gates, counts, strict=True):
        windows[at, :TAIL] = gate.tail
        at += count
        gate.tail = blocks[at - 1, -TAIL:].copy()
    windows *= _HANN
    spectrum = scipy.fft.rfft(windows)[:, BINS]
    power: FloatArray = spectrum.real**2 + spectrum.imag**2
    return power


def _stabilities(
    gates: Sequence[SoundGate], power: FloatArray, counts: Sequence[int]
) -> list[float]:
    """Correlation of each block's log spectrum, envelope taken out, with the one before."""
    log_power = np.log(power + 1e-6)
    shape = log_power - uniform_filter1d(log_power, 9, axis=1)
    shape /= np.sqrt((shape**2).sum(axis=1, keepdims=True)) + 1e-9
    before = np.empty_like(shape)
    before[1:] = shape[:-1]
    at = 0
    for gate, count in zip(gates, counts, strict=True):
        before[at] = gate.shape
        at += count
        gate.shape = shape[at - 1].copy()
    stabilities: list[float] = (before * shape).sum(axis=1).tolist()
    return stabilities


def _tonal(power: FloatArray, total: FloatArray) -> list[tuple[bool, int, int]]:
    """Of each block: whether nearly all of its power lies in two lines (5 bins each), and which
    these are, the stronger first."""
    rest = np.zeros((len(power), power.shape[1] + 2 * _MARGIN), np.float32)
    rest[:, _MARGIN:-_MARGIN] = power
    row = np.arange(len(power))[:, None]
    first = rest.argmax(axis=1)
    rest[row, first[:, None] + _LINE] = 0.0
    second = rest.argmax(axis=1)
    rest[row, second[:, None] + _LINE] = 0.0
    pure = 1.0 - rest.sum(axis=1) / (total + 1e-9) >= TONE_SHARE
    return list(zip(pure.tolist(), first.tolist(), second.tolist(), strict=True))


def _spread(values: Collection[float]) -> float:
    """90th minus 10th percentile, interpolated linearly (as numpy.percentile has it)."""
    ordered = sorted(values)
    last = len(ordered) - 1

    def at(fraction: float) -> float:
        below = int(last * fraction)
        above = min(below + 1, last)
        return ordered[below] + (last * fraction - below) * (ordered[above] - ordered[below])

    return at(0.9) - at(0.1)


_HANN = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
_SILENCE = Sound.SILENCE  # a name is found ten times as fast as an enum's member
_LAST_RING, _LAST_SECOND = (1 << RING) - 1, (1 << NOISE_BLOCKS) - 1
_LINE = np.arange(-2, 3)  # a line and the bins into which the window spreads it
_MARGIN = 2  # so that a line at the edge of the band has neighbours too
