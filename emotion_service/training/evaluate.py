"""How good predictions are: recall, calibration, and how sure one can be of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from emotion_service.scoring.baseline import Baseline, Typical
from emotion_service.scoring.model import LABELS
from emotion_service.training.network import EmotionNetwork
from emotion_service.training.prepare import Example

BOOTSTRAPS = 1000


@dataclass(frozen=True, slots=True)
class Judged:
    """A clip's label and the logits (4,) of its last window, heard cold, by a speaker's name."""

    file: str
    speaker: str
    emotion: str
    logits: tuple[float, ...]


def judge_cold(
    network: EmotionNetwork, examples: Sequence[Example], typical: dict[str, Typical]
) -> list[Judged]:
    """Each clip alone, plain µ-law: the window that ends with it. Clips too short are left out."""
    judged = []
    with torch.no_grad():
        for example in examples:
            windows = example.plain
            if not windows.usable:
                continue
            index = windows.usable[-1]
            frames, voice = windows.inputs(index)
            context = windows.contexts(Baseline(typical))[index]
            logits = network(
                torch.from_numpy(frames)[None],
                torch.from_numpy(voice)[None],
                torch.tensor([context], dtype=torch.float32),
            )[0]
            clip = example.clip
            judged.append(
                Judged(clip.path.name, clip.speaker, clip.emotion, tuple(logits.tolist()))
            )
    return judged


def recalls(judged: Sequence[Judged]) -> dict[str, float]:
    """Share of each label's clips that got it; labels without clips are left out."""
    found: dict[str, list[bool]] = {}
    for j in judged:
        found.setdefault(j.emotion, []).append(LABELS[int(np.argmax(j.logits))] == j.emotion)
    return {label: float(np.mean(found[label])) for label in LABELS if label in found}


def uar(judged: Sequence[Judged]) -> float:
    """Unweighted average recall."""
    return float(np.mean(list(recalls(judged).values())))


def uar_interval(judged: Sequence[Judged], seed: int = 1) -> tuple[float, float]:
    """95 % interval of the UAR, bootstrapped over speakers."""
    random = np.random.default_rng(seed)
    by_speaker: dict[str, list[Judged]] = {}
    for j in judged:
        by_speaker.setdefault(j.speaker, []).append(j)
    speakers = list(by_speaker.values())
    drawn = [
        uar([j for i in random.integers(len(speakers), size=len(speakers)) for j in speakers[i]])
        for _ in range(BOOTSTRAPS)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def fit_temperature(judged: Sequence[Judged]) -> float:
    """The divisor of the logits with the least log loss (Guo et al., ICML 2017)."""
    logits, labels = _arrays(judged)

    def log_loss(log_temperature: float) -> float:
        p = softmax(logits / np.exp(log_temperature), axis=1)
        return -float(np.log(p[np.arange(len(labels)), labels] + 1e-12).mean())

    return float(np.exp(minimize_scalar(log_loss, bounds=(-2, 3), method="bounded").x))


def calibration_error(judged: Sequence[Judged], temperature: float, bins: int = 10) -> float:
    """Expected calibration error of the largest probability, bins of equal width."""
    logits, labels = _arrays(judged)
    p = softmax(logits / temperature, axis=1)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    parts = [which == b for b in range(bins) if (which == b).any()]
    return float(sum(abs(right[m].mean() - confidence[m].mean()) * m.mean() for m in parts))


def _arrays(judged: Sequence[Judged]) -> tuple[np.ndarray, np.ndarray]:
    logits = np.array([j.logits for j in judged])
    return logits, np.array([LABELS.index(j.emotion) for j in judged])
