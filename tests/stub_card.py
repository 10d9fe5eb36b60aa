"""What a stub says of itself where a model is expected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.model import CONTEXT_NAMES, OUTPUTS, ModelCard
from emotion_service.scoring.speaker import WINDOW_FRAMES
from emotion_service.types import FEATURE_NAMES, FEATURE_VERSION, HOP

TYPICAL = {name: Typical(4.0, 2.0) for name in QUANTITIES}


def stub_card(name: str, **changes: Any) -> ModelCard:
    """The card of a model that fits this service."""
    card = ModelCard(
        name=name,
        version="1",
        licence="CC0-1.0",
        feature_version=FEATURE_VERSION,
        feature_names=FEATURE_NAMES,
        context_names=CONTEXT_NAMES,
        hop_samples=HOP,
        window_frames=WINDOW_FRAMES,
        labels=OUTPUTS,
        arousal={"anger": 1.0, "happiness": 1.0, "sadness": 0.0, "neutral": 0.0},
        valence={"anger": 0.0, "happiness": 1.0, "sadness": 0.0, "neutral": 0.5},
        typical=TYPICAL,
        training_speakers=(),
        onnx_sha256="0" * 64,
    )
    return replace(card, **changes)
