"""A model folder says what the network says, describes itself, and is what serving accepts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")
pytest.importorskip("onnx", reason="needs the extra [train]: make train-environment")

import torch

from emotion_service.calls.scorer import Scorer
from emotion_service.errors import ModelMismatch
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.model import load
from emotion_service.training.fitting.export import AROUSAL, VALENCE, Origin, export
from emotion_service.training.fitting.fitted import Fitted
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.prepare import Example
from emotion_service.types import FEATURE_NAMES, FloatArray

pytestmark = pytest.mark.usefixtures("one_thread")

TYPICAL = {name: Typical(4.0 + n, 1.5) for n, name in enumerate(QUANTITIES)}
ORIGIN = Origin(name="tiny", version="7", licence="CC0-1.0", temperature=2.5)


def fitted(network: EmotionNetwork) -> Fitted:
    return Fitted(network, TYPICAL, ("one", "two"), ("ann", "bob"))


def unfitted(seed: int) -> EmotionNetwork:
    """A network that says something, though nothing sensible."""
    torch.manual_seed(seed)
    network = EmotionNetwork()
    with torch.no_grad():
        for listener in (network.contours, network.functionals):
            listener.classifier[-1].weight.mul_(20.0)
    network.eval()
    return network


@pytest.fixture(scope="module")
def network() -> EmotionNetwork:
    return unfitted(3)


@pytest.fixture(scope="module")
def folder(network: EmotionNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-7"
    export(fitted(network), ORIGIN, folder)
    return folder


def said(network: EmotionNetwork, *inputs: FloatArray) -> FloatArray:
    """The network's own probabilities, at ORIGIN's temperature."""
    with torch.no_grad():
        logits = network(*(torch.from_numpy(array) for array in inputs))
        probabilities: FloatArray = torch.softmax(logits / 2.5, dim=1).numpy()
    return probabilities


def test_random_windows_give_what_the_network_gives(network: EmotionNetwork, folder: Path) -> None:
    random = np.random.default_rng(0)
    frames = random.normal(0, 3, (6, 400, len(FEATURE_NAMES))).astype(np.float32)
    voice = (random.random((6, 400)) < 0.7).astype(np.float32)
    context = random.normal(5, 1, (6, 3)).astype(np.float32)
    given = load(folder).run(frames, voice, context)
    assert given == pytest.approx(said(network, frames, voice, context), abs=1e-5)
    assert np.ptp(given, axis=0).min() > 0.01  # there is something to differ in


def test_clips_give_what_the_network_gives(
    network: EmotionNetwork, folder: Path, examples: list[Example]
) -> None:
    model = load(folder)
    for plain in (example.plain for example in examples[:3]):
        frames, voice = plain.inputs(plain.usable[-1])
        inputs = (frames[None], voice[None], np.array([[5.0, 4.5, 5.0]], np.float32))
        assert model.run(*inputs) == pytest.approx(said(network, *inputs), abs=1e-5)


def test_the_card_says_where_the_model_comes_from(folder: Path) -> None:
    card = json.loads((folder / "model.json").read_text())
    assert {name: card[name] for name in ("name", "version", "licence", "temperature")} == {
        "name": "tiny",
        "version": "7",
        "licence": "CC0-1.0",
        "temperature": 2.5,
    }
    assert (card["data"], card["training_speakers"]) == (["one", "two"], ["ann", "bob"])
    assert (card["arousal"], card["valence"]) == (AROUSAL, VALENCE)
    assert card["onnx_sha256"] == hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    scorer = Scorer(load(folder))
    assert scorer.model_version == "tiny-7"
    assert scorer.model_licence == "CC0-1.0"
    assert scorer.new_speaker().baseline.mean("pitch") == 4.0


def test_the_golden_windows_are_of_a_voice_and_replay(
    network: EmotionNetwork, folder: Path
) -> None:
    with np.load(folder / "golden.npz") as file:
        golden = {name: file[name] for name in file.files}
    inputs = (golden["frames"], golden["voice"], golden["context"])
    assert len(golden["frames"]) >= 6
    assert golden["voice"].sum(axis=1).min() >= 60
    assert golden["probabilities"] == pytest.approx(said(network, *inputs), abs=1e-5)
    assert np.array_equal(load(folder).run(*inputs), golden["probabilities"])


def test_another_network_does_not_replay(folder: Path, tmp_path: Path) -> None:
    export(fitted(unfitted(4)), ORIGIN, tmp_path)
    (tmp_path / "golden.npz").write_bytes((folder / "golden.npz").read_bytes())
    with pytest.raises(ModelMismatch, match="the replay differs"):
        load(tmp_path)


def test_a_folder_is_small_enough_to_travel(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000
