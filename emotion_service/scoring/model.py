"""A model folder: checked, loaded and replayed before anything is scored with it."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

# Read when it is loaded: from 1.29 on it reports machine and model to its maker otherwise.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

from emotion_service.errors import ModelMismatch
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.speaker import WINDOW_FRAMES
from emotion_service.types import FEATURE_NAMES, FEATURE_VERSION, HOP, FloatArray

LABELS = ("anger", "happiness", "sadness", "neutral")  # the emotions
NON_SPEECH = "non_speech"
OUTPUTS = (*LABELS, NON_SPEECH)
CONTEXT_NAMES = ("usual_log_f0", "pace", "usual_pace")
GOLDEN_TOLERANCE = 1e-3  # of a probability, across processors
GOLDEN_SHAPES: dict[str, tuple[int, ...]] = {  # of each window
    "frames": (WINDOW_FRAMES, len(FEATURE_NAMES)),
    "voice": (WINDOW_FRAMES,),
    "context": (len(CONTEXT_NAMES),),
    "probabilities": (len(OUTPUTS),),
}


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

    @property
    def full_name(self) -> str:
        """As scores name the model."""
        return f"{self.name}-{self.version}"


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
        """Float32 (b, 400, F), (b, 400) and (b, 3) to probabilities (b, 5) in OUTPUTS' order.

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


def is_speech(outputs: FloatArray) -> bool:
    """Whether anything may be claimed of a window, by its probabilities or logits (5,) in OUTPUTS'
    order: not where non-speech has the largest of them."""
    emotions, non_speech = np.split(outputs, [len(LABELS)])
    return bool(emotions.max() >= non_speech.item())


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
    _expect(folder, "labels", card.labels, OUTPUTS)
    _expect(folder, "typical", tuple(card.typical), tuple(QUANTITIES))
    return _replayed(card, onnx, folder)


def read_card(folder: Path) -> ModelCard:
    """model.json as a ModelCard.

    Raises:
        ModelMismatch: it is missing, not JSON, lacks a field, or one has a useless value.
    """
    try:
        fields = json.loads(_read(folder / "model.json"))
        typical = {name: Typical(**value) for name, value in fields["typical"].items()}
        values: dict[str, Any] = {
            field.name: tuple(value) if isinstance(value := fields[field.name], list) else value
            for field in dataclasses.fields(ModelCard)
        }
        return _checked(ModelCard(**{**values, "typical": typical}))
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        raise ModelMismatch(
            f"{folder / 'model.json'} cannot be read ({error}): restore the folder"
        ) from error
    except KeyError as error:
        raise ModelMismatch(
            f"{folder / 'model.json'} lacks the field {error}: restore the folder"
        ) from error


def _checked(card: ModelCard) -> ModelCard:
    """What would otherwise be noticed when the first score is due."""
    if not all(isinstance(text, str) for text in (card.name, card.version, card.licence)):
        raise TypeError("name, version and licence are texts")
    if not isinstance(card.training_speakers, tuple):
        raise TypeError("training_speakers is a list")
    if not set(LABELS) == set(card.arousal) == set(card.valence):
        raise ValueError("arousal and valence have a number for each emotion, and no others")
    indices = [*card.arousal.values(), *card.valence.values()]
    if not all(0 <= index <= 1 for index in indices):
        raise ValueError("arousal and valence are numbers from 0 to 1")
    numbers = [
        number for value in card.typical.values() for number in (value.mean, value.deviation)
    ]
    if not np.isfinite(numbers).all() or not all(v.deviation > 0 for v in card.typical.values()):
        raise ValueError("typical holds numbers, deviations above 0")
    return card


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


def _replayed(card: ModelCard, onnx: bytes, folder: Path) -> EmotionModel:
    golden = _golden(folder / "golden.npz")
    try:
        model = EmotionModel(card, onnx)
        given = model.run(golden["frames"], golden["voice"], golden["context"])
        difference = float(np.abs(given - golden["probabilities"]).max())
    except Exception as error:  # ONNX Runtime's errors have no other class in common
        raise ModelMismatch(
            f"{folder / 'model.onnx'} cannot be run ({error}): restore the folder"
        ) from error
    if not difference <= GOLDEN_TOLERANCE:
        raise ModelMismatch(
            f"{folder / 'golden.npz'}: the replay differs by {difference:.2g}, at most "
            f"{GOLDEN_TOLERANCE} is allowed: this ONNX Runtime or processor computes something "
            "else; do not serve"
        )
    return model


def _golden(path: Path) -> dict[str, FloatArray]:
    """The arrays of GOLDEN_SHAPES, float32, of at least one window."""
    content = _read(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            golden: dict[str, FloatArray] = {name: file[name] for name in GOLDEN_SHAPES}
        count = max(1, len(golden["frames"]))
    except UNREADABLE as error:
        raise ModelMismatch(f"{path} cannot be read ({error}): restore the folder") from error
    for name, shape in GOLDEN_SHAPES.items():
        given, expected = (golden[name].dtype.name, golden[name].shape), (count, *shape)
        if given != ("float32", expected):
            raise ModelMismatch(
                f"{path}: {name} is {given[0]} {given[1]}, expected float32 {expected}: restore "
                "the folder"
            )
    return golden


# All that NumPy raises for a file that is cut short, altered, or no .npz at all.
UNREADABLE = (
    *(EOFError, KeyError, MemoryError, OSError, OverflowError, RuntimeError, TypeError, ValueError),
    *(TokenError, zipfile.BadZipFile, zlib.error),
)
