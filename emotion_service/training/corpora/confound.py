"""What tells a clip's label without being the emotion: who speaks, the corpus, the level.

Measured as the share of variance that groups explain, corrected for chance (epsilon squared, Kelley
1935; for a label spoken or not, it is the square of Cramér's V). Of the level, it is how much of it
the label explains; of a label, how much of it the speaker or the corpus explains.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import betainc

from emotion_service.scoring.model import LABELS
from emotion_service.training.corpora.corpus import ACTIVE_LEVEL_DB, Clip

THRESHOLD = 0.10  # share of variance: from here on it is told
CHANCE = 0.01  # told only if chance alone gives as much less often than this (F test)


class CautionKind(StrEnum):
    SPEAKER = "speaker"
    CORPUS = "corpus"
    LEVEL = "level"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Caution:
    """What the data team should know of its clips, though they can be used."""

    kind: CautionKind
    corpus: str  # or several, separated by commas
    text: str


def confounds(clips: Sequence[Clip], levels_db: Sequence[float]) -> list[Caution]:
    """What tells the labels of these clips; `levels_db` is their active level as recorded."""
    found = _by_corpus(clips)
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        chosen = [index for index, clip in enumerate(clips) if clip.corpus == corpus]
        own = [clips[index] for index in chosen]
        found += _by_speaker(corpus, own)
        found += _by_level(corpus, own, [levels_db[index] for index in chosen])
    return found


def share_explained(values: Iterable[float], groups: Sequence[str]) -> float:
    """The share of the variance of values that lies between groups, in [0, 1].

    It is corrected for chance, and 0 where chance gives as much with a probability of CHANCE or
    more, or where nothing can be said: one group, as many groups as values, or equal values.
    """
    value = np.array(list(values), np.float64)
    names, group = np.unique(np.array(groups), return_inverse=True)
    n, k = len(value), len(names)
    if k < 2 or n <= k or np.ptp(value) == 0:
        return 0.0
    means = np.bincount(group, weights=value) / np.bincount(group)
    within = float(((value - means[group]) ** 2).sum() / ((value - value.mean()) ** 2).sum())
    if betainc((n - k) / 2, (k - 1) / 2, within) >= CHANCE:
        return 0.0
    return max(0.0, 1.0 - within * (n - 1) / (n - k))


def _by_speaker(corpus: str, clips: Sequence[Clip]) -> list[Caution]:
    told = _told(clips, [clip.speaker for clip in clips])
    if not told:
        return []
    emotions: dict[str, set[str]] = {}
    for clip in clips:
        emotions.setdefault(clip.speaker, set()).add(clip.emotion)
    parts = [
        f"{label} ({share:.0%} of its variance; {_count(emotions, label)} speakers have it)"
        for label, share in told.items()
    ]
    single = sum(len(own) == 1 for own in emotions.values())
    text = (
        f"{corpus}: who speaks tells the label {', '.join(parts)}; {single} of {len(emotions)} "
        "speakers have one label only. A model may learn the voices: add clips of these labels by "
        "other speakers, or leave out speakers with one label"
    )
    return [Caution(CautionKind.SPEAKER, corpus, text)]


def _count(emotions: dict[str, set[str]], label: str) -> str:
    return f"{sum(label in own for own in emotions.values())} of {len(emotions)}"


def _by_corpus(clips: Sequence[Clip]) -> list[Caution]:
    told = _told(clips, [clip.corpus for clip in clips])
    if not told:
        return []
    corpora = sorted({clip.corpus for clip in clips})
    parts = [f"{label} ({share:.0%} of its variance)" for label, share in told.items()]
    text = (
        f"{', '.join(corpora)}: the corpus tells the label {', '.join(parts)}. A model may learn "
        "the recordings: add clips of these labels to the corpora that lack them"
    )
    return [Caution(CautionKind.CORPUS, ", ".join(corpora), text)]


def _told(clips: Sequence[Clip], groups: Sequence[str]) -> dict[str, float]:
    """The labels that the groups tell, and how much of each."""
    shares = {
        label: share_explained((clip.emotion == label for clip in clips), groups)
        for label in LABELS
    }
    return {label: share for label, share in shares.items() if share >= THRESHOLD}


def _by_level(corpus: str, clips: Sequence[Clip], levels_db: Sequence[float]) -> list[Caution]:
    share = share_explained(levels_db, [clip.emotion for clip in clips])
    if share < THRESHOLD:
        return []
    by_label: dict[str, list[float]] = {}
    for clip, level_db in zip(clips, levels_db, strict=True):
        by_label.setdefault(clip.emotion, []).append(level_db)
    means = [f"{label} {np.mean(by_label[label]):.0f}" for label in sorted(by_label)]
    text = (
        f"{corpus}: the label explains {share:.0%} of the variance of the level ({', '.join(means)}"
        f" dBov on average). Each clip is brought to {ACTIVE_LEVEL_DB:.0f} dBov, but what goes "
        "with the level remains: noise below soft clips, overdrive of loud ones"
    )
    return [Caution(CautionKind.LEVEL, corpus, text)]
