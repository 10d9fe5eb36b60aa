"""What a fit is shown: windows drawn from clips, as calls would bring them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import Baseline, Typical
from emotion_service.scoring.model import LABELS, NON_SPEECH, OUTPUTS
from emotion_service.training.fitting.contours import STEP_FRAMES
from emotion_service.training.fitting.joined import as_loud_as, joined, opening
from emotion_service.training.fitting.prepare import Example, heard_before
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.fitting.vary import masked, warped
from emotion_service.training.fitting.windows import ClipWindows
from emotion_service.types import FloatArray

CHANGED_FRAMES = (60, 301)  # of speech since the mood may have changed: 0.6-3 s
EARLY_FRAMES = (60, 151)  # of speech in a call's first windows: 0.6-1.5 s
PAUSE_FRAMES = (30, 91)  # between two clips: 0.3-0.9 s
LOUDER_DB = 6.0  # by which one clip of a call may be louder than the next
MARGIN_FRAMES = 40  # of padding kept before a batch's longest window: what convolutions see


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames (b, t, F), voice (b, t), context (b, 3), and the places of the labels in OUTPUTS."""

    frames: Tensor
    voice: Tensor
    context: Tensor
    labels: Tensor


_Drawn: TypeAlias = tuple[FloatArray, FloatArray, tuple[float, float, float], int]
_Window: TypeAlias = tuple[ClipWindows, int]  # what is heard, and which of its windows is judged


class Draw:
    """Draws windows of clips as the recipe says; all chance is from `random`."""

    def __init__(
        self,
        examples: list[Example],
        typical: dict[str, Typical],
        recipe: Recipe,
        random: np.random.Generator,
    ) -> None:
        self._examples, self._typical, self._recipe = examples, typical, recipe
        self._random = random
        self._chances = chances(examples, recipe)
        self._by_speaker: dict[str, list[Example]] = defaultdict(list)
        for example in examples:
            self._by_speaker[example.clip.speaker].append(example)
        self._sounds = [e for e in examples if e.clip.emotion == NON_SPEECH]
        self.count = round(len(examples) * recipe.draws)  # windows an epoch

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch."""
        random, size = self._random, self._recipe.batch
        order = random.choice(len(self._examples), self.count, p=self._chances)
        drawn = [self.window(self._examples[i]) for i in order]
        # Batches of similar length need less padding; their order stays random.
        drawn.sort(key=lambda d: int(d[1].argmax()))
        for at in random.permutation(np.arange(0, len(drawn), size)):
            yield _batch(drawn[at : at + size], random)

    def window(self, example: Example) -> _Drawn:
        """One window of a clip over one line, of a speaker of whom more or less is known."""
        plain = self._random.random() < self._recipe.plain_share
        heard, index = self._heard(example, plain)
        same_speaker = self._by_speaker[example.clip.speaker]
        before = heard_before(same_speaker, self._typical, self._random)
        frames, voice, context, label = _shown(heard, index, before, example)
        return self._warped(frames), voice, context, label

    def _heard(self, example: Example, plain: bool) -> _Window:
        """After another clip, of the first words alone, the last, or any."""
        recipe, windows = self._recipe, self._over_a_line(example, plain)
        kind = self._random.random()
        if kind < recipe.history_share:
            return self._after(self._others(example), windows, plain)
        if kind < recipe.history_share + recipe.early_share:
            return _ending(opening(windows, int(self._random.integers(*EARLY_FRAMES))))
        if kind < (1.0 + recipe.history_share + recipe.early_share) / 2:
            return windows, windows.usable[-1]
        return windows, self._any(windows)

    def _any(self, windows: ClipWindows) -> int:
        """As often as it brings speech: where windows follow close upon each other, each less."""
        new = np.array([windows.windows[i].new_speech for i in windows.usable])
        return int(self._random.choice(windows.usable, p=new / new.sum()))

    def _over_a_line(self, example: Example, plain: bool) -> ClipWindows:
        """The plain one, or any of those drawn that lets enough speech through."""
        drawn = [variant for variant in example.variants[1:] if variant.usable]
        if plain or not drawn:
            return example.plain
        return drawn[self._random.integers(len(drawn))]

    def _after(self, others: list[Example], windows: ClipWindows, plain: bool) -> _Window:
        """The clip's beginning, after a pause after one of the others."""
        random = self._random
        other = self._over_a_line(others[random.integers(len(others))], plain)
        beginning = opening(windows, int(random.integers(*CHANGED_FRAMES)))
        earlier = as_loud_as(beginning, other, random.uniform(-LOUDER_DB, LOUDER_DB))
        return _ending(joined(earlier, int(random.integers(*PAUSE_FRAMES)), beginning))

    def _others(self, example: Example) -> list[Example]:
        """What may be heard before it: now and then a sound, else other clips of its speaker;
        before a sound, anything."""
        if example.clip.emotion == NON_SPEECH:
            return self._examples
        if self._sounds and self._random.random() < self._recipe.non_speech_share:
            return self._sounds
        same_speaker = self._by_speaker[example.clip.speaker]
        return [other for other in same_speaker if other is not example] or [example]

    def _warped(self, frames: FloatArray) -> FloatArray:
        most = self._recipe.warp
        if not most:
            return frames
        return warped(frames, 1.0 + self._random.uniform(-most, most))


def cold(example: Example, typical: dict[str, Typical]) -> _Drawn:
    """The clip's last window over the plain line, of a speaker nobody knows."""
    return _shown(example.plain, example.plain.usable[-1], Baseline(typical), example)


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


def stacked(drawn: Sequence[_Drawn]) -> Batch:
    """As they are."""
    return Batch(
        torch.from_numpy(np.stack([frames for frames, *_ in drawn])),
        torch.from_numpy(np.stack([voice for _, voice, *_ in drawn])),
        torch.tensor([context for _, _, context, _ in drawn], dtype=torch.float32),
        torch.tensor([label for *_, label in drawn]),
    )


def _ending(windows: ClipWindows) -> _Window:
    """Its last window."""
    return windows, len(windows.windows) - 1


def _shown(windows: ClipWindows, index: int, before: Baseline, example: Example) -> _Drawn:
    context = windows.contexts(before)[index]
    return *windows.inputs(index), context, OUTPUTS.index(example.clip.emotion)


def _batch(drawn: Sequence[_Drawn], random: np.random.Generator) -> Batch:
    """With what they need of the padding, some of it hidden."""
    whole = stacked(drawn)
    voice = whole.voice.numpy()
    first = max(0, int(voice.any(axis=0).argmax()) - MARGIN_FRAMES) // STEP_FRAMES * STEP_FRAMES
    frames = masked(whole.frames.numpy()[:, first:], voice[:, first:], random)
    return replace(whole, frames=torch.from_numpy(frames), voice=whole.voice[:, first:])
