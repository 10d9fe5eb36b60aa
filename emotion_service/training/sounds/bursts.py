"""Recordings that are no speech: laughter and other bursts of the voice, and what is around it.

A corpora folder may hold `vocal_bursts` (index.csv: file, speaker, kind, duration_s) and
`background` (file, kind, source, duration_s). Each is parted for good, by speaker and by file, so
that what a model is judged on was never learned from: not even with another seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import numpy as np

from emotion_service.training.corpora.corpus import INDEX, read_audio, rows_of
from emotion_service.training.corpora.simulate import LINE_NOISE
from emotion_service.training.sounds.sounds import SEEDS, SOUNDS, Part, generate
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

SECONDS = 8.0  # of each clip: single bursts hold too little to claim anything of
GAP_SECONDS = (0.1, 0.4)  # between joined bursts
JUDGED_SHARE = 0.3  # of the speakers, and of the files
DRAWS = 1000  # seeds of each generated sound that belong to one seed of ours
BURSTS, BACKGROUND = "vocal_bursts", "background"

Row: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class NonSpeech:
    """One sound without emotion. `make` computes or reads it: float32 (n,) at 8 kHz."""

    kind: str
    name: str
    make: Callable[[], FloatArray]


def generated(part: Part, seed: int, each: int, seconds: float) -> list[NonSpeech]:
    """So many sounds of each kind, of that part's seeds.

    Raises:
        ValueError: the part has no seeds for these: `seed` is 0-999, `each` at most 1000.
    """
    seeds = SEEDS[part][seed * DRAWS :][:DRAWS][:each] if seed >= 0 else range(0)
    if len(seeds) < each:
        raise ValueError(f"seed {seed} with {each} sounds of each kind: 0-999 and at most 1000")
    return [
        NonSpeech(kind, f"{kind}-{number}", partial(generate, kind, seconds, number))
        for kind in SOUNDS
        for number in seeds
    ]


def recorded(corpora: Path, part: Part, seed: int) -> list[NonSpeech]:
    """That part's bursts, joined kind by kind in the seed's order, and cuts of the background;
    of a folder that does not exist, nothing.

    Raises:
        CorpusError: an index cannot be read, or lacks a column; `make`: see read_audio.
    """
    return _bursts(corpora / BURSTS, part, seed) + _cuts(corpora / BACKGROUND, part)


def _bursts(folder: Path, part: Part, seed: int) -> list[NonSpeech]:
    rows = _rows(folder, ("file", "speaker", "kind", "duration_s"))
    speakers = _of(part, {row["speaker"] for row in rows})
    own = [row for row in rows if row["speaker"] in speakers]
    sounds = []
    for kind in sorted({row["kind"] for row in own}):
        random = np.random.default_rng((crc32(kind.encode()), seed))
        alike = [row for row in own if row["kind"] == kind]
        for number, joined in enumerate(_groups(alike, random)):
            paths = tuple(folder / row["file"] for row in joined)
            make = partial(join, paths, int(random.integers(2**32)))
            sounds.append(NonSpeech(f"burst: {kind}", f"burst-{kind}-{seed}-{number}", make))
    return sounds


def _groups(rows: Sequence[Row], random: np.random.Generator) -> list[list[Row]]:
    """Each row once in random order, in groups that last 8 s; the last one borrows."""
    order = [rows[i] for i in random.permutation(len(rows))]
    groups: list[list[Row]] = []
    lasting = SECONDS
    for row in order:
        if lasting >= SECONDS:
            groups.append([])
            lasting = 0.0
        groups[-1].append(row)
        lasting += float(row["duration_s"]) + GAP_SECONDS[0]
    return groups


def join(paths: Sequence[Path], seed: int) -> FloatArray:
    """The files one after the other with short gaps, again and again until 8 s are full: float32
    (n,), over the faint noise of a line."""
    random = np.random.default_rng(seed)
    length = int(SECONDS * SAMPLE_RATE_HERTZ)
    joined = random.normal(0.0, LINE_NOISE, length).astype(np.float32)
    at, number = 0, 0
    while at < length:
        burst = read_audio(paths[number % len(paths)])[: length - at]
        joined[at : at + len(burst)] += burst
        at += len(burst) + int(random.uniform(*GAP_SECONDS) * SAMPLE_RATE_HERTZ)
        number += 1
    return np.clip(joined, -1.0, 1.0)


def _cuts(folder: Path, part: Part) -> list[NonSpeech]:
    rows = _rows(folder, ("file", "kind", "duration_s"))
    own = [
        name
        for kind in sorted({row["kind"] for row in rows})
        for name in _of(part, {row["file"] for row in rows if row["kind"] == kind})
    ]
    sounds = []
    for row in rows:
        if row["file"] not in own:
            continue
        for number in range(max(1, int(float(row["duration_s"]) // SECONDS))):
            name = f"background-{Path(row['file']).stem}-{number}"
            make = partial(cut, folder / row["file"], number)
            sounds.append(NonSpeech(f"background: {row['kind']}", name, make))
    return sounds


def cut(path: Path, number: int) -> FloatArray:
    """The file's 8 s of that number, float32 (n,); a shorter file begins again."""
    length = int(SECONDS * SAMPLE_RATE_HERTZ)
    return np.resize(read_audio(path)[number * length :], length)


def _of(part: Part, names: set[str]) -> frozenset[str]:
    """Those of the names that belong to the part, by their checksums: whatever the seed."""
    ordered = sorted(names, key=lambda name: (crc32(name.encode()), name))
    judged = frozenset(ordered[: math.ceil(JUDGED_SHARE * len(ordered))])
    return judged if part is Part.JUDGED else frozenset(names) - judged


def _rows(folder: Path, columns: Sequence[str]) -> list[Row]:
    """Of the folder's index, if there is that folder."""
    if not folder.is_dir():
        return []
    return rows_of(folder / INDEX, columns, columns)
