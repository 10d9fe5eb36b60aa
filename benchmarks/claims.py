"""What the service makes of sounds: each is a call's customer, and what is claimed is counted."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from emotion_service.app import load_scorer
from emotion_service.calls.scorer import ENOUGH_SPEECH, Scorer
from emotion_service.offline import analyze
from emotion_service.recording import Channel, Encoding, as_legs, cut
from emotion_service.training.sounds.bursts import NonSpeech
from emotion_service.types import (
    SAMPLE_RATE_HERTZ,
    CallConfig,
    CallSummary,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    FloatArray,
    Pacing,
    Party,
    seconds,
)

CHUNK_MS = 1000
EMOTIONS = (CueKind.HAPPY, CueKind.AGITATED, CueKind.DISTRESSED, CueKind.NEUTRAL)


@dataclass(slots=True)
class Claims:
    """What calls of one kind came to. `speech` is what passed the sound gate, in seconds as all
    times; `enough` and `scored` count windows, `abstained` them by reason, `cues` onsets."""

    calls: int = 0
    seconds: float = 0.0
    speech: float = 0.0
    windows: int = 0
    enough: int = 0
    scored: int = 0
    abstained: Counter[str] = field(default_factory=Counter)
    cues: Counter[str] = field(default_factory=Counter)

    def add(self, other: Claims) -> None:
        self.calls += other.calls
        self.seconds += other.seconds
        self.speech += other.speech
        self.windows += other.windows
        self.enough += other.enough
        self.scored += other.scored
        self.abstained += other.abstained
        self.cues += other.cues

    @property
    def share_passed(self) -> float:
        return self.speech / self.seconds if self.seconds else 0.0

    @property
    def share_scored(self) -> float:
        """Of the windows with enough speech; 1 where there is none."""
        return self.scored / self.enough if self.enough else 1.0

    def figures(self) -> dict[str, object]:
        """As the report has it."""
        return {
            "calls": self.calls,
            "seconds": self.seconds,
            "share_passed": self.share_passed,
            "windows": self.windows,
            "enough": self.enough,
            "scored": self.scored,
            "abstained": dict(self.abstained),
            "cues": dict(self.cues),
        }


def claims(events: Iterable[object]) -> Claims:
    """One call's events, counted."""
    found = Claims(calls=1)
    for event in events:
        match event:
            case EmotionScore():
                found.windows += 1
                found.enough += event.evidence >= ENOUGH_SPEECH
                found.scored += event.abstain is None
                if event.abstain is not None:
                    found.abstained[event.abstain.name] += 1
            case Cue(phase=CuePhase.ONSET) if event.kind in EMOTIONS:
                found.cues[event.kind.name] += 1
            case CallSummary():
                found.seconds += seconds(event.duration)
                found.speech += seconds(sum(leg.speech for leg in event.legs))
    return found


def hear(samples: FloatArray, scorer: Scorer) -> Claims:
    """Float32 (n,) at 8 kHz as the µ-law leg of a customer who has agreed."""
    channel = Channel(SAMPLE_RATE_HERTZ, samples)
    legs = as_legs([channel], [Party.CUSTOMER], Encoding.PCMU)
    config = CallConfig(
        call_id="benchmark",
        legs=tuple(leg.config for leg in legs),
        pacing=Pacing.RECORDED,
        disclosure_given=True,
        consent=Consent.GRANTED,
    )
    return claims(analyze(config, cut(legs, CHUNK_MS), scorer))


def hear_all(
    sounds: Sequence[NonSpeech], model: Path, processes: int
) -> Iterator[tuple[str, Claims]]:
    """Each sound's kind and claims, in order."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(partial(_hear, model=model), sounds, chunksize=4)


def _hear(sound: NonSpeech, model: Path) -> tuple[str, Claims]:
    return sound.kind, hear(sound.make(), _scorer(model))


@lru_cache(maxsize=1)
def _scorer(model: Path) -> Scorer:
    return load_scorer(model)
