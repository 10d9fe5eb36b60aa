"""What several folders of tests share: labelled corpora, sounds heard as a leg hears them, a
voice that is made up, and a tiny model folder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import structlog
from hypothesis import settings
from scipy.signal import lfilter

from emotion_service import cli
from emotion_service.audio.gate import SoundGate
from emotion_service.audio.level import Level
from emotion_service.audio.vad import VoiceDetector
from emotion_service.scoring.baseline import QUANTITIES
from emotion_service.scoring.model import CONTEXT_NAMES, OUTPUTS
from emotion_service.scoring.speaker import WINDOW_FRAMES
from emotion_service.types import (
    BLOCK,
    FEATURE_NAMES,
    FEATURE_VERSION,
    HOP,
    SAMPLE_RATE_HERTZ,
    BoolArray,
    FloatArray,
    Sound,
)

# Properties are checked, not the pace of the machine that checks them; where a change is let in,
# by the same examples every time. New ones are looked for wherever people work on it.
settings.register_profile("here", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "here")

Voice: TypeAlias = Callable[[float, int], FloatArray]
Hear: TypeAlias = Callable[[FloatArray], tuple[FloatArray, BoolArray, list[Sound]]]


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of labelled corpora; without one the test says so and is skipped."""
    folder = os.environ.get("EMOTION_CORPORA")
    if not folder:
        pytest.skip("needs labelled speech: set EMOTION_CORPORA to the folder of the corpora")
    return Path(folder)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["emotion-service", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return call


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undoes what `logs.configure` does to the process, as whoever calls `serve` in it has."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    root.handlers, root.level = handlers, level
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def hear() -> Hear:
    """A leg's stages in their order, on whole blocks: levelled audio, voice, sounds."""

    def stages(samples: FloatArray) -> tuple[FloatArray, BoolArray, list[Sound]]:
        whole = samples[: len(samples) // BLOCK * BLOCK].astype(np.float32)
        levelled = Level().apply(whole)
        voice = VoiceDetector().detect(levelled)
        return levelled, voice, SoundGate().classify(levelled, voice)

    return stages


@pytest.fixture(scope="session")
def speech() -> Voice:
    """`speech(seconds, seed)`: a voice, float32 (n,) at 8 kHz, about -26 dBov.

    Phrases of syllables, from the first sample on: each phrase has a pitch of its own, each
    syllable a glide and a vowel; between them is a breath of hiss, between phrases half a second
    of faint noise.
    """

    def speech(seconds: float, seed: int) -> FloatArray:
        random = np.random.default_rng(seed)
        parts: list[FloatArray] = []
        while sum(map(len, parts)) < seconds * SAMPLE_RATE_HERTZ:
            hertz = random.uniform(110, 230)
            for _ in range(random.integers(6, 14)):
                parts.append(_syllable(hertz, random))
                parts.append(_noise(random.uniform(0.03, 0.06), 8e-3, random))
            parts.append(_noise(0.5, 2e-4, random))
        return np.concatenate(parts)[: int(seconds * SAMPLE_RATE_HERTZ)]

    return speech


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound model folder, 20 KB; copy it before you damage it."""
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("model") / "tiny-1"
    folder.mkdir()
    onnx = _tiny_onnx()
    (folder / "model.onnx").write_bytes(onnx)
    (folder / "model.json").write_text(json.dumps(_card(onnx)), encoding="utf-8")
    inputs = _windows(3)
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    rows = [session.run(None, {k: v[i, None] for k, v in inputs.items()})[0] for i in range(3)]
    arrays: dict[str, Any] = {**inputs, "probabilities": np.concatenate(rows)}
    np.savez(folder / "golden.npz", **arrays)
    return folder


def _tiny_onnx() -> bytes:
    """softmax(W · [mean over time of voice × frames, context]): all inputs count.

    Non-speech has the emotions' mean logit: it counts, but it never wins.
    """
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    emotions = np.random.default_rng(0).normal(0, 0.3, (len(FEATURE_NAMES) + 3, 4))
    weights = np.column_stack([emotions, emotions.mean(axis=1)])
    nodes = [
        helper.make_node("Unsqueeze", ["voice", "last"], ["mask"]),
        helper.make_node("Mul", ["frames", "mask"], ["voiced"]),
        helper.make_node("ReduceMean", ["voiced", "time"], ["mean"], keepdims=0),
        helper.make_node("Concat", ["mean", "context"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    shapes = {"frames": (1, 400, 48), "voice": (1, 400), "context": (1, 3)}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [_tensor(helper, TensorProto, name, shape) for name, shape in shapes.items()],
        [_tensor(helper, TensorProto, "probabilities", (1, 5))],
        [
            numpy_helper.from_array(weights.astype(np.float32), "weights"),
            numpy_helper.from_array(np.array([2], np.int64), "last"),
            numpy_helper.from_array(np.array([1], np.int64), "time"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    data: bytes = model.SerializeToString()
    return data


def _tensor(helper: Any, kinds: Any, name: str, shape: tuple[int, ...]) -> Any:
    return helper.make_tensor_value_info(name, kinds.FLOAT, shape)


def _card(onnx: bytes) -> dict[str, object]:
    return {
        "name": "tiny",
        "version": "1",
        "licence": "CC0-1.0",
        "feature_version": FEATURE_VERSION,
        "feature_names": FEATURE_NAMES,
        "context_names": CONTEXT_NAMES,
        "hop_samples": HOP,
        "window_frames": WINDOW_FRAMES,
        "labels": OUTPUTS,
        "arousal": {"anger": 0.9, "happiness": 0.8, "sadness": 0.1, "neutral": 0.3},
        "valence": {"anger": 0.1, "happiness": 0.9, "sadness": 0.2, "neutral": 0.5},
        "typical": {name: {"mean": 4.0, "deviation": 2.0} for name in QUANTITIES},
        "training_speakers": ["one", "two"],
        "onnx_sha256": hashlib.sha256(onnx).hexdigest(),
    }


def _windows(count: int) -> dict[str, FloatArray]:
    rng = np.random.default_rng(1)
    return {
        "frames": rng.normal(0, 1, (count, WINDOW_FRAMES, len(FEATURE_NAMES))).astype(np.float32),
        "voice": rng.integers(0, 2, (count, WINDOW_FRAMES)).astype(np.float32),
        "context": rng.normal(4, 1, (count, len(CONTEXT_NAMES))).astype(np.float32),
    }


def _syllable(hertz: float, random: np.random.Generator) -> FloatArray:
    """Pulses of a gliding pitch through the resonances of some vowel."""
    length = int(random.uniform(0.10, 0.22) * SAMPLE_RATE_HERTZ)
    glide = np.linspace(hertz * random.uniform(0.75, 1.25), hertz, length)
    voice = np.diff(np.floor(np.cumsum(glide) / SAMPLE_RATE_HERTZ), prepend=0.0)
    for formant in (random.uniform(300, 800), random.uniform(900, 2100), 2600.0):
        radius, angle = np.exp(-np.pi * 90 / SAMPLE_RATE_HERTZ), formant / SAMPLE_RATE_HERTZ
        voice = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * angle), radius**2], voice)
    voice *= np.hanning(length)
    syllable: FloatArray = (0.045 * voice / np.sqrt(np.mean(voice**2))).astype(np.float32)
    return syllable


def _noise(seconds: float, deviation: float, random: np.random.Generator) -> FloatArray:
    length = int(seconds * SAMPLE_RATE_HERTZ)
    noise: FloatArray = random.normal(0.0, deviation, length).astype(np.float32)
    return noise
