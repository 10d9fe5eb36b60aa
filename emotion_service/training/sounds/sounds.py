"""Sounds of the telephone that are no speech, made by chance: to learn from, and to be judged on.

The same generators serve both, with seeds that never meet: TRAINING_SEEDS and TEST_SEEDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from functools import partial
from typing import TypeAlias
from zlib import crc32

import numpy as np
from scipy.signal import fftconvolve, lfilter

from emotion_service.training.corpora.corpus import active_level_db
from emotion_service.training.lines import noise
from emotion_service.training.sounds import tones
from emotion_service.training.sounds.instruments import RATE, Chance, Samples
from emotion_service.training.sounds.music import MUSIC
from emotion_service.types import FloatArray

LEVEL_DB = -20.0  # dBov of what is not silent in it ...
COMFORT_LEVEL_DB = -50.0  # ... but for comfort noise
TRAINING_SEEDS = range(0, 1_000_000)
TEST_SEEDS = range(1_000_000, 2_000_000)
GSM_FRAME_HERTZ = 216.7  # how often a mobile telephone sends, which loudspeakers nearby hear

Draw: TypeAlias = Callable[[float, Chance], Samples]  # seconds, of any level
Sound: TypeAlias = Callable[[float, Chance], FloatArray]


class Part(Enum):
    """Of all that is no speech: what a model learns from, and what it is judged on."""

    LEARNED = auto()
    JUDGED = auto()


def generate(kind: str, seconds: float, seed: int) -> FloatArray:
    """The sound of that kind and seed, float32 (n,) at 8 kHz in -1..1: the same every time."""
    return SOUNDS[kind](seconds, np.random.default_rng((crc32(kind.encode()), seed)))


def steady(colour: noise.Noise, seconds: float, random: Chance) -> Samples:
    """Noise of one colour."""
    return colour(round(seconds * RATE), random).astype(np.float64)


def comfort(seconds: float, random: Chance) -> Samples:
    """Noise of some colour that stops and comes again: discontinuous transmission."""
    hiss = _coloured(random.uniform(-0.5, 0.9), round(seconds * RATE), random)
    steps = np.repeat(random.choice((0.0, 0.3, 1.0), int(seconds) + 1, p=(0.15, 0.15, 0.7)), RATE)
    softened: Samples = hiss * steps[: len(hiss)]
    softened[: RATE // 2] = hiss[: RATE // 2]  # never all silent
    return softened


def hum(seconds: float, random: Chance) -> Samples:
    """The mains, and some hiss."""
    mains = noise.hum(round(seconds * RATE), float(random.choice((50.0, 60.0))), random)
    return mains + random.uniform(0.01, 0.3) * random.standard_normal(len(mains))


def gusts(seconds: float, random: Chance) -> Samples:
    """Noise whose level never rests: wind on the microphone, breath, waves, passing cars."""
    length = round(seconds * RATE)
    every = RATE / random.uniform(0.5, 8.0)
    points = random.uniform(-30, 0, int(length / every) + 2)
    swell_db = np.interp(np.arange(length) / every, np.arange(len(points)), points)
    swell: Samples = np.power(10.0, swell_db / 20)
    wind = _coloured(random.uniform(-0.3, 0.97), length, random)
    return swell * wind


def engine(seconds: float, random: Chance) -> Samples:
    """Ignitions whose rate wanders, through some resonances, and noise that beats with them."""
    length = round(seconds * RATE)
    walk = np.cumsum(random.normal(0, random.uniform(0.0, 0.08), int(seconds * 10) + 2))
    rate = random.uniform(20, 130) * np.exp(np.interp(np.arange(length), *_tenths(walk)))
    turns = np.cumsum(np.clip(rate, 10, 300)) / RATE
    pulses = np.diff(np.floor(turns), prepend=0.0) * random.uniform(0.6, 1.4, length)
    for hertz in random.uniform((80, 400, 1000), (400, 1000, 3000)):
        pulses = pulses + 0.5 * _resonance(hertz, 150.0, pulses)
    rough: Samples = random.standard_normal(length) * (1 + np.sin(2 * np.pi * turns))
    return pulses + random.uniform(0.02, 0.2) * rough


def crackle(seconds: float, random: Chance) -> Samples:
    """A bad line: clicks now and then or in dense showers, over hiss."""
    length = round(seconds * RATE)
    showers = np.repeat(random.exponential(1.0, int(seconds * 4) + 1), RATE // 4)[:length]
    clicks = random.random(length) < showers * random.uniform(10, 300) / RATE
    ringing = _resonance(random.uniform(800, 3000), 600.0, clicks * random.normal(0, 1, length))
    return ringing + random.uniform(0.001, 0.03) * random.standard_normal(length)


def clatter(seconds: float, random: Chance) -> Samples:
    """Keyboards, dishes, steps, knocks: short blows that ring, each a little different."""
    length = round(seconds * RATE)
    blows = np.zeros(length)
    count = max(1, int(seconds * random.uniform(1, 10)))
    blows[random.integers(length, size=count)] = random.uniform(0.2, 1.0, count)
    ring = random.standard_normal(RATE // 4)
    ring *= np.exp(-np.arange(len(ring)) / RATE * random.uniform(15, 120))
    for hertz in random.uniform(200, 3500, 2):
        ring = ring + _resonance(hertz, random.uniform(20, 200), ring)
    struck: Samples = fftconvolve(blows, ring)[:length]
    return struck + 1e-3 * random.standard_normal(length)


def buzz(seconds: float, random: Chance) -> Samples:
    """A mobile telephone beside the loudspeaker: bursts at the rate of its frames, in salvoes."""
    length = round(seconds * RATE)
    turn = np.arange(length) * GSM_FRAME_HERTZ / RATE
    on = turn % 1.0 < 1 / 8
    steps = np.repeat(random.random(int(seconds * 8) + 1) < 0.7, RATE // 8)[:length]
    shaped = np.diff(on.astype(np.float64), prepend=0.0) * (0.05 + steps)
    return shaped + random.uniform(0.001, 0.02) * random.standard_normal(length)


def at_level(draw: Draw, level_db: float, seconds: float, random: Chance) -> FloatArray:
    """Float32 (n,) at that active level (ITU-T P.56), clipped at full scale; all silent where a
    pause of a cadence fills it."""
    samples = draw(seconds, random).astype(np.float32)
    found_db = active_level_db(samples)
    if not np.isfinite(found_db):
        return samples
    loud: FloatArray = np.clip(samples * np.float32(10 ** ((level_db - found_db) / 20)), -1.0, 1.0)
    return loud


def _tenths(values: Samples) -> tuple[Samples, Samples]:
    """Where values given every tenth of a second lie, in samples, and the values."""
    at = np.arange(len(values), dtype=np.float64) * (RATE / 10)
    return at, values


def _coloured(colour: float, length: int, random: Chance) -> Samples:
    """Noise with more highs below 0, more lows above, up to 1."""
    hiss: Samples = lfilter([1.0], [1.0, -colour], random.standard_normal(length))
    return hiss


def _resonance(hertz: float, width: float, samples: Samples) -> Samples:
    radius, angle = np.exp(-np.pi * width / RATE), 2 * np.pi * hertz / RATE
    gain = 1 - radius
    rung: Samples = lfilter([gain], [1, -2 * radius * np.cos(angle), radius**2], samples)
    return rung


DRAWN: dict[str, Draw] = {
    **MUSIC,
    "ringback": partial(tones.cadence, tones.RINGBACK),
    "busy": partial(tones.cadence, tones.BUSY),
    "dial": partial(tones.cadence, tones.DIAL),
    "special_information": partial(tones.cadence, tones.SPECIAL),
    "beeps": partial(tones.cadence, tones.RECORDING),
    "dtmf": tones.dtmf,
    "fax": tones.fax,
    "modem": tones.modem,
    "alarm": tones.alarm,
    "white_noise": partial(steady, noise.white_noise),
    "pink_noise": partial(steady, noise.pink_noise),
    "brown_noise": partial(steady, noise.brown_noise),
    "comfort_noise": comfort,
    "hum": hum,
    "gusts": gusts,
    "engine": engine,
    "crackle": crackle,
    "clatter": clatter,
    "buzz": buzz,
}
SOUNDS: Mapping[str, Sound] = {
    kind: partial(at_level, draw, COMFORT_LEVEL_DB if draw is comfort else LEVEL_DB)
    for kind, draw in DRAWN.items()
}
SEEDS: Mapping[Part, range] = {Part.LEARNED: TRAINING_SEEDS, Part.JUDGED: TEST_SEEDS}
