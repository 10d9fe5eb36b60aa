"""What the two parties of a measured call say: both legs as µ-law, nobody synchronous by chance."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.recording import read_channels
from emotion_service.training.corpora.corpus import (
    ACTIVE_LEVEL_DB,
    ACTIVE_MARGIN_DB,
    Clip,
    corpus_folders,
    read_audio,
    read_corpus,
)
from emotion_service.training.corpora.simulate import LINE_NOISE, PAUSE_SECONDS
from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, FloatArray

Conversation: TypeAlias = npt.NDArray[np.uint8]  # (n, 2): µ-law codes of customer and agent

CUSTOMERS = 12  # conversations made of a corpus, each with a customer of its own
DEMO_CALLS = Path(__file__).parents[1] / "examples" / "demo_calls"


def add_corpora(parser: argparse.ArgumentParser) -> None:
    """`--corpora`: whose speech `spoken` is to be."""
    parser.add_argument(
        "--corpora",
        type=Path,
        default=os.environ.get("EMOTION_CORPORA"),
        help="labelled speech for the callers (EMOTION_CORPORA; else the synthetic demo calls)",
    )


def spoken(corpora: Path | None, seconds: float) -> list[Conversation]:
    """Of the corpora, so many seconds each; without any the demo calls.

    Raises:
        CorpusError: see `human`.
    """
    return human(corpora, seconds) if corpora else bundled()


def bundled() -> list[Conversation]:
    """The synthetic demo calls, about a minute each."""
    files = sorted(DEMO_CALLS.glob("*.flac"))
    return [_encoded([c.samples for c in read_channels([file])]) for file in files]


def human(corpora: Path, seconds: float) -> list[Conversation]:
    """Labelled clips of different customers, who talk half the time; an agent fills their pauses.

    Raises:
        CorpusError: there is no corpus, or none with two speakers.
    """
    random = np.random.default_rng(0)
    pairs = _pairs([clip for folder in corpus_folders(corpora) for clip in read_corpus(folder)])
    chosen = [pairs[i] for i in random.permutation(len(pairs))[:CUSTOMERS]]
    length = int(seconds * SAMPLE_RATE_HERTZ)
    return [_encoded(_talk(customer, agent, length, random)) for customer, agent in chosen]


def _pairs(clips: Sequence[Clip]) -> list[tuple[list[Clip], list[Clip]]]:
    """Each speaker's clips with those of another speaker of the same corpus."""
    spoken: dict[str, dict[str, list[Clip]]] = {}
    for clip in clips:
        spoken.setdefault(clip.corpus, {}).setdefault(clip.speaker, []).append(clip)
    return [
        (own, other)
        for speakers in map(list, (corpus.values() for corpus in spoken.values()))
        for own, other in zip(speakers, speakers[1:] + speakers[:1], strict=True)
    ]


def _talk(
    customer: Sequence[Clip], agent: Sequence[Clip], length: int, random: np.random.Generator
) -> FloatArray:
    """Float32 (2, length): the customer speaks whenever he has had less than half the time."""
    audio = random.normal(0.0, LINE_NOISE, (2, length)).astype(np.float32)
    clips = _endless(customer, random), _endless(agent, random)
    at = spoken = 0
    while at < length:
        leg = int(spoken > at / 2)
        samples = _read(next(clips[leg]).path)[: length - at]
        audio[leg, at : at + len(samples)] += samples
        spoken += len(samples) * (leg == 0)
        at += len(samples) + int(random.uniform(*PAUSE_SECONDS) * SAMPLE_RATE_HERTZ)
    return audio


def _endless(clips: Sequence[Clip], random: np.random.Generator) -> Iterator[Clip]:
    while True:
        for index in random.permutation(len(clips)):
            yield clips[index]


@lru_cache(maxsize=1024)
def _read(clip: Path) -> FloatArray:
    """From its first active block to its last: studio silence is not talking time."""
    samples = read_audio(clip)
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    floor = 10.0 ** ((ACTIVE_LEVEL_DB - ACTIVE_MARGIN_DB) / 10)
    active = np.flatnonzero((blocks**2).mean(axis=1) >= floor)
    return samples[active[0] * BLOCK : (active[-1] + 1) * BLOCK]


def _encoded(legs: Sequence[FloatArray] | FloatArray) -> Conversation:
    codes = [np.frombuffer(encode_pcmu(samples), np.uint8) for samples in legs]
    return np.stack(codes, axis=1)
