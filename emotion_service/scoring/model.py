"""A model folder: checked, loaded and replayed before anything is scored with it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from emotion_service.errors import ModelMismatch
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.speaker import WINDOW_FRAMES
from emotion_service.types import FEATURE_NAMES, FEATURE_VERSION, HOP, FloatArray

LABELS = ("anger", "happiness", "sadness", "neutral")
CONTEXT_NAMES = ("usual_log_f0", "pace", "usual_pace")
GOLDEN_TOLERANCE = 1e-3  # of a probability, across processors


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What model.json says; the keys are the fields."""

    name: str
    version: str
    licence: str
    feature_version: str
    feature_names: tuple[str, ...]
    context_names: tuple[str, ...]
    hop_samples: int
    window_frames: int
    labels: tuple[str, ...]
    arousal: Mapping[str, float]
    valence: Mapping[str, float]
    typical: Mapping[str, Typical]
    training_speakers: tuple[str, ...]
    onnx_sha256: str


class EmotionModel:
    """An immutable model: windows in, calibrated probabilities out."""

    def __init__(self, card: ModelCard, onnx: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.card = card
        self._session = onnxruntime.InferenceSession(
            onnx, options, providers=["CPUExecutionProvider"]
        )

    def run(self, frames: FloatArray, voice: FloatArray, context: FloatArray) -> FloatArray:
        """Float32 (b, 400, F), (b, 400) and (b, 3) to probabilities (b, 4) in LABELS' order.

        One window at a time: batches cost no less a window, and their size changes the
        rounding, so that a score would depend on who shares its batch.
        """
        rows = [
            self._session.run(
                ["probabilities"],
                {"frames": frames[i, None], "voice": voice[i, None], "context": context[i, None]},
            )[0]
            for i in range(len(frames))
        ]
        probabilities: FloatArray = np.concatenate(rows)
        return probabilities


def load(folder: Path) -> EmotionModel:
    """Loads and proves a model folder.

    Raises:
        ModelMismatch: a file is missing or altered, the model was made for other features, or
            the golden replay differs.
    """
    card, onnx = read_card(folder), _read(folder / "model.onnx")
    digest = hashlib.sha256(onnx).hexdigest()
    if digest != card.onnx_sha256:
        raise ModelMismatch(
            f"{folder / 'model.onnx'} has SHA-256 {digest}, model.json expects "
            f"{card.onnx_sha256}: the file was altered or only half replaced; restore the folder"
        )
    _expect(folder, "feature_version", card.feature_version, FEATURE_VERSION)
    _expect(folder, "feature_names", card.feature_names, FEATURE_NAMES)
    _expect(folder, "context_names", card.context_names, CONTEXT_NAMES)
    _expect(folder, "hop_samples", card.hop_samples, HOP)
    _expect(folder, "window_frames", card.window_frames, WINDOW_FRAMES)
    _expect(folder, "labels", card.labels, LABELS)
    _expect(folder, "typical", tuple(card.typical), tuple(QUANTITIES))
    model = EmotionModel(card, onnx)
    _replay(model, folder / "golden.npz")
    return model


def read_card(folder: Path) -> ModelCard:
    """model.json as a ModelCard.

    Raises:
        ModelMismatch: it is missing, not JSON, or lacks a field.
    """
    try:
        fields = json.loads(_read(folder / "model.json"))
        typical = {name: Typical(**value) for name, value in fields["typical"].items()}
        values: dict[str, Any] = {
            field.name: tuple(value) if isinstance(value := fields[field.name], list) else value
            for field in dataclasses.fields(ModelCard)
        }
        return ModelCard(**{**values, "typical": typical})
    except (ValueError, TypeError) as error:
        raise ModelMismatch(f"{folder / 'model.json'} cannot be read: {error}") from error
    except KeyError as error:
        raise ModelMismatch(f"{folder / 'model.json'} lacks the field {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelMismatch(
            f"{path} cannot be read ({error.strerror}): a model folder holds model.onnx, "
            "model.json and golden.npz; give one with --model"
        ) from error


def _expect(folder: Path, name: str, given: object, expected: object) -> None:
    if given != expected:
        raise ModelMismatch(
            f"{folder / 'model.json'}: {name} is {given!r}, this service computes {expected!r}: "
            "use a model exported by this version, or the version that exported the model"
        )


def _replay(model: EmotionModel, path: Path) -> None:
    _read(path)
    with np.load(path, allow_pickle=False) as golden:
        expected = golden["probabilities"]
        given = model.run(golden["frames"], golden["voice"], golden["context"])
    difference = float(np.abs(given - expected).max())
    if not difference <= GOLDEN_TOLERANCE:
        raise ModelMismatch(
            f"{path}: the replay differs by {difference:.2g}, at most {GOLDEN_TOLERANCE} is "
            "allowed: this ONNX Runtime or processor computes something else; do not serve"
        )
