"""A fit runs, learns, and is the same for the same seed."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import torch

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.model import LABELS
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.fitting.fit import fit, watched
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.prepare import Example, typical_of
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.fitting.windows import ClipWindows, Shown
from emotion_service.training.judging.evaluate import judge_cold, uar
from emotion_service.types import FEATURE_NAMES, TILT, Prosody

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = Recipe(seed=5, epochs=3, draws=1, batch=4)


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


class Interrupted(Exception):
    pass


def test_an_interrupted_fit_goes_on_to_the_same_network(
    examples: list[Example], tmp_path: Path
) -> None:
    whole, losses = fitted(examples, RECIPE)
    told: list[tuple[int, float]] = []

    def on_epoch(epoch: int, loss: float) -> None:
        told.append((epoch, loss))
        if len(told) == 2:
            raise Interrupted

    for _ in range(2):
        with contextlib.suppress(Interrupted):
            network = fit(
                examples, typical_of(examples), RECIPE, on_epoch, tmp_path / "checkpoint.pt"
            )
    assert told == list(enumerate(losses))
    assert weights(network) == weights(whole)


def test_a_checkpoint_of_another_fit_is_refused(examples: list[Example], tmp_path: Path) -> None:
    path, typical = tmp_path / "checkpoint.pt", typical_of(examples)
    fit(examples, typical, RECIPE, lambda *_: None, path)
    for others, recipe in ((examples[:7], RECIPE), (examples, replace(RECIPE, seed=6))):
        with pytest.raises(CorpusError, match="other clips or another recipe"):
            fit(others, typical, recipe, lambda *_: None, path)


def spoken(speaker: str, emotion: str) -> Example:
    example = plain(emotion)
    return replace(example, clip=replace(example.clip, speaker=speaker))


def test_a_fit_that_gets_no_better_ends_early_with_its_best() -> None:
    """The third speaker's labels say the opposite: learning of the others never helps him."""
    turned = dict(zip(LABELS, reversed(LABELS), strict=True))
    examples = [spoken(name, label) for name in ("ann", "bob", "eve") for label in LABELS]
    recipe = Recipe(epochs=40, draws=4, batch=8, averaging=0.5, patience=3)
    (other,) = watched(examples, recipe)
    contrary = [
        replace(e, clip=replace(e.clip, emotion=turned[e.clip.emotion]))
        if e.clip.speaker == other
        else e
        for e in examples
    ]
    typical = {name: Typical(4.0, 2.0) for name in QUANTITIES}
    agreeing: list[int] = []
    fit(examples, typical, recipe, lambda epoch, _: agreeing.append(epoch))
    opposed: list[int] = []
    fit(contrary, typical, recipe, lambda epoch, _: opposed.append(epoch))
    assert len(opposed) < len(agreeing) <= 40
    assert len(opposed) >= 1 + recipe.patience


def test_nobody_is_kept_out_unasked_or_of_too_few() -> None:
    examples = [spoken(name, label) for name in ("ann", "bob") for label in LABELS]
    assert watched(examples, Recipe(patience=3)) == frozenset()
    assert watched([*examples, spoken("eve", "anger")], Recipe()) == frozenset()


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
    """Both listeners' losses, added up: chance is twice ln 5 = 1.61, soon twice ln 4 = 1.39."""
    examples = [plain(emotion) for emotion in LABELS]
    typical = {name: Typical(4.0, 2.0) for name in QUANTITIES}
    whole = Recipe(history_share=0.0, early_share=0.0, warp=0.0)
    recipe = replace(whole, epochs=40, draws=4, batch=8, label_smoothing=0.0, averaging=0.5)
    losses: list[float] = []
    network = fit(examples, typical, recipe, lambda _, loss: losses.append(loss))
    assert 2.4 < losses[0] < 3.4
    assert losses[-1] < 1.4
    assert uar(judge_cold(network, examples, typical)) == 1.0


def test_a_label_without_clips_is_refused(examples: list[Example]) -> None:
    cheerful = [example for example in examples if example.clip.emotion != "sadness"]
    with pytest.raises(CorpusError, match="no clip of sadness"):
        fitted(cheerful, RECIPE)
