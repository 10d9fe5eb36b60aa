"""What is asked of the scorer, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from emotion_service.scoring.speaker import Speaker
from emotion_service.types import EmotionScore, Permit, Quality, VoicedAudio


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """Score the window of `permit.leg` that ends where `audio` ends.

    `audio` holds the frames that `speaker` has not seen yet, with their context. Requests of
    one speaker must be scored in order; those of different speakers in any order or batch.
    """

    permit: Permit
    sequence: int
    audio: VoicedAudio
    speaker: Speaker
    quality: Quality

    @property
    def leg(self) -> str:
        return self.permit.leg

    @property
    def end(self) -> int:
        return self.audio.end


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """Scores in the order of the requests, and what the two stages took for all together."""

    scores: list[EmotionScore]
    features_ms: float
    model_ms: float
