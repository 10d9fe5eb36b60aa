"""A fitted network as a model folder that describes and proves itself."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emotion_service.scoring.baseline import Baseline, Typical
from emotion_service.scoring.model import (
    CONTEXT_NAMES,
    OUTPUTS,
    EmotionModel,
    load,
    read_card,
)
from emotion_service.scoring.speaker import WINDOW_FRAMES
from emotion_service.training.fitting.fitted import Fitted
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.windows import windows_of
from emotion_service.types import FEATURE_NAMES, FEATURE_VERSION, HOP, SAMPLE_RATE_HERTZ, FloatArray

# Where the four categories lie on the two axes, 0..1, after Russell's circumplex (1980).
AROUSAL = {"anger": 0.9, "happiness": 0.8, "sadness": 0.15, "neutral": 0.3}
VALENCE = {"anger": 0.1, "happiness": 0.9, "sadness": 0.2, "neutral": 0.5}
OPSET = 18
GOLDEN_SECONDS = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """What a fit does not know of the model it becomes; goes into model.json as it is."""

    name: str
    version: str
    licence: str
    temperature: float


class Calibrated(nn.Module):
    """The network with its temperature: what is exported."""

    def __init__(self, network: EmotionNetwork, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, frames: Tensor, voice: Tensor, context: Tensor) -> Tensor:
        return torch.softmax(self.network(frames, voice, context) / self.temperature, dim=1)


def export(fitted: Fitted, origin: Origin, folder: Path) -> EmotionModel:
    """Writes model.onnx, model.json and golden.npz, then loads them as serving would."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx = _write_onnx(Calibrated(fitted.network, origin.temperature).eval(), folder / "model.onnx")
    card = {
        **asdict(origin),
        "data": fitted.data,
        "training_speakers": fitted.training_speakers,
        "feature_version": FEATURE_VERSION,
        "feature_names": FEATURE_NAMES,
        "context_names": CONTEXT_NAMES,
        "hop_samples": HOP,
        "window_frames": WINDOW_FRAMES,
        "labels": OUTPUTS,
        "arousal": AROUSAL,
        "valence": VALENCE,
        "typical": {name: asdict(value) for name, value in fitted.typical.items()},
        "onnx_sha256": hashlib.sha256(onnx).hexdigest(),
    }
    (folder / "model.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    frames, voice, context = _golden_inputs(fitted.typical)
    expected = EmotionModel(read_card(folder), onnx).run(frames, voice, context)
    np.savez_compressed(
        folder / "golden.npz", frames=frames, voice=voice, context=context, probabilities=expected
    )
    return load(folder)


def _write_onnx(module: Calibrated, path: Path) -> bytes:
    example = (
        torch.zeros(1, WINDOW_FRAMES, len(FEATURE_NAMES)),
        torch.ones(1, WINDOW_FRAMES),
        torch.zeros(1, len(CONTEXT_NAMES)),
    )
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but keeps the GRU one operator; see model-log.md.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            example,
            str(path),
            input_names=["frames", "voice", "context"],
            output_names=["probabilities"],
            opset_version=OPSET,
            dynamo=False,
        )
    return path.read_bytes()


def _golden_inputs(typical: Mapping[str, Typical]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Windows of a made-up voice: no recording has to travel with the model."""
    windows = windows_of(_hum(), "audio/PCMU")
    usable = windows.usable
    inputs = [windows.inputs(index) for index in usable]
    contexts = windows.contexts(Baseline(typical))
    return (
        np.stack([frames for frames, _ in inputs]),
        np.stack([voice for _, voice in inputs]),
        np.array([contexts[index] for index in usable], np.float32),
    )


def _hum() -> FloatArray:
    """Syllables of gliding harmonics with noise between: enough to be taken for a voice."""
    time = np.arange(GOLDEN_SECONDS * SAMPLE_RATE_HERTZ) / SAMPLE_RATE_HERTZ
    phase = 2 * np.pi * np.cumsum(140 + 40 * np.sin(2 * np.pi * 0.7 * time)) / SAMPLE_RATE_HERTZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 4 * time), 0.0, 1.0)
    noise = np.random.default_rng(1).normal(0.0, 0.003, len(time))
    return (0.08 * voice * syllables + noise).astype(np.float32)
