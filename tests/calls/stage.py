"""Calls put together from phrases with known edges: who says what when, and so what is true."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import soundfile

from emotion_service.cues.monologue import MONOLOGUE
from emotion_service.training.corpora.corpus import read_audio, read_corpus
from emotion_service.types import CueKind, FloatArray

Phrases: TypeAlias = dict[str, list[FloatArray]]  # by leg: what it says, each begun and ended loud

DEMO_CALLS = Path(__file__).parents[2] / "examples" / "demo_calls"
LEGS = ("customer", "agent")
EDGE_DB = 20.0  # below the loudest 10 ms of a phrase: where it begins and ends


@dataclass(frozen=True)
class Known:
    """What is true of an episode, in samples."""

    leg: str
    kind: CueKind
    start: int
    end: int


@dataclass
class Stage:
    """A call being put together: who says what when, at the level of the phrases' own."""

    phrases: Phrases
    at: int = 4000  # where the last phrase ended
    parts: list[tuple[str, int, FloatArray]] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)

    def say(self, leg: str, after: int, number: int) -> int:
        """A phrase of the leg, so many samples after the end of the last; where it begins."""
        phrase = self.phrases[leg][number % len(self.phrases[leg])]
        start = self.at + after
        self.put(leg, start, phrase)
        self.at = start + len(phrase)
        return start

    def put(self, leg: str, start: int, samples: FloatArray) -> None:
        self.parts.append((leg, start, samples))

    def expect(self, leg: str, kind: CueKind, start: int, end: int) -> None:
        self.known.append(Known(leg, kind, start, end))

    def legs(self) -> dict[str, FloatArray]:
        """Both legs, with faint noise, and a second of it after the last phrase."""
        noise = np.random.default_rng(0)
        legs = {leg: noise.normal(0, 1e-4, self.at + 8000).astype(np.float32) for leg in LEGS}
        for leg, start, samples in self.parts:
            legs[leg][start : start + len(samples)] += samples
        return legs


# --- phrases ---------------------------------------------------------------------------------


def loud_part(samples: FloatArray) -> FloatArray:
    """From the first to the last 10 ms within EDGE_DB of the loudest."""
    frames = samples[: len(samples) // 80 * 80].reshape(-1, 80)
    level_db = 10 * np.log10((frames.astype(np.float64) ** 2).mean(axis=1) + 1e-12)
    loud = np.flatnonzero(level_db >= level_db.max() - EDGE_DB)
    return samples[loud[0] * 80 : (loud[-1] + 1) * 80]


def demo_phrases(language: str) -> Phrases:
    """What the two say in a bundled demo call, its interruptions left out."""
    samples, _ = soundfile.read(DEMO_CALLS / f"{language}.flac", dtype="float32")
    truth = json.loads((DEMO_CALLS / f"{language}.json").read_text(encoding="utf-8"))
    phrases: Phrases = {leg: [] for leg in LEGS}
    for segment in truth["segments"]:
        if segment["kind"] == "speech":
            start, end = (int(segment[f"{edge}_seconds"] * 8000) for edge in ("start", "end"))
            spoken = samples[start:end, LEGS.index(segment["leg"])]
            phrases[segment["leg"]].append(loud_part(spoken))
    return phrases


def corpus_phrases(folder: Path, every: int) -> Phrases:
    clips = [loud_part(read_audio(clip.path)) for clip in read_corpus(folder)[::every]]
    fluent = [phrase for phrase in clips if len(phrase) >= 9600 and not hesitates(phrase)]
    return {"customer": fluent[::2], "agent": fluent[1::2]}


def hesitates(phrase: FloatArray) -> bool:
    """Whether 200 ms of it lie 25 dB below its loudest 10 ms: a pause, so that "while it lasts"
    would not be "while its speaker speaks"."""
    frames = phrase[: len(phrase) // 80 * 80].reshape(-1, 80).astype(np.float64)
    power = (frames**2).mean(axis=1)
    quiet = power < power.max() * 10**-2.5
    return bool((np.convolve(quiet, np.ones(20), "valid") == 20).any())


# --- scenes ----------------------------------------------------------------------------------


def silences(stage: Stage) -> None:
    """A quick answer, one after 7 s of dead air, one after 4 s, which are none."""
    stage.say("agent", 0, 0)
    stage.say("customer", 2400, 0)
    ended = stage.at
    start = stage.say("agent", 56_013, 1)
    stage.expect("customer", CueKind.DEAD_AIR, ended, start)
    stage.expect("agent", CueKind.SLOW_REPLY, ended, start)
    ended = stage.at
    start = stage.say("customer", 32_107, 1)
    stage.expect("customer", CueKind.SLOW_REPLY, ended, start)


def interruption(stage: Stage) -> None:
    """The customer breaks in 0.7 s before the agent's end, and goes on."""
    stage.say("agent", 1600, 1)
    ended = stage.at
    start = stage.say("customer", -5611, 2)
    stage.expect("customer", CueKind.TALK_OVER, start, ended)


def monologue(stage: Stage, number: int) -> None:
    """The agent speaks for 70 s, pauses not counted; the customer says "mhm" all the while."""
    start, spoken = stage.at + 3200, 0
    while spoken < MONOLOGUE + 80_000:
        begun = stage.say("agent", 3200, number)
        spoken += stage.at - begun
        number += 1
        stage.put("customer", begun + 4000, mhm(stage.phrases))
    stage.expect("agent", CueKind.MONOLOGUE, start, stage.at)
    stage.say("customer", 2400, 3)


def mhm(phrases: Phrases) -> FloatArray:
    """300 ms of the customer's voice, the loudest."""
    phrase = phrases["customer"][0]
    power = np.convolve(phrase.astype(np.float64) ** 2, np.ones(2400), "valid")
    first = int(power.argmax())
    return phrase[first : first + 2400] * np.hanning(2400).astype(np.float32)


def hurry(stage: Stage) -> None:
    """The customer, who has spoken calmly, speaks fast."""
    for number in range(4, 11):
        stage.say("customer", 1600, number)
    stage.say("agent", 3200, 5)
