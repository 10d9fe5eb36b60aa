"""Every variant of every clip as windows, and what is typical of all speakers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np
from rich.progress import track

from emotion_service.scoring.baseline import QUANTITIES, Baseline, Typical
from emotion_service.training.augment import VARIANTS, apply
from emotion_service.training.corpus import Clip, read_audio
from emotion_service.training.line import Line, Surroundings
from emotion_service.training.recipe import Recipe
from emotion_service.training.windows import ClipWindows, windows_of
from emotion_service.types import FloatArray


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled clip in all its variants; the first is the plain µ-law one."""

    clip: Clip
    variants: tuple[ClipWindows, ...]

    @property
    def plain(self) -> ClipWindows:
        return self.variants[0]


def prepare(clips: Sequence[Clip], recipe: Recipe, processes: int) -> list[Example]:
    """Runs the serving pipeline over every clip; the seed of each is its file name."""
    example = partial(_example, recipe=recipe)
    with ProcessPoolExecutor(processes) as pool:
        examples = pool.map(example, clips, chunksize=8)
        return list(track(examples, "Preparing windows", total=len(clips)))


def typical_of(examples: Sequence[Example]) -> dict[str, Typical]:
    """Mean and deviation of each quantity over the plain windows of these examples."""
    shown = [e.plain.windows[i].prosody for e in examples for i in e.plain.usable]
    typical = {}
    for name, quantity in QUANTITIES.items():
        values = [value for prosody in shown if (value := quantity.of(prosody)) is not None]
        typical[name] = Typical(float(np.mean(values)), float(np.std(values)))
    return typical


def heard_before(
    examples: Sequence[Example], typical: dict[str, Typical], random: np.random.Generator
) -> Baseline:
    """What would be known of a speaker after some of these clips of his (or none)."""
    baseline = Baseline(typical)
    for index in random.choice(len(examples), random.integers(0, 9)):
        windows = examples[index].plain
        if windows.usable:
            shown = windows.windows[windows.usable[-1]]
            baseline.update(shown.prosody, sum(w.new_speech for w in windows.windows))
    return baseline


def _example(clip: Clip, recipe: Recipe) -> Example:
    random = np.random.default_rng(crc32(clip.path.name.encode()))
    samples = read_audio(clip.path)
    heard = _variants(samples, random) if recipe.lines is None else _lines(samples, recipe, random)
    return Example(clip, tuple(windows_of(audio, encoding) for audio, encoding in heard))


def _variants(samples: FloatArray, random: np.random.Generator) -> Iterator[tuple[FloatArray, str]]:
    for variant in VARIANTS:
        yield apply(variant, samples, random), variant.encoding


def _lines(
    samples: FloatArray, recipe: Recipe, random: np.random.Generator
) -> Iterator[tuple[FloatArray, str]]:
    """The plain line first. No babble yet: whose voices may be heard depends on the split."""
    assert recipe.lines is not None
    drawn = (recipe.lines.draw(random) for _ in range(recipe.lines_per_clip))
    for line in (Line(), *drawn):
        yield line.carry(samples, Surroundings(), random), line.encoding
