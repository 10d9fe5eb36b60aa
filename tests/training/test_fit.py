"""A fit runs, learns, and is the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import torch

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.model import LABELS
from emotion_service.training.corpus import Clip
from emotion_service.training.evaluate import judge_cold, uar
from emotion_service.training.fit import fit
from emotion_service.training.network import EmotionNetwork
from emotion_service.training.prepare import Example, typical_of
from emotion_service.training.recipe import Recipe
from emotion_service.training.windows import ClipWindows, Shown
from emotion_service.types import FEATURE_NAMES, TILT, Prosody

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = Recipe(seed=5, epochs=2, draws=1, batch=4)


def fitted(examples: list[Example], recipe: Recipe) -> tuple[EmotionNetwork, list[float]]:
    losses: list[float] = []
    epochs: list[int] = []

    def on_epoch(epoch: int, loss: float) -> None:
        epochs.append(epoch)
        losses.append(loss)

    network = fit(examples, typical_of(examples), recipe, on_epoch)
    assert epochs == list(range(recipe.epochs))
    return network, losses


def weights(network: EmotionNetwork) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}


def test_the_same_seed_gives_the_same_network(examples: list[Example]) -> None:
    (first, losses), (again, same_losses) = (fitted(examples, RECIPE) for _ in range(2))
    assert losses == same_losses
    assert weights(first) == weights(again)
    other, _ = fitted(examples, replace(RECIPE, seed=6))
    assert weights(first) != weights(other)


def test_the_network_comes_ready_to_judge(examples: list[Example]) -> None:
    network, losses = fitted(examples, RECIPE)
    assert not network.training
    assert np.isfinite(losses).all()
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def plain(emotion: str) -> Example:
    """A second of frames that differ between the emotions in tilt, by 10 dB an octave."""
    values = np.zeros((100, len(FEATURE_NAMES)), np.float32)
    values[:, TILT] = 10 * LABELS.index(emotion) - 20
    shown = Shown(0, 100, Prosody(8000, None, None, 4.0, None, None), 8000)
    clip = Clip("plain", Path(f"{emotion}.flac"), "ann", "f", "en", emotion)
    return Example(clip, (ClipWindows(values, np.ones(100, np.bool_), (shown,)),))


def test_a_fit_learns() -> None:
    """Chance is ln 4 = 1.39."""
    examples = [plain(emotion) for emotion in LABELS]
    typical = {name: Typical(4.0, 2.0) for name in QUANTITIES}
    recipe = Recipe(epochs=20, draws=4, batch=8, label_smoothing=0.0, averaging=0.5)
    losses: list[float] = []
    network = fit(examples, typical, recipe, lambda _, loss: losses.append(loss))
    assert 1.2 < losses[0] < 1.6
    assert losses[-1] < 0.7
    assert uar(judge_cold(network, examples, typical)) == 1.0


def test_a_label_without_clips_is_refused(examples: list[Example]) -> None:
    cheerful = [example for example in examples if example.clip.emotion != "sadness"]
    with pytest.raises(CorpusError, match="no clip of sadness"):
        fitted(cheerful, RECIPE)
