"""Every clip over several telephone lines as windows, and what is typical of all speakers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
from rich.console import Console
from rich.progress import track

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import QUANTITIES, Baseline, Typical
from emotion_service.scoring.model import NON_SPEECH
from emotion_service.training.corpora.corpus import Clip, read_audio
from emotion_service.training.fitting import cache
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.fitting.windows import ClipWindows, windows_of
from emotion_service.training.lines.line import Line, Surroundings
from emotion_service.training.sounds.bursts import (
    BACKGROUND,
    BURSTS,
    SECONDS,
    generated,
    recorded,
)
from emotion_service.training.sounds.sounds import Part
from emotion_service.training.workers import workers
from emotion_service.types import FloatArray


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled clip in all its variants; the first is the plain µ-law one."""

    clip: Clip
    variants: tuple[ClipWindows, ...]

    @property
    def plain(self) -> ClipWindows:
        return self.variants[0]


@dataclass(frozen=True, slots=True)
class Material:
    """What a model may learn from: a label, and how its audio is had, float32 (n,)."""

    clip: Clip
    read: Callable[[], FloatArray]


def speech(clips: Iterable[Clip]) -> list[Material]:
    return [Material(clip, partial(read_audio, clip.path)) for clip in clips]


def non_speech(recordings: Path | None, recipe: Recipe) -> list[Material]:
    """Sounds without emotion, as far as a model may learn from them: generated, and those in the
    folders `vocal_bursts` and `background` of `recordings`. Each is its own speaker.

    Raises:
        CorpusError: an index of the recordings cannot be read.
    """
    sounds = generated(Part.LEARNED, recipe.seed, recipe.sounds_each, SECONDS)
    if recordings is not None:
        if not any((recordings / name).is_dir() for name in (BURSTS, BACKGROUND)):
            raise CorpusError(
                f"{recordings} holds neither {BURSTS} nor {BACKGROUND}: give the folder that they "
                "are in, or leave --sounds out"
            )
        sounds += recorded(recordings, Part.LEARNED, recipe.seed)
    return [
        Material(Clip(NON_SPEECH, Path(sound.name), sound.name, "", "", NON_SPEECH), sound.make)
        for sound in sounds
    ]


def prepare(
    materials: Sequence[Material], recipe: Recipe, processes: int, cached: Path
) -> list[Example]:
    """Runs the serving pipeline over everything, or reads what it gave before from the folder
    `cached`; the seed of each clip's lines is its file name."""
    example = partial(_example, recipe=recipe, cached=cached)
    with workers(processes) as pool:
        examples = pool.map(example, materials, chunksize=8)
        shown = track(
            examples, "Preparing windows", total=len(materials), console=Console(stderr=True)
        )
        return list(shown)


def prepared(materials: Sequence[Material], recipe: Recipe, cached: Path) -> list[Example]:
    """The same in this process, without a bar: for what `prepare` has put there."""
    return [_example(material, recipe, cached) for material in materials]


def typical_of(examples: Sequence[Example]) -> dict[str, Typical]:
    """Mean and deviation of each quantity over the plain windows of those that are speech."""
    spoken = [example for example in examples if example.clip.emotion != NON_SPEECH]
    shown = [e.plain.windows[i].prosody for e in spoken for i in e.plain.usable]
    typical = {}
    for name, quantity in QUANTITIES.items():
        values = [value for prosody in shown if (value := quantity.of(prosody)) is not None]
        typical[name] = Typical(float(np.mean(values)), float(np.std(values)))
    return typical


def speakers(examples: Sequence[Example]) -> tuple[str, ...]:
    """Whoever is heard in them, sounds left out."""
    heard = {example.clip.speaker for example in examples if example.clip.emotion != NON_SPEECH}
    return tuple(sorted(heard))


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


def _example(material: Material, recipe: Recipe, cached: Path) -> Example:
    clip, samples = material.clip, material.read()
    path = cache.place(cached, samples, clip.path.name, recipe)
    variants = cache.read(path)
    if variants is None:
        random = np.random.default_rng(crc32(clip.path.name.encode()))
        heard = _heard(samples, recipe, random)
        variants = tuple(windows_of(audio, encoding) for audio, encoding in heard)
        cache.write(path, variants)
    return Example(clip, variants)


def _heard(
    samples: FloatArray, recipe: Recipe, random: np.random.Generator
) -> Iterator[tuple[FloatArray, str]]:
    """The plain line first. No babble yet: whose voices may be heard depends on the split."""
    count = recipe.lines_per_clip if samples.any() else 0  # a sound may be all pause
    drawn = (recipe.lines.draw(random) for _ in range(count))
    for line in (Line(), *drawn):
        yield line.carry(samples, Surroundings(), random), line.encoding
