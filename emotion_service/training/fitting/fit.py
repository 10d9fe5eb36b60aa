"""Fits the network to windows of labelled clips; an interrupted fit goes on where it was."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias, TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import Baseline, Typical
from emotion_service.scoring.model import LABELS, NON_SPEECH, OUTPUTS
from emotion_service.training.fitting.network import STEP_FRAMES, EmotionNetwork
from emotion_service.training.fitting.prepare import Example, heard_before
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.types import MEL_BANDS, FloatArray

WATCHED_FROM = 3  # speakers a corpus has before one of them is kept out
MARGIN_FRAMES = 40  # of padding kept before a batch's longest window: what convolutions see


@dataclass(frozen=True, slots=True)
class Batch:
    frames: Tensor
    voice: Tensor
    context: Tensor
    labels: Tensor


class _Best(TypedDict):
    """The averaged network with the least loss on those kept out; none yet without weights."""

    loss: float
    epoch: int
    weights: dict[str, Tensor]


_Drawn: TypeAlias = tuple[FloatArray, FloatArray, tuple[float, float, float], int]


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
        self._chances = chances(self._examples, recipe)
        self._by_speaker: dict[str, list[Example]] = defaultdict(list)
        for example in self._examples:
            self._by_speaker[example.clip.speaker].append(example)
        self._windows = round(len(self._examples) * recipe.draws)  # an epoch
        self._network = EmotionNetwork()
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
            total_steps=-(-self._windows // recipe.batch) * recipe.epochs,
        )
        self.epoch = 0  # the next one
        self._best: _Best = {"loss": float("inf"), "epoch": 0, "weights": {}}

    def run_epoch(self) -> float:
        """The mean loss of one epoch."""
        self._network.train()
        loss_of = nn.CrossEntropyLoss(label_smoothing=self._recipe.label_smoothing)
        losses = []
        for batch in self._batches():
            self._optimiser.zero_grad()
            said = self._network(batch.frames, batch.voice, batch.context)
            loss = loss_of(said, batch.labels)
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

    def _watch(self) -> None:
        """Remembers the averaged network if it is the best so far on those kept out."""
        network = self._averaged.module
        network.eval()
        drawn = [self._last(example) for example in self._kept_out]
        frames, voice = (torch.from_numpy(np.stack([d[i] for d in drawn])) for i in (0, 1))
        contexts, labels = _beside(drawn)
        with torch.no_grad():
            loss = float(nn.functional.cross_entropy(network(frames, voice, contexts), labels))
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

    def _batches(self) -> Iterator[Batch]:
        random, size = self._random, self._recipe.batch
        order = random.choice(len(self._examples), self._windows, p=self._chances)
        drawn = [self._draw(self._examples[i]) for i in order]
        # Batches of similar length need less padding; their order stays random.
        drawn.sort(key=lambda d: int(d[1].argmax()))
        for at in random.permutation(np.arange(0, len(drawn), size)):
            yield _batch(drawn[at : at + size], random)

    def _draw(self, example: Example) -> _Drawn:
        """One window over one line: half the time the clip's last, with a random history."""
        random = self._random
        drawn = [variant for variant in example.variants[1:] if variant.usable]
        plain = random.random() < self._recipe.plain_share or not drawn
        windows = example.plain if plain else drawn[random.integers(len(drawn))]
        last = random.random() < 0.5
        index = windows.usable[-1] if last else int(random.choice(windows.usable))
        frames, voice = windows.inputs(index)
        same_speaker = self._by_speaker[example.clip.speaker]
        context = windows.contexts(heard_before(same_speaker, self._typical, random))[index]
        return frames, voice, context, OUTPUTS.index(example.clip.emotion)

    def _last(self, example: Example) -> _Drawn:
        """The clip's last window over the plain line, of a speaker nobody knows."""
        windows = example.plain
        index = windows.usable[-1]
        context = windows.contexts(Baseline(self._typical))[index]
        return *windows.inputs(index), context, OUTPUTS.index(example.clip.emotion)


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


def chances(examples: Sequence[Example], recipe: Recipe) -> np.ndarray:
    """How likely each clip is to be drawn, (n,), summing to 1.

    Within a corpus each emotion is as likely, so that a label does not tell the corpus; corpora
    weigh as their clips do (`corpus_balance` 0), or alike (1). Non-speech has a share of its own.

    Raises:
        CorpusError: a label has no clip to learn from.
    """
    labels = [example.clip.emotion for example in examples]
    missing = [label for label in LABELS if label not in labels]
    if missing:
        raise CorpusError(
            f"there is no clip of {missing[0]} to learn from: add speakers who show it, or another "
            "--corpus"
        )
    cells = Counter((e.clip.corpus, e.clip.emotion) for e in examples)
    speech = {cell: count for cell, count in cells.items() if cell[1] != NON_SPEECH}
    corpora = Counter[str]()
    for (corpus, _), count in speech.items():
        corpora[corpus] += count
    emotions = Counter(corpus for corpus, _ in speech)
    weights = {
        cell: corpora[cell[0]] ** (1.0 - recipe.corpus_balance) / emotions[cell[0]] / count
        for cell, count in speech.items()
    }
    total = sum(weight * speech[cell] for cell, weight in weights.items())
    sounds = labels.count(NON_SPEECH)
    share = recipe.non_speech_share if sounds else 0.0
    return np.array(
        [
            share / sounds
            if e.clip.emotion == NON_SPEECH
            else (1.0 - share) * weights[e.clip.corpus, e.clip.emotion] / total
            for e in examples
        ]
    )


def _batch(drawn: Sequence[_Drawn], random: np.random.Generator) -> Batch:
    frames = np.stack([d[0] for d in drawn])
    voice = np.stack([d[1] for d in drawn])
    first = max(0, int(voice.any(axis=0).argmax()) - MARGIN_FRAMES) // STEP_FRAMES * STEP_FRAMES
    return Batch(
        torch.from_numpy(_masked(frames[:, first:], voice[:, first:], random)),
        torch.from_numpy(voice[:, first:]),
        *_beside(drawn),
    )


def _beside(drawn: Sequence[_Drawn]) -> tuple[Tensor, Tensor]:
    """Contexts and labels."""
    contexts = torch.tensor([context for _, _, context, _ in drawn], dtype=torch.float32)
    return contexts, torch.tensor([label for *_, label in drawn])


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
