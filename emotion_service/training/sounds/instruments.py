"""Instruments that are computed: each maker draws a timbre, which then plays notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from emotion_service.types import SAMPLE_RATE_HERTZ

RATE = SAMPLE_RATE_HERTZ
HIGHEST_HERTZ = 3900.0  # no partial above
CYCLE = 2048  # samples in which one period of a tone is kept
# The first three formants of sung vowels in hertz (after Peterson & Barney, 1952).
VOWELS = np.array(
    [(730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240)],
    np.float64,
)
FORMANT_WIDTHS = np.array((90.0, 110.0, 170.0))
FORMANT_GAINS = np.array((1.0, 0.6, 0.3))

Samples: TypeAlias = npt.NDArray[np.float64]  # (n,) at 8 kHz, of the order of 1
Chance: TypeAlias = np.random.Generator
Instrument: TypeAlias = Callable[[float, float], Samples]  # hertz, seconds: one note
Maker: TypeAlias = Callable[[Chance], Instrument]


def organ(random: Chance) -> Instrument:
    """Drawbars, and a rotor that makes pitch and level waver."""
    partials = np.array((1, 2, 3, 4, 6, 8))
    levels = random.uniform(0.0, 1.0, len(partials)) + np.array((0.5, 0, 0, 0, 0, 0))
    rotor, depth = random.uniform(0.7, 7.0), random.uniform(0.0, 0.003)

    def note(hertz: float, seconds: float) -> Samples:
        waver = np.sin(2 * np.pi * rotor * _time(seconds))
        tone = _additive(hertz * (1 + depth * waver), partials, levels)
        return tone * (1 + 30 * depth * waver) * _fades(len(tone), 0.01, 0.03)

    return note


def strings(random: Chance) -> Instrument:
    """Several bows, each a little out of tune, with vibrato of its own and a slow attack."""
    count, spread = int(random.integers(1, 5)), random.uniform(0.001, 0.006)
    brightness, attack = random.uniform(0.7, 1.4), random.uniform(0.03, 0.25)

    def note(hertz: float, seconds: float) -> Samples:
        bows = [
            _saw(_vibrato(hertz * (1 + random.normal(0, spread)), seconds, random), brightness)
            for _ in range(count)
        ]
        together: Samples = np.mean(bows, axis=0)
        return together * _fades(len(together), attack, 0.1)

    return note


def pad(random: Chance) -> Instrument:
    """Two detuned saws whose spectrum opens and closes slowly."""
    detune, sweep = random.uniform(0.002, 0.01), random.uniform(0.1, 0.6)
    phase = random.uniform(0, 2 * np.pi)

    def note(hertz: float, seconds: float) -> Samples:
        steady = np.full(len(_time(seconds)), hertz)
        bright = _saw(steady, 1.0) + _saw(steady * (1 + detune), 1.0)
        dull = _saw(steady, 2.5) + _saw(steady * (1 + detune), 2.5)
        opened = 0.5 + 0.5 * np.sin(2 * np.pi * sweep * _time(seconds) + phase)
        return (opened * bright + (1 - opened) * dull) * _fades(len(dull), 0.2, 0.2)

    return note


def guitar(random: Chance) -> Instrument:
    """A plucked string after Karplus & Strong (1983)."""
    damping, pick = random.uniform(0.985, 0.999), random.uniform(0.0, 0.8)

    def note(hertz: float, seconds: float) -> Samples:
        period, rest = divmod(RATE / hertz - 0.5, 1.0)
        length = int(period)
        pluck = np.zeros(len(_time(seconds)))
        burst = lfilter([1 - pick], [1, -pick], random.uniform(-1, 1, length))
        pluck[:length] = (burst - burst.mean())[: len(pluck)]  # its mean would ring for ever
        loop = np.convolve((0.5, 0.5), (1 - rest, rest)) * damping
        feedback = np.concatenate([[1.0], np.zeros(length - 1), -loop])
        string: Samples = 2 * lfilter([1.0], feedback, pluck)
        return string * _fades(len(string), 0.001, 0.02)

    return note


def piano(random: Chance) -> Instrument:
    """Partials slightly stretched, the higher the sooner gone, and the thud of a hammer."""
    stretch, decay = random.uniform(1e-4, 8e-4), random.uniform(0.6, 2.5)
    partials = np.arange(1, 11)

    def note(hertz: float, seconds: float) -> Samples:
        time = _time(seconds)
        at = partials * hertz * np.sqrt(1 + stretch * partials**2)
        heard = at < HIGHEST_HERTZ
        fading = np.exp(-np.outer(partials[heard], time) * 2 / decay)
        waves = np.sin(2 * np.pi * np.outer(at[heard], time)) / partials[heard, None] ** 1.2
        hammer = random.standard_normal(len(time)) * np.exp(-time * 150)
        struck: Samples = (waves * fading).sum(axis=0) + 0.1 * hammer
        return struck * _fades(len(time), 0.002, 0.03)

    return note


def flute(random: Chance) -> Instrument:
    """Nearly a sine with vibrato, and breath."""
    breath = random.uniform(0.01, 0.1)
    levels = np.array((1.0, random.uniform(0.1, 0.5), random.uniform(0.0, 0.3)))

    def note(hertz: float, seconds: float) -> Samples:
        tone = _additive(_vibrato(hertz, seconds, random), np.arange(1, 4), levels)
        blown = tone + breath * random.standard_normal(len(tone))
        return blown * _fades(len(tone), 0.05, 0.05)

    return note


def brass(random: Chance) -> Instrument:
    """Dull at first, then bright: trumpets and saxophones, more or less."""
    bright, rise = random.uniform(0.6, 1.0), random.uniform(0.03, 0.12)

    def note(hertz: float, seconds: float) -> Samples:
        pitch = _vibrato(hertz, seconds, random)
        opened = 1 - np.exp(-_time(seconds) / rise)
        tone = opened * _saw(pitch, bright) + (1 - opened) * _saw(pitch, 2.5)
        return tone * _fades(len(tone), 0.02, 0.05)

    return note


def singer(random: Chance) -> Instrument:
    """One voice on vowels: it slides into each note, sways and is never quite steady or clear; a
    hiss may open a syllable, and some sing an octave lower."""
    size, slide = random.uniform(0.9, 1.25), random.uniform(0.03, 0.2)
    octave, breath = float(random.choice((0.5, 1.0))), random.uniform(0.0, 0.1)
    unsteady = random.uniform(0.0, 0.004)

    def note(hertz: float, seconds: float) -> Samples:
        time = _time(seconds)
        off = random.uniform(-4.0, 2.0) * np.exp(-time / slide)  # semitones
        drift: Samples = lfilter([unsteady / 4], [1, -0.998], random.standard_normal(len(time)))
        slid: Samples = 2 ** (off / 12) * (1 + drift)
        pitch = octave * _vibrato(hertz, seconds, random) * slid
        said = VOWELS[random.integers(len(VOWELS), size=2)] * size
        moved = np.clip(time[:, None] / random.uniform(0.1, max(0.15, seconds)), 0, 1)
        voice = _sung(pitch, said[0] + moved * (said[1] - said[0]))
        voice += breath * random.standard_normal(len(time))
        hiss = float(random.choice((0.0, 0.15, 0.3))) * _hiss(time, random)
        return voice * _fades(len(voice), 0.04, 0.08) + hiss

    return note


def beat(random: Chance) -> Callable[[str], Samples]:
    """A drum kit: one stroke of the drum "kick", "snare" or "hat"."""
    deep, snap = random.uniform(45, 90), random.uniform(8, 30)
    closed, body = random.uniform(30, 120), random.uniform(150, 250)

    def stroke(drum: str) -> Samples:
        time = _time(0.35)
        hiss = random.standard_normal(len(time))
        match drum:
            case "kick":
                fall = 2 * np.pi * (deep * time - 3.0 * np.exp(-time * 40) / 2)
                return 1.5 * np.sin(fall) * np.exp(-time * 12)
            case "snare":
                skin = np.sin(2 * np.pi * body * time) * np.exp(-time * 25)
                return 0.6 * skin + 0.5 * hiss * np.exp(-time * snap)
            case _:
                return 0.4 * np.diff(hiss, prepend=0.0) * np.exp(-time * closed)

    return stroke


def _time(seconds: float) -> Samples:
    return np.arange(max(1, round(seconds * RATE))) / RATE


def _fades(length: int, attack: float, release: float) -> Samples:
    """From 0 to 1 in `attack` seconds and back in `release`, linearly."""
    at = np.arange(length) / RATE
    fades: Samples = np.clip(np.minimum(at / attack, at[::-1] / release), 0.0, 1.0)
    return fades


def _additive(hertz: Samples, partials: npt.NDArray[np.int_], levels: Samples) -> Samples:
    """A pitch that may move, (n,), and its partials' levels: one cycle, read at that pitch."""
    heard = partials * hertz.max() < HIGHEST_HERTZ
    spectrum = np.zeros(CYCLE // 2 + 1, np.complex128)
    spectrum[partials[heard]] = -0.5j * CYCLE * levels[heard]
    cycle = np.fft.irfft(spectrum)
    at = (np.cumsum(hertz) * (CYCLE / RATE)).astype(int) % CYCLE
    tone: Samples = cycle[at]
    return tone


def _saw(hertz: Samples, slope: float) -> Samples:
    """Partial k at k ** -slope: 1 is a saw."""
    partials = np.arange(1, 1 + max(1, int(HIGHEST_HERTZ / hertz.max())))
    levels: Samples = np.power(partials, -slope, dtype=np.float64)
    return _additive(hertz, partials, levels)


def _vibrato(hertz: float, seconds: float, random: Chance) -> Samples:
    """A pitch that sways 4 to 7 times a second, the more the longer the note lasts."""
    time = _time(seconds)
    depth = random.uniform(0.0, 0.03) * np.clip(time / 0.5, 0, 1)
    sway = np.sin(2 * np.pi * random.uniform(4, 7) * time + random.uniform(0, 6))
    swaying: Samples = hertz * (1 + depth * sway)
    return swaying


def _sung(hertz: Samples, formants: npt.NDArray[np.float64]) -> Samples:
    """Pitch (n,) and formants (n, 3) to a voice: partials as strong as the vowel lets them."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    voice = np.zeros(len(hertz))
    for k in range(1, 1 + max(1, int(HIGHEST_HERTZ / hertz.max()))):
        distance = (k * hertz[:, None] - formants) / FORMANT_WIDTHS
        level = (FORMANT_GAINS / (1 + distance**2)).sum(axis=1)
        voice += (level + 0.02) / np.sqrt(k) * np.sin(k * phase)
    return 3 * voice


def _hiss(time: Samples, random: Chance) -> Samples:
    """A consonant: 30 to 100 ms of high noise."""
    noise = np.diff(random.standard_normal(len(time)), prepend=0.0)
    hiss: Samples = noise * np.clip(1 - time / random.uniform(0.03, 0.1), 0, 1)
    return hiss
