"""The scores of simulated calls, from the serving pipeline or, the second time, from a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.alarm_calls import SimulatedCall, Speaker, Stretch, simulate
from emotion_service.app import load_scorer
from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.notice import Ready
from emotion_service.offline import analyze
from emotion_service.recording import Channel, Encoding, as_legs, cut
from emotion_service.scoring.model import read_card
from emotion_service.types import (
    FEATURE_VERSION,
    SAMPLE_RATE_HERTZ,
    Abstain,
    CallConfig,
    CallEvent,
    Consent,
    EmotionScore,
    FloatArray,
    Indices,
    Pacing,
    Party,
    Permit,
    Probabilities,
    Quality,
)

CHUNK_MS = 1000
CALLS_VERSION = "1"  # a change of the simulated calls changes this
PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)


@dataclass(frozen=True, slots=True)
class ScoredCall:
    """What the cues are made of, the reasons left out; `duration` in samples."""

    speaker: str
    corpus: str
    duration: int
    stretches: tuple[Stretch, ...]
    scores: tuple[EmotionScore, ...]


def scored(speaker: Speaker, seed: int, cache: Path) -> ScoredCall:
    """The speaker's call with this seed, scored by his model; kept in `cache` from then on."""
    kept = cache / f"{_key(speaker, seed)}.json"
    if not kept.is_file():
        call = simulate(speaker.clips, speaker.name, seed)
        scores = scores_of(call.samples, _scorer(speaker.model))
        cache.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps(_written(call, scores)), encoding="utf-8")
        partial.rename(kept)
    return _read(speaker, json.loads(kept.read_text(encoding="utf-8")))


def scores_of(samples: FloatArray, scorer: Scorer) -> list[EmotionScore]:
    return [event for event in events(samples, scorer) if isinstance(event, EmotionScore)]


def events(samples: FloatArray, scorer: Scorer) -> list[CallEvent]:
    """What a server says of float32 (n,) at 8 kHz, the µ-law leg of a customer who agreed."""
    legs = as_legs([Channel(SAMPLE_RATE_HERTZ, samples)], [Party.CUSTOMER], Encoding.PCMU)
    config = CallConfig(
        call_id="benchmark",
        legs=tuple(leg.config for leg in legs),
        pacing=Pacing.RECORDED,
        disclosure_given=True,
        consent=Consent.GRANTED,
    )
    told = analyze(config, cut(legs, CHUNK_MS), scorer)
    return [event for event in told if not isinstance(event, Ready)]


@lru_cache(maxsize=1)
def _scorer(model: Path) -> Scorer:
    return load_scorer(model)


def _key(speaker: Speaker, seed: int) -> str:
    """Of all that the scores depend on: a clip counts by its name and its file's size."""
    clips = [(clip.path.name, clip.emotion, clip.path.stat().st_size) for clip in speaker.clips]
    onnx = read_card(speaker.model).onnx_sha256
    of = (CALLS_VERSION, FEATURE_VERSION, onnx, speaker.corpus, speaker.name, seed, clips)
    return hashlib.sha256(repr(of).encode()).hexdigest()[:32]


def _written(call: SimulatedCall, scores: list[EmotionScore]) -> dict[str, object]:
    """Floats survive JSON bit for bit."""
    return {
        "duration": len(call.samples),
        "stretches": [asdict(stretch) for stretch in call.stretches],
        "scores": [
            {
                "start": score.start,
                "end": score.end,
                "evidence": score.evidence,
                "provisional": score.provisional,
                "abstain": score.abstain and score.abstain.name,
                "non_speech": score.non_speech,
                "probabilities": score.probabilities and asdict(score.probabilities),
                "indices": score.indices and asdict(score.indices),
            }
            for score in scores
        ],
    }


def _read(speaker: Speaker, written: dict[str, Any]) -> ScoredCall:
    return ScoredCall(
        speaker.name,
        speaker.corpus,
        written["duration"],
        tuple(Stretch(**stretch) for stretch in written["stretches"]),
        tuple(_score(number, score) for number, score in enumerate(written["scores"])),
    )


def _score(number: int, written: dict[str, Any]) -> EmotionScore:
    abstain, probabilities = written["abstain"], written["probabilities"]
    return EmotionScore(
        permit=PERMIT,
        sequence=number,
        start=written["start"],
        end=written["end"],
        evidence=written["evidence"],
        quality=Quality(),
        model_version="",
        probabilities=Probabilities(**probabilities) if probabilities else None,
        indices=Indices(**written["indices"]) if probabilities else None,
        provisional=written["provisional"],
        abstain=Abstain[abstain] if abstain else None,
        reasons=(),
        non_speech=written["non_speech"],
    )
