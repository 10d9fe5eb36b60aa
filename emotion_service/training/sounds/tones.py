"""What the telephone network itself says: call progress, keys, announcements' beeps, modems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TypeAlias

import numpy as np

from emotion_service.training.sounds.instruments import RATE, Chance, Samples

EDGE_SECONDS = 0.002  # over which a tone fades in and out

# (hertz that sound together, seconds on, seconds off), again and again (ITU-T E.180 supplement 2).
Cadence: TypeAlias = Sequence[tuple[tuple[float, ...], float, float]]
RINGBACK: tuple[Cadence, ...] = (
    (((425,), 1.0, 4.0),),  # most of Europe
    (((440, 480), 2.0, 4.0),),  # North America
    (((400, 450), 0.4, 0.2), ((400, 450), 0.4, 2.0)),  # United Kingdom
    (((440,), 1.5, 3.5),),  # France
    (((384, 416), 1.0, 2.0),),  # Japan
)
BUSY: tuple[Cadence, ...] = (
    (((425,), 0.5, 0.5),),
    (((425,), 0.25, 0.25),),
    (((480, 620), 0.5, 0.5),),
    (((480, 620), 0.25, 0.25),),
    (((400,), 0.375, 0.375),),
)
DIAL: tuple[Cadence, ...] = (
    (((425,), 60.0, 0.0),),
    (((350, 440), 60.0, 0.0),),
    (((425,), 0.2, 0.3), ((425,), 0.7, 0.8)),
    (((350, 440), 0.1, 0.1),),  # stutter: messages are waiting
)
SPECIAL: tuple[Cadence, ...] = tuple(
    (((first,), long, 0.0), ((second,), short, 0.0), ((third,), 0.38, pause))
    for first, second, third in (
        (913.8, 1370.6, 1776.7),
        (985.2, 1428.5, 1776.7),
        (950, 1400, 1800),
    )
    for long, short, pause in ((0.38, 0.276, 1.0), (0.33, 0.33, 1.0), (0.33, 0.33, 4.0))
)
RECORDING: tuple[Cadence, ...] = (
    (((1400,), 0.5, 14.5),),
    (((1400,), 0.2, 9.8),),
    (((425,), 0.4, 14.6),),
    (((1000,), 0.4, 4.6),),  # after the tone, please
    (((440,), 0.3, 9.7),),  # a call is waiting
)
KEYS = [(low, high) for low in (697, 770, 852, 941) for high in (1209, 1336, 1477, 1633)]


def cadence(choices: Sequence[Cadence], seconds: float, random: Chance) -> Samples:
    """One of them from any moment on, each tone up to 1 % off and not quite as loud as the next."""
    chosen = choices[int(random.integers(len(choices)))]
    tuned = 1 + random.uniform(-0.01, 0.01)
    period = sum(on + off for _, on, off in chosen)
    skip = int(random.uniform(0, period) * RATE)
    twist = random.uniform(0.7, 1.4)

    def turns() -> Iterator[Samples]:
        for hertz, on, off in cycle(chosen):
            yield tone([f * tuned for f in hertz], on, twist)
            yield np.zeros(round(off * RATE))

    return _joined(turns(), skip + round(seconds * RATE))[skip:]


def dtmf(seconds: float, random: Chance) -> Samples:
    """Keys as people press them, some at leisure and some in a hurry, or as a machine dials
    (ITU-T Q.23; the high tone up to 4 dB louder than the low one, or 8 dB softer)."""
    by_hand, twist = random.random() < 0.7, 10 ** (random.uniform(-8, 4) / 20)

    def presses() -> Iterator[Samples]:
        while True:
            on = random.uniform(0.07, 0.35) if by_hand else 0.08
            off = random.gamma(3.0, 0.12) + 0.05 if by_hand else 0.08
            yield tone(KEYS[random.integers(len(KEYS))], on, twist)
            yield np.zeros(round(off * RATE))

    return _joined(presses(), round(seconds * RATE))


def fax(seconds: float, random: Chance) -> Samples:
    """The calling tone, the answer tone, identification at 300 bit/s and a page (ITU-T T.30)."""

    def session() -> Iterator[Samples]:
        while True:
            yield from (tone((1100,), 0.5, 1.0), np.zeros(random.integers(RATE, 3 * RATE)))
            yield tone((2100,), random.uniform(2.6, 4.0), 1.0)
            yield keyed(1650.0, 1850.0, 300.0, random.uniform(1, 3), random)
            yield np.zeros(random.integers(RATE // 20, RATE // 5))
            yield carrier(1800.0, 2400.0, random.uniform(2, 8), random)

    return _from_anywhere(session(), seconds, random)


def modem(seconds: float, random: Chance) -> Samples:
    """Two that meet: answer tone with reversals, both carriers, then data (ITU-T V.8, V.22)."""

    def session() -> Iterator[Samples]:
        while True:
            for turn in range(6):
                yield (-1) ** turn * tone((2100,), 0.45, 1.0)
            yield keyed(980.0, 1180.0, 300.0, random.uniform(0.5, 1.5), random)
            length = random.uniform(1, 2)
            low = carrier(1200.0, 600.0, length, random)
            yield low + carrier(2400.0, 600.0, length, random)[: len(low)]
            yield carrier(1800.0, 2743.0, random.uniform(4, 12), random)

    return _from_anywhere(session(), seconds, random)


def alarm(seconds: float, random: Chance) -> Samples:
    """A pitch that rises and falls, or jumps between two, some times a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    low, ratio = random.uniform(350, 1200), random.uniform(1.1, 2.5)
    turn = (random.uniform(0.2, 6.0) * time + random.random()) % 1.0
    shapes = (turn, 1 - turn, 1 - abs(2 * turn - 1), (turn > 0.5).astype(np.float64))
    phase = 2 * np.pi * np.cumsum(low * ratio ** shapes[random.integers(4)]) / RATE
    overtones = random.uniform(0, 0.5, 3)
    together: Samples = np.sin(phase) + sum(
        level * np.sin(k * phase) for k, level in enumerate(overtones, 2)
    )
    return together


def tone(hertz: Sequence[float], seconds: float, twist: float) -> Samples:
    """Sines, each `twist` times as strong as the one before."""
    time = np.arange(round(seconds * RATE)) / RATE
    waves = [twist**k * np.sin(2 * np.pi * f * time) for k, f in enumerate(hertz)]
    together: Samples = np.sum(waves, axis=0) / len(hertz)
    return together * np.clip(np.minimum(time, time[::-1]) / EDGE_SECONDS, 0, 1)


def keyed(mark: float, space: float, baud: float, seconds: float, random: Chance) -> Samples:
    """Random bits by two frequencies."""
    bits = random.random(int(seconds * baud) + 1) < 0.5
    sent = bits[(np.arange(round(seconds * RATE)) * baud / RATE).astype(int)]
    waves: Samples = np.sin(2 * np.pi * np.cumsum(np.where(sent, mark, space)) / RATE)
    return waves


def carrier(hertz: float, baud: float, seconds: float, random: Chance) -> Samples:
    """Random data in phase and amplitude of a carrier, limited to the telephone's band."""
    time = np.arange(round(seconds * RATE)) / RATE
    symbols = random.choice((-3, -1, 1, 3), (int(seconds * baud) + 2, 2))
    at = np.arange(len(symbols)) / baud
    real, imaginary = (np.interp(time, at, column) for column in symbols.T)
    angle = 2 * np.pi * hertz * time
    data: Samples = (real * np.cos(angle) - imaginary * np.sin(angle)) / 3
    return data


def _joined(parts: Iterator[Samples], length: int) -> Samples:
    """The first (length,) of what may be endless."""
    taken: list[Samples] = []
    while sum(map(len, taken)) < length:
        taken.append(next(parts))
    return np.concatenate(taken)[:length]


def _from_anywhere(parts: Iterator[Samples], seconds: float, random: Chance) -> Samples:
    skip = int(random.integers(12 * RATE))
    return _joined(parts, skip + round(seconds * RATE))[skip:]
