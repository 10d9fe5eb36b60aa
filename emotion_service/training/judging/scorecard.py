"""Verdicts as figures: what `emotion-service evaluate --json` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from emotion_service.scoring.model import LABELS
from emotion_service.training.judging.evaluate import (
    AROUSED,
    Judged,
    auc,
    calibration_error,
    recall_intervals,
    recalls,
    surest,
    uar,
    uar_interval,
)
from emotion_service.training.judging.judge import Verdict

Figures: TypeAlias = dict[str, Any]  # fit for JSON
SURE_SHARE = 0.8


def figures(verdicts: Sequence[Verdict], seed: int) -> Figures:
    """Of the clips that got a score; null where nothing can be said."""
    scored = [(v, v.judged) for v in verdicts if v.judged is not None]
    judged = [j for _, j in scored]
    angry = [j.logits[LABELS.index("anger")] for j in judged]
    return {
        "uar": uar(judged) if judged else None,
        "recall": recalls(judged),
        "auc_anger": auc(angry, [j.emotion == "anger" for j in judged]),
        "auc_arousal": auc([v.arousal for v, _ in scored], [j.emotion in AROUSED for j in judged]),
        "ece": calibration_error(judged, 1.0) if judged else None,
        "n_clips": len(judged),
        "n_speakers": len({j.speaker for j in judged}),
        "uar_ci95": list(uar_interval(judged, seed)) if judged else None,
    }


def part(verdicts: Sequence[Verdict], seed: int) -> Figures:
    """The figures of some of the clips, or of all under another condition."""
    judged = _judged(verdicts)
    intervals = recall_intervals(judged, seed) if judged else {}
    return {
        **figures(verdicts, seed),
        "recall_ci95": {label: list(interval) for label, interval in intervals.items()},
        "scored": scored_share(verdicts),
    }


def parts(verdicts: Sequence[Verdict], key: Callable[[Verdict], str], seed: int) -> Figures:
    """The figures of the clips with each value of a key, values in alphabetical order."""
    values = sorted({key(v) for v in verdicts})
    return {value: part([v for v in verdicts if key(v) == value], seed) for value in values}


def scored_share(verdicts: Sequence[Verdict]) -> float | None:
    """How many of the clips got a score at all."""
    return len(_judged(verdicts)) / len(verdicts) if verdicts else None


def scored_windows(verdicts: Sequence[Verdict]) -> float | None:
    """Share of the windows with enough speech in which non-speech did not win."""
    asked = sum(v.asked for v in verdicts)
    return sum(v.claimed for v in verdicts) / asked if asked else None


def sure(verdicts: Sequence[Verdict]) -> Figures:
    """What is gained by claiming nothing of the clips the model is least sure of."""
    judged = _judged(verdicts)
    kept = surest(judged, SURE_SHARE) if judged else []
    return {
        "share": SURE_SHARE,
        "uar": uar(kept) if kept else None,
        "uar_gain": uar(kept) - uar(judged) if kept else None,
        "n_clips": len(kept),
    }


def changed(plain: Sequence[Verdict], other: Sequence[Verdict]) -> float | None:
    """Share of the clips with a score that get another label, or none, under another condition.

    Both are of the same clips in the same order.
    """
    pairs = [
        (_label(a.judged), _label(b.judged))
        for a, b in zip(plain, other, strict=True)
        if a.judged is not None
    ]
    return sum(a != b for a, b in pairs) / len(pairs) if pairs else None


def _label(judged: Judged | None) -> str | None:
    return None if judged is None else LABELS[int(np.argmax(judged.logits))]


def _judged(verdicts: Sequence[Verdict]) -> list[Judged]:
    return [v.judged for v in verdicts if v.judged is not None]
