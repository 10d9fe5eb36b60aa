"""Music on hold, composed by chance: chords, melody, bass and a beat in some key and tempo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.signal import fftconvolve

from emotion_service.training.sounds.instruments import (
    RATE,
    Chance,
    Instrument,
    Maker,
    Samples,
    beat,
    brass,
    flute,
    guitar,
    organ,
    pad,
    piano,
    singer,
    strings,
)

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (1, 4, 0, 0), (5, 3, 0, 4), (0, 3, 4, 3), (0, 0, 3, 4))
NOTE_BEATS = (0.5, 0.5, 1.0, 1.0, 1.5, 2.0)  # how long a note of the melody lasts
REST = 0.15  # probability of a pause instead
TEMPO = (60.0, 160.0)  # beats a minute


@dataclass(frozen=True, slots=True)
class Band:
    """The instruments each part is drawn from (none: it is silent), and how often drums play."""

    lead: tuple[Maker, ...] = ()
    chords: tuple[Maker, ...] = ()
    bass: tuple[Maker, ...] = ()
    drums: float = 0.0


@dataclass(frozen=True, slots=True)
class Tune:
    """What is drawn once a piece. `root` is a MIDI note, `beat` in seconds."""

    beat: float
    beats: int  # a bar
    root: int
    scale: tuple[int, ...]
    progression: tuple[int, ...]
    bars: int

    @property
    def bar(self) -> float:
        """Seconds."""
        return self.beat * self.beats

    def degree(self, bar: int) -> int:
        """Of the chord of that bar."""
        return self.progression[bar % len(self.progression)]

    def hertz(self, degree: int) -> float:
        """Of a degree of the scale, the root's octave beginning at 0."""
        octave, step = divmod(degree, len(self.scale))
        return float(440.0 * 2 ** ((self.root + 12 * octave + self.scale[step] - 69) / 12))


@dataclass(frozen=True, slots=True)
class Note:
    """Seconds since the piece began, degree of the scale, seconds."""

    start: float
    degree: int
    length: float


def play(band: Band, seconds: float, random: Chance) -> Samples:
    """Float64 (n,): some moment of a piece; each part is as loud as chance has it."""
    tune = _tune(seconds, random)
    parts = [
        _rendered(tune, notes, makers[random.integers(len(makers))](random))
        for notes, makers in (
            (list(_melody(tune, random)), band.lead),
            (list(_chords(tune, random)), band.chords),
            (list(_bass(tune, random)), band.bass),
        )
        if makers
    ]
    if random.random() < band.drums:
        parts.append(_drummed(tune, random))
    loudness = [1.0, *random.uniform(0.2, 0.9, len(parts) - 1)]
    piece = np.sum([a * _unit(part) for a, part in zip(loudness, parts, strict=True)], axis=0)
    begin = int(random.uniform(0, tune.bar) * RATE)
    heard = piece[begin : begin + round(seconds * RATE)]
    return _in_a_room(heard, random) if random.random() < 0.5 else heard


def _tune(seconds: float, random: Chance) -> Tune:
    beat_seconds, beats = 60 / random.uniform(*TEMPO), int(random.choice((3, 4, 4, 4)))
    return Tune(
        beat=beat_seconds,
        beats=beats,
        root=int(random.integers(53, 65)),
        scale=MAJOR if random.random() < 0.6 else MINOR,
        progression=PROGRESSIONS[random.integers(len(PROGRESSIONS))],
        bars=int(seconds / (beat_seconds * beats)) + 2,
    )


def _melody(tune: Tune, random: Chance) -> Iterator[Note]:
    """A rhythm of one bar that keeps coming back, over a walk along the scale."""
    rhythm = list(_rhythm(tune.beats, random))
    degree = int(random.integers(0, 8))
    for bar in range(tune.bars):
        if random.random() < 0.25:
            rhythm = list(_rhythm(tune.beats, random))
        for at, length in rhythm:
            degree = int(np.clip(degree + random.integers(-2, 3), -3, 11))
            if random.random() >= REST:
                yield Note(bar * tune.bar + at * tune.beat, degree, length * tune.beat)


def _rhythm(beats: int, random: Chance) -> Iterator[tuple[float, float]]:
    """Where each note of a bar begins and how long it lasts, in beats."""
    at = 0.0
    while at < beats:
        length = min(float(random.choice(NOTE_BEATS)), beats - at)
        yield at, length
        at += length


def _chords(tune: Tune, random: Chance) -> Iterator[Note]:
    """Held for a bar, struck on every beat, or broken into eighths."""
    strikes, together = ((1, True), (tune.beats, True), (2 * tune.beats, False))[random.integers(3)]
    step = tune.bar / strikes
    for bar in range(tune.bars):
        tones = [tune.degree(bar) + third - 7 * (third > 2) for third in (0, 2, 4)]
        for strike in range(strikes):
            struck = tones if together else [tones[strike % len(tones)]]
            for tone in struck:
                yield Note(bar * tune.bar + strike * step, tone, step if together else 2 * step)


def _bass(tune: Tune, random: Chance) -> Iterator[Note]:
    strikes = int(random.choice((1, 2, tune.beats)))
    step = tune.bar / strikes
    for bar in range(tune.bars):
        for strike in range(strikes):
            fifth = 4 * (strike % 2)
            yield Note(bar * tune.bar + strike * step, tune.degree(bar) + fifth - 14, step)


def _drummed(tune: Tune, random: Chance) -> Samples:
    stroke, hats = beat(random), int(random.choice((1, 2, 2, 4)))
    piece = _silence(tune)
    for at in range(tune.bars * tune.beats):
        _add(piece, at * tune.beat, stroke("kick" if at % 2 == 0 else "snare"))
        for hat in range(hats):
            _add(piece, (at + hat / hats) * tune.beat, stroke("hat"))
    return piece


def _rendered(tune: Tune, notes: list[Note], instrument: Instrument) -> Samples:
    piece = _silence(tune)
    for note in notes:
        _add(piece, note.start, instrument(tune.hertz(note.degree), note.length))
    return piece


def _silence(tune: Tune) -> Samples:
    return np.zeros(int((tune.bars + 1) * tune.bar * RATE))


def _add(piece: Samples, start: float, sound: Samples) -> None:
    first = int(start * RATE)
    room = len(piece) - first
    piece[first : first + len(sound)] += sound[:room]


def _unit(part: Samples) -> Samples:
    unit: Samples = part / (np.sqrt(np.mean(part**2)) + 1e-9)
    return unit


def _in_a_room(dry: Samples, random: Chance) -> Samples:
    """With a reverberation of 0.1 to 0.6 s."""
    echo = random.standard_normal(RATE // 2)
    echo *= np.exp(-np.arange(len(echo)) / RATE * 6.9 / random.uniform(0.1, 0.6))
    wet = fftconvolve(dry, echo)[: len(dry)]
    return _unit(dry) + random.uniform(0.1, 0.5) * _unit(wet)


ACCOMPANIED = (organ, strings, pad, guitar, piano)
MELODIC = (organ, strings, guitar, piano, flute, brass)
BANDS = {
    "organ": Band((organ,), (organ,), (organ,)),
    "strings": Band((strings,), (strings,), (strings,)),
    "guitar": Band((guitar,), (guitar,), (guitar,)),
    "piano": Band((piano,), (piano,), (piano,)),
    "pad": Band((), (pad,), (pad,)),
    "band": Band(MELODIC, ACCOMPANIED, (guitar, piano, pad), drums=0.9),
    "sung": Band((singer,), ACCOMPANIED, (guitar, piano, pad), drums=0.6),
    "solo": Band((strings, flute, brass, guitar)),
    "solo_song": Band((singer,)),
    "drums": Band((), (), (), drums=1.0),
}
MUSIC = {f"music_{name}": partial(play, band) for name, band in BANDS.items()}
