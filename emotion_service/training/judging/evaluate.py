"""How good predictions are: recall, calibration, and how sure one can be of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import rankdata

from emotion_service.scoring.baseline import Baseline, Typical
from emotion_service.scoring.model import LABELS, is_speech

if TYPE_CHECKING:
    from emotion_service.training.fitting.network import EmotionNetwork
    from emotion_service.training.fitting.prepare import Example
    from emotion_service.training.fitting.windows import ClipWindows

BOOTSTRAPS = 1000
AROUSED = ("anger", "happiness")  # the labels of high arousal, after Russell (1980)


FloatTable: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """A clip's label, and the emotions' logits (4,) of its last window that claims something.

    Their softmax is what serving says: the probabilities given that it is speech.
    """

    file: str
    speaker: str
    emotion: str
    logits: tuple[float, ...]


def judge_cold(
    network: EmotionNetwork, examples: Sequence[Example], typical: dict[str, Typical]
) -> list[Judged]:
    """Each clip alone, plain µ-law, by serving's rule: its last window that claims something.

    Clips without one are left out: those too short, and those taken for no speech all along.
    """
    said = [(e.clip, _last_claim(network, e.plain, typical)) for e in examples]
    return [
        Judged(clip.path.name, clip.speaker, clip.emotion, logits)
        for clip, logits in said
        if logits
    ]


def _last_claim(
    network: EmotionNetwork, windows: ClipWindows, typical: dict[str, Typical]
) -> tuple[float, ...]:
    """The emotions' logits (4,) of the last window that is taken for speech; () without one."""
    import torch  # noqa: PLC0415  (a finished model is judged without it)

    contexts = windows.contexts(Baseline(typical))
    for index in reversed(windows.usable):
        frames, voice = windows.inputs(index)
        with torch.no_grad():
            (outputs,) = network(
                torch.from_numpy(frames)[None],
                torch.from_numpy(voice)[None],
                torch.tensor([contexts[index]], dtype=torch.float32),
            ).numpy()
        if is_speech(outputs):
            return tuple(outputs[: len(LABELS)].tolist())
    return ()


def as_served(judged: Sequence[Judged], temperature: float) -> list[Judged]:
    """What a fit says, as serving says it: the logits (4,) are logarithms of the probabilities,
    so that they can be compared from clip to clip. A fit's own have a constant of each clip's."""
    if not judged:
        return []
    said = log_softmax(np.array([j.logits for j in judged]) / temperature, axis=1).tolist()
    return [replace(j, logits=tuple(logits)) for j, logits in zip(judged, said, strict=True)]


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
    """95 % interval of the UAR, bootstrapped over speakers; of one speaker it has no width."""
    low, high = np.percentile(np.nanmean(drawn_recalls(judged, seed), axis=1), (2.5, 97.5))
    return float(low), float(high)


def recall_intervals(judged: Sequence[Judged], seed: int = 1) -> dict[str, tuple[float, float]]:
    """95 % interval of each label's recall, bootstrapped over speakers."""
    drawn = drawn_recalls(judged, seed)
    intervals = {}
    for column, label in enumerate(LABELS):
        if np.isfinite(drawn[:, column]).any():
            low, high = np.nanpercentile(drawn[:, column], (2.5, 97.5))
            intervals[label] = float(low), float(high)
    return intervals


def drawn_recalls(judged: Sequence[Judged], seed: int) -> FloatTable:
    """(BOOTSTRAPS, labels): recalls of as many speakers, drawn with replacement; NaN of a label
    that none of those drawn has."""
    speakers = {name: row for row, name in enumerate(dict.fromkeys(j.speaker for j in judged))}
    right, total = np.zeros((2, len(speakers), len(LABELS)))
    for j in judged:
        cell = speakers[j.speaker], LABELS.index(j.emotion)
        total[cell] += 1
        right[cell] += int(np.argmax(j.logits)) == cell[1]
    random = np.random.default_rng(seed)
    draws = random.integers(len(speakers), size=(BOOTSTRAPS, len(speakers)))
    counted = total[draws].sum(axis=1)
    drawn: FloatTable = np.full_like(counted, np.nan)
    np.divide(right[draws].sum(axis=1), counted, out=drawn, where=counted > 0)
    return drawn


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """How often a positive outscores a negative, ties counting half; None without both."""
    ranks, wanted = rankdata(scores), np.array(positive, np.bool_)
    yes, no = int(wanted.sum()), int((~wanted).sum())
    if not yes or not no:
        return None
    return float((ranks[wanted].sum() - yes * (yes + 1) / 2) / (yes * no))


def surest(judged: Sequence[Judged], share: float) -> list[Judged]:
    """That share of them with the largest probability of any label."""
    confidence = softmax(np.array([j.logits for j in judged]), axis=1).max(axis=1)
    order = np.argsort(-confidence, kind="stable")[: round(share * len(judged))]
    return [judged[i] for i in order]


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
