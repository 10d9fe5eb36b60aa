"""Samples to sounds: level, voice activity and gate, for the legs of a message together.

A message holds a few blocks of each leg, and NumPy's calls cost more than what they compute on so
few: so each stage takes all legs' blocks in one pass. Nothing is computed across legs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from emotion_service.audio import gate, level, vad
from emotion_service.audio.gate import SoundGate
from emotion_service.audio.level import Level
from emotion_service.audio.vad import VoiceDetector
from emotion_service.types import BLOCK, FloatArray, Sound


@dataclass(frozen=True, slots=True)
class Ear:
    """What the three stages remember of one leg."""

    level: Level = field(default_factory=Level)
    detector: VoiceDetector = field(default_factory=VoiceDetector)
    gate: SoundGate = field(default_factory=SoundGate)


@dataclass(frozen=True, slots=True)
class Blocks:
    """What the ear makes of k blocks of a leg: as many sounds and powers of the vowel band."""

    sounds: list[Sound]
    vowels: list[float]


def listen(ears: Sequence[Ear], parts: Sequence[FloatArray]) -> list[Blocks]:
    """Of each leg the next whole blocks (at least one), float32 (k * BLOCK,)."""
    counts = [len(part) // BLOCK for part in parts]
    levelled = level.apply([ear.level for ear in ears], np.concatenate(parts), counts)
    voice = vad.detect([ear.detector for ear in ears], levelled, counts)
    sounds, vowels = gate.classify([ear.gate for ear in ears], levelled, voice, counts)
    ends = list(accumulate(counts, initial=0))
    return [Blocks(sounds[a:b], vowels[a:b]) for a, b in pairwise(ends)]
