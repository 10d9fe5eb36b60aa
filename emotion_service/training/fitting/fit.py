"""Fits the network to windows of labelled clips; an interrupted fit goes on where it was."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import Typical
from emotion_service.scoring.model import NON_SPEECH
from emotion_service.training.fitting.draw import Draw, cold, stacked
from emotion_service.training.fitting.functionals import functionals
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.prepare import Example
from emotion_service.training.fitting.recipe import Recipe

WATCHED_FROM = 3  # speakers a corpus has before one of them is kept out


class _Best(TypedDict):
    """The averaged network with the least loss on those kept out; none yet without weights."""

    loss: float
    epoch: int
    weights: dict[str, Tensor]


class Fit:
    """A fit between two epochs: the network, its average, the optimiser and all randomness."""

    def __init__(
        self, examples: Sequence[Example], typical: dict[str, Typical], recipe: Recipe
    ) -> None:
        torch.manual_seed(recipe.seed)
        self._random = np.random.default_rng(recipe.seed)
        usable = [example for example in examples if example.plain.usable]
        kept_out = watched(usable, recipe)
        self._examples = [e for e in usable if e.clip.speaker not in kept_out]
        self._kept_out = [e for e in usable if e.clip.speaker in kept_out]
        self._typical, self._recipe = typical, recipe
        self._draw = Draw(self._examples, typical, recipe, self._random)
        self._network = EmotionNetwork()
        self._network.functionals.expect(self._usual())
        self._averaged = torch.optim.swa_utils.AveragedModel(
            self._network,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.averaging),
            use_buffers=True,
        )
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            recipe.learning_rate,
            total_steps=-(-self._draw.count // recipe.batch) * recipe.epochs,
        )
        self.epoch = 0  # the next one
        self._best: _Best = {"loss": float("inf"), "epoch": 0, "weights": {}}

    def run_epoch(self) -> float:
        """The mean loss of one epoch."""
        self._network.train()
        loss_of = nn.CrossEntropyLoss(label_smoothing=self._recipe.label_smoothing)
        losses = []
        for batch in self._draw.epoch():
            self._optimiser.zero_grad()
            said = self._network.opinions(batch.frames, batch.voice, batch.context)
            loss = torch.stack([loss_of(opinion, batch.labels) for opinion in said]).sum()
            loss.backward()
            nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
            self._optimiser.step()
            self._schedule.step()
            self._averaged.update_parameters(self._network)
            losses.append(loss.item())
        self.epoch += 1
        if self._kept_out:
            self._watch()
        return float(np.mean(losses))

    @property
    def is_done(self) -> bool:
        waited = self.epoch - self._best["epoch"]
        patience = self._recipe.patience
        return self.epoch >= self._recipe.epochs or 0 < patience <= waited

    def fitted(self) -> EmotionNetwork:
        """The averaged network, ready to judge: the last, or the best on those kept out."""
        network: EmotionNetwork = self._averaged.module
        if self._best["weights"]:
            network.load_state_dict(self._best["weights"])
        network.eval()
        return network

    def _usual(self) -> Tensor:
        """The functionals of each clip, heard cold."""
        parts = []
        for at in range(0, len(self._examples), self._recipe.batch):
            part = self._examples[at : at + self._recipe.batch]
            heard = stacked([cold(example, self._typical) for example in part])
            parts.append(functionals(heard.frames, heard.voice, heard.context))
        return torch.cat(parts)

    def _watch(self) -> None:
        """Remembers the averaged network if it is the best so far on those kept out."""
        network = self._averaged.module
        network.eval()
        held = stacked([cold(example, self._typical) for example in self._kept_out])
        with torch.no_grad():
            said = network(held.frames, held.voice, held.context)
            loss = float(nn.functional.cross_entropy(said, held.labels))
        if loss < self._best["loss"]:
            weights = {name: value.clone() for name, value in network.state_dict().items()}
            self._best = {"loss": loss, "epoch": self.epoch, "weights": weights}

    def save(self, path: Path) -> None:
        """All that the next epoch depends on."""
        part = path.with_name(path.name + ".part")
        torch.save(
            {
                "key": self._key(),
                "epoch": self.epoch,
                "network": self._network.state_dict(),
                "averaged": self._averaged.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "schedule": self._schedule.state_dict(),
                "best": self._best,
                "random": json.dumps(self._random.bit_generator.state),
                "torch_random": torch.get_rng_state(),
            },
            part,
        )
        part.replace(path)

    def restore(self, path: Path) -> None:
        """Goes on where `save` was called.

        Raises:
            CorpusError: it was called by a fit of other clips or another recipe.
        """
        saved = torch.load(path, weights_only=True)
        if saved["key"] != self._key():
            raise CorpusError(
                f"{path} is of a fit of other clips or another recipe: remove it, or give "
                "another --out"
            )
        self.epoch = saved["epoch"]
        self._network.load_state_dict(saved["network"])
        self._averaged.load_state_dict(saved["averaged"])
        self._optimiser.load_state_dict(saved["optimiser"])
        self._schedule.load_state_dict(saved["schedule"])
        self._best = saved["best"]
        self._random.bit_generator.state = json.loads(saved["random"])
        torch.set_rng_state(saved["torch_random"])

    def _key(self) -> str:
        clips = [(e.clip.corpus, e.clip.path.name, e.clip.emotion) for e in self._examples]
        return json.dumps([asdict(self._recipe), clips])


def fit(
    examples: Sequence[Example],
    typical: dict[str, Typical],
    recipe: Recipe,
    on_epoch: Callable[[int, float], None],
    checkpoint: Path | None = None,
) -> EmotionNetwork:
    """The averaged network after all epochs, or when it gets no better on those kept out (see
    Recipe.patience); `on_epoch(epoch, mean loss)` tells how it goes.

    With a checkpoint it is saved there after each epoch, goes on from there when it was
    interrupted, and gives the same weights either way.

    Raises:
        CorpusError: a label has no clip to learn from, or the checkpoint is of another fit.
    """
    # Sums in one order, however many cores there are; on so small a network more threads than one
    # mostly wait for each other.
    torch.set_num_threads(1)
    run = Fit(examples, typical, recipe)
    if checkpoint is not None and checkpoint.is_file():
        run.restore(checkpoint)
    while not run.is_done:
        loss = run.run_epoch()
        if checkpoint is not None:
            run.save(checkpoint)
        on_epoch(run.epoch - 1, loss)
    return run.fitted()


def watched(examples: Sequence[Example], recipe: Recipe) -> frozenset[str]:
    """Whose loss says when to stop: a speaker of each corpus that has three or more, if asked."""
    if not recipe.patience:
        return frozenset()
    random = np.random.default_rng(recipe.seed)
    speakers: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        if example.clip.emotion != NON_SPEECH:
            speakers[example.clip.corpus].add(example.clip.speaker)
    return frozenset(
        str(random.choice(sorted(own))) for own in speakers.values() if len(own) >= WATCHED_FROM
    )
