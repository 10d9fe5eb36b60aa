"""The numbers behind the plots of a cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from emotion_service.scoring.model import LABELS
from emotion_service.training.judging.evaluate import (
    BOOTSTRAPS,
    Judged,
    drawn_recalls,
    recalls,
    surest,
    uar,
    uar_interval,
)

SHARES = tuple(round(1 - 0.05 * step, 2) for step in range(15))  # 1.0 to 0.3


@dataclass(frozen=True, slots=True)
class Bin:
    """The clips whose largest probability lies in one tenth of 0..1."""

    stated: float  # mean probability
    right: float  # share that is right
    right_ci95: tuple[float, float]  # bootstrapped over speakers
    n_clips: int


@dataclass(frozen=True, slots=True)
class Covered:
    """What is left, and how good it is, when nothing is said of the least sure clips."""

    share: float
    uar: float
    uar_ci95: tuple[float, float]
    n_clips: int


@dataclass(frozen=True, slots=True)
class SpeakerRecall:
    """How well one speaker is understood."""

    speaker: str
    corpus: str
    uar: float
    n_clips: int


@dataclass(frozen=True, slots=True)
class Gap:
    """How much better a label is recognised in one group of speakers than in another."""

    label: str
    better: str
    worse: str
    difference: float  # of recalls, never negative
    ci95: tuple[float, float]  # bootstrapped over the speakers of either group

    @property
    def significant(self) -> bool:
        return self.ci95[0] > 0


def confusion(judged: Sequence[Judged]) -> npt.NDArray[np.int64]:
    """(labels, answers): the clips of each label by what was heard in them."""
    counts = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for j in judged:
        counts[LABELS.index(j.emotion), int(np.argmax(j.logits))] += 1
    return counts


def reliability(judged: Sequence[Judged], bins: int = 10) -> list[Bin]:
    """Bins of equal width that hold any clip; their weighted error is calibration_error's."""
    p = softmax(np.array([j.logits for j in judged]), axis=1)
    stated = p.max(axis=1)
    right = p.argmax(axis=1) == [LABELS.index(j.emotion) for j in judged]
    which = np.minimum((stated * bins).astype(int), bins - 1)
    _, speaker = np.unique([j.speaker for j in judged], return_inverse=True)
    found = []
    for b in np.unique(which):
        own = which == b
        ci95 = _share_interval(right[own], speaker[own])
        mean = float(stated[own].mean()), float(right[own].mean())
        found.append(Bin(*mean, ci95, int(own.sum())))
    return found


def _share_interval(
    right: npt.NDArray[np.bool_], speaker: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """95 % interval of a share, bootstrapped over those who have any of the clips."""
    _, own = np.unique(speaker, return_inverse=True)
    total, hits = np.bincount(own), np.bincount(own, weights=right)
    draws = np.random.default_rng(1).integers(len(total), size=(BOOTSTRAPS, len(total)))
    low, high = np.percentile(hits[draws].sum(axis=1) / total[draws].sum(axis=1), (2.5, 97.5))
    return float(low), float(high)


def coverage(judged: Sequence[Judged]) -> list[Covered]:
    """From all clips to the surest three tenths of them."""
    found = []
    for share in SHARES:
        if kept := surest(judged, share):
            found.append(Covered(share, uar(kept), uar_interval(kept), len(kept)))
    return found


def by_speaker(judged: Sequence[Judged], corpus_of: Mapping[str, str]) -> list[SpeakerRecall]:
    """The worst first."""
    own: dict[str, list[Judged]] = {}
    for j in judged:
        own.setdefault(j.speaker, []).append(j)
    found = [SpeakerRecall(name, corpus_of[name], uar(js), len(js)) for name, js in own.items()]
    return sorted(found, key=lambda of: (of.uar, of.speaker))


def gaps(groups: Mapping[str, Sequence[Judged]]) -> list[Gap]:
    """Between two groups of speakers, for each label that two speakers or more of both have.

    With less than two an interval has no width and proves nothing; without two groups there is
    no gap.
    """
    if len(groups) != 2:
        return []
    (first, one), (second, other) = groups.items()
    drawn = drawn_recalls(one, 1) - drawn_recalls(other, 2)
    found = []
    for column, label in enumerate(LABELS):
        if min(_speakers(one, label), _speakers(other, label)) < 2:
            continue
        low, high = np.nanpercentile(drawn[:, column], (2.5, 97.5))
        difference = recalls(one)[label] - recalls(other)[label]
        if difference >= 0:
            found.append(Gap(label, first, second, difference, (float(low), float(high))))
        else:
            found.append(Gap(label, second, first, -difference, (-float(high), -float(low))))
    return found


def _speakers(judged: Sequence[Judged], label: str) -> int:
    return len({j.speaker for j in judged if j.emotion == label})
