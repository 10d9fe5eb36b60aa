"""Simulated calls in which a customer turns angry six times, and is calm, happy or sad between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import ModelCard, read_card
from emotion_service.training.corpora.corpus import ACTIVE_LEVEL_DB, ACTIVE_MARGIN_DB, Clip
from emotion_service.training.corpora.corpus import read_audio as read_clip
from emotion_service.training.corpora.simulate import LINE_NOISE, endless
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

ANGER = "anger"
NEGATIVES = ("neutral", "happiness", "sadness")
EPISODES = 6  # of anger in a call
EPISODE_SECONDS = 8.0  # an episode's last clip is the one that reaches this
STRETCH_SECONDS = (20.0, 60.0)  # of one mood between episodes
PAUSE_SECONDS = (0.3, 0.9)  # between clips
REPLY_SECONDS = (2.0, 6.0)  # while the agent speaks, after every second clip that is not angry
TURN_CLIPS = 2
MARGIN = 800  # samples (100 ms) left of what is quiet before and after a clip's speech
FRAME = 160  # samples (20 ms) over which a clip's level is taken


@dataclass(frozen=True, slots=True)
class Stretch:
    """From the first word to the last the customer speaks in one mood. Samples."""

    emotion: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whose clips make the calls, and the model that never heard him."""

    name: str
    corpus: str
    clips: tuple[Clip, ...]
    model: Path


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """The customer's leg, float32 (n,) at 8 kHz, and what it holds, in order."""

    samples: FloatArray
    stretches: tuple[Stretch, ...]


def judged_by(clips: Sequence[Clip], folds: Sequence[Path], model: Path | None) -> list[Speaker]:
    """The speakers of corpora that the folds are of, by the folds; all others by the model.

    Raises:
        CorpusError: no speaker is left.
    """
    speakers = unheard(clips, folds, corpus_known=True)
    known = {speaker.corpus for speaker in speakers}
    if model:
        others = [clip for clip in clips if clip.corpus not in known]
        speakers += unheard(others, [model], corpus_known=False)
    if not speakers:
        raise CorpusError(
            "no speaker of the corpora is new to any of the models: give models that their "
            "crossval left speakers out of (--models), one that heard others (--model), or other "
            "corpora"
        )
    return speakers


def unheard(clips: Iterable[Clip], folders: Sequence[Path], corpus_known: bool) -> list[Speaker]:
    """Each speaker who is angry and neutral in some clip, with the first model that did not hear
    him; if `corpus_known`, with the first of those that heard others of his corpus."""
    own: dict[str, list[Clip]] = {}
    for clip in clips:
        own.setdefault(clip.speaker, []).append(clip)
    corpus_of = {name: spoken[0].corpus for name, spoken in own.items()}
    cards = {folder: read_card(folder) for folder in folders}
    speakers: list[Speaker] = []
    for name, spoken in sorted(own.items(), key=lambda item: (item[1][0].corpus, item[0])):
        judges = [
            folder
            for folder, card in cards.items()
            if name not in card.training_speakers
            and (not corpus_known or _heard_corpus(card, corpus_of[name], corpus_of))
        ]
        if judges and {ANGER, "neutral"} <= {clip.emotion for clip in spoken}:
            speakers.append(Speaker(name, corpus_of[name], tuple(spoken), judges[0]))
    return speakers


def _heard_corpus(card: ModelCard, corpus: str, corpus_of: Mapping[str, str]) -> bool:
    return any(corpus_of.get(heard) == corpus for heard in card.training_speakers)


def simulate(clips: Sequence[Clip], speaker: str, seed: int) -> SimulatedCall:
    """The same speaker and seed make the same call."""
    random = np.random.default_rng([crc32(speaker.encode()), seed])
    moods = {clip.emotion for clip in clips}
    sources = {
        mood: endless([clip for clip in clips if clip.emotion == mood], random)
        for mood in sorted(moods)
    }
    parts: list[tuple[int, FloatArray]] = []
    stretches: list[Stretch] = []
    at = 0
    for emotion, length in _course([mood for mood in NEGATIVES if mood in moods], random):
        said = list(_stretch(sources[emotion], emotion, length, at, random))
        parts += said
        at = said[-1][0] + len(said[-1][1])
        stretches.append(Stretch(emotion, said[0][0] + MARGIN, at - MARGIN))
    return SimulatedCall(_joined(parts, at + SAMPLE_RATE_HERTZ, random), tuple(stretches))


def _course(negatives: Sequence[str], random: np.random.Generator) -> Iterator[tuple[str, float]]:
    """Emotions and how long each lasts, in seconds."""
    moods = [str(mood) for _ in range(EPISODES) for mood in random.permutation(negatives)]
    for mood in moods[:EPISODES]:
        yield mood, float(random.uniform(*STRETCH_SECONDS))
        yield ANGER, EPISODE_SECONDS
    yield moods[EPISODES], float(random.uniform(*STRETCH_SECONDS))


def _stretch(
    clips: Iterator[Clip], emotion: str, length: float, at: int, random: np.random.Generator
) -> Iterator[tuple[int, FloatArray]]:
    """Clips and where they begin, until the stretch is so many seconds long."""
    begin, count = at, 0
    while at - begin < length * SAMPLE_RATE_HERTZ:
        replied = emotion != ANGER and count > 0 and count % TURN_CLIPS == 0
        at += int(
            random.uniform(*(REPLY_SECONDS if replied else PAUSE_SECONDS)) * SAMPLE_RATE_HERTZ
        )
        begin = begin if count else at
        samples = spoken(next(clips))
        yield at, samples
        at, count = at + len(samples), count + 1


def spoken(clip: Clip) -> FloatArray:
    """A clip's samples from its first active frame to its last, and MARGIN on either side."""
    samples = read_clip(clip.path)
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level_db = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    active = np.flatnonzero(level_db >= ACTIVE_LEVEL_DB - ACTIVE_MARGIN_DB)
    padded = np.pad(samples, MARGIN)
    return padded[active[0] * FRAME : (active[-1] + 1) * FRAME + 2 * MARGIN]


def _joined(
    parts: Iterable[tuple[int, FloatArray]], length: int, random: np.random.Generator
) -> FloatArray:
    samples = random.normal(0.0, LINE_NOISE, length).astype(np.float32)
    for start, part in parts:
        samples[start : start + len(part)] += part
    return np.clip(samples, -1.0, 1.0)
