"""Fits the network to windows of labelled clips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import Typical
from emotion_service.scoring.model import LABELS
from emotion_service.training.network import EmotionNetwork
from emotion_service.training.prepare import Example, heard_before
from emotion_service.training.recipe import Recipe
from emotion_service.types import MEL_BANDS, FloatArray

MARGIN_FRAMES = 40  # of padding kept before a batch's longest window: what convolutions see


@dataclass(frozen=True, slots=True)
class Batch:
    frames: Tensor
    voice: Tensor
    context: Tensor
    labels: Tensor


def fit(
    examples: Sequence[Example],
    typical: dict[str, Typical],
    recipe: Recipe,
    on_epoch: Callable[[int, float], None],
) -> EmotionNetwork:
    """The averaged network after all epochs; `on_epoch(epoch, mean loss)` tells how it goes.

    Raises:
        CorpusError: a label has no clip to learn from.
    """
    torch.manual_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    network = EmotionNetwork()
    averaged = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.averaging),
        use_buffers=True,
    )
    loss_of = nn.CrossEntropyLoss(_class_weights(examples), label_smoothing=recipe.label_smoothing)
    optimiser = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = -(-len(examples) * recipe.draws // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=steps * recipe.epochs
    )
    network.train()
    for epoch in range(recipe.epochs):
        losses = []
        for batch in _epoch(examples, typical, recipe, random):
            optimiser.zero_grad()
            loss = loss_of(network(batch.frames, batch.voice, batch.context), batch.labels)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(network)
            losses.append(loss.item())
        on_epoch(epoch, float(np.mean(losses)))
    fitted: EmotionNetwork = averaged.module
    fitted.eval()
    return fitted


def _class_weights(examples: Sequence[Example]) -> Tensor:
    numbers = [sum(e.clip.emotion == label for e in examples) for label in LABELS]
    if 0 in numbers:
        raise CorpusError(
            f"there is no clip of {LABELS[numbers.index(0)]} to learn from: add speakers who show "
            "it, or another --corpus"
        )
    counts = torch.tensor(numbers, dtype=torch.float32)
    return counts.mean() / counts


def _epoch(
    examples: Sequence[Example],
    typical: dict[str, Typical],
    recipe: Recipe,
    random: np.random.Generator,
) -> list[Batch]:
    by_speaker: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_speaker[example.clip.speaker].append(example)
    order = random.permutation(np.repeat(np.arange(len(examples)), recipe.draws))
    drawn = [
        _draw(examples[i], by_speaker[examples[i].clip.speaker], typical, random)
        for i in order
        if examples[i].plain.usable
    ]
    # Batches of similar length need less padding; their order stays random.
    drawn.sort(key=lambda d: int(d[1].argmax()))
    starts = random.permutation(np.arange(0, len(drawn), recipe.batch))
    return [_batch(drawn[at : at + recipe.batch], random) for at in starts]


_Drawn = tuple[FloatArray, FloatArray, tuple[float, float, float], int]


def _draw(
    example: Example,
    same_speaker: Sequence[Example],
    typical: dict[str, Typical],
    random: np.random.Generator,
) -> _Drawn:
    """One window of one variant: half the time the clip's last, with a random history."""
    usable = [variant for variant in example.variants if variant.usable]
    windows = usable[random.integers(len(usable))]
    last = random.random() < 0.5
    index = windows.usable[-1] if last else int(random.choice(windows.usable))
    frames, voice = windows.inputs(index)
    context = windows.contexts(heard_before(same_speaker, typical, random))[index]
    return frames, voice, context, LABELS.index(example.clip.emotion)


def _batch(drawn: Sequence[_Drawn], random: np.random.Generator) -> Batch:
    frames = np.stack([d[0] for d in drawn])
    voice = np.stack([d[1] for d in drawn])
    first = max(0, int(voice.any(axis=0).argmax()) - MARGIN_FRAMES) // 4 * 4
    return Batch(
        torch.from_numpy(_masked(frames[:, first:], voice[:, first:], random)),
        torch.from_numpy(voice[:, first:]),
        torch.tensor([d[2] for d in drawn], dtype=torch.float32),
        torch.tensor([d[3] for d in drawn]),
    )


def _masked(frames: FloatArray, voice: FloatArray, random: np.random.Generator) -> FloatArray:
    """Hides a few bands and a short stretch of each window (SpecAugment, Park et al. 2019)."""
    frames = frames.copy()
    for window, speech in zip(frames, voice, strict=True):
        mean = window[speech > 0, :MEL_BANDS].mean(axis=0)
        band, width = random.integers(0, MEL_BANDS - 8), random.integers(0, 9)
        window[:, band : band + width] = mean[band : band + width]
        at, length = random.integers(0, len(window) - 30), random.integers(0, 31)
        window[at : at + length, :MEL_BANDS] = mean
    return frames
