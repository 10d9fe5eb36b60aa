"""How figures are written for people: shares as .81, differences in points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emotion_service.scoring.model import LABELS
from emotion_service.training.judging.scorecard import Figures

RECALL = "recall " + "/".join(label[0].upper() for label in LABELS)
UNKNOWN = "–"  # where nothing can be said
SEXES = {"f": "women", "m": "men", "": "sex not given"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text; every row is as long as `columns`, and begins with what it is of."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def two(value: Any) -> str:
    """A share or an AUC: .81, 1.00."""
    return UNKNOWN if value is None else f"{value:.2f}".removeprefix("0")


def three(value: Any) -> str:
    """A calibration error: .041."""
    return UNKNOWN if value is None else f"{value:.3f}".removeprefix("0")


def points(value: Any) -> str:
    """A difference of two shares, in hundredths: +2.0, −3.4, 0.0."""
    if value is None:
        return UNKNOWN
    text = f"{100 * value:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def percent(value: Any) -> str:
    return UNKNOWN if value is None else f"{100 * value:.1f} %"


def bounds(interval: Sequence[float] | None) -> str:
    """An interval of shares: .74–.86; empty without one."""
    return "" if interval is None else f"{two(interval[0])}–{two(interval[1])}"


def interval(row: Figures) -> str:
    """The interval of the UAR; empty where one speaker would give it no width."""
    return "" if row["n_speakers"] < 2 else bounds(row["uar_ci95"])


def with_interval(row: Figures) -> str:
    """The UAR: .81 (95 % .74–.86)."""
    shown = interval(row)
    return f"{two(row['uar'])} (95 % {shown})" if shown else two(row["uar"])


def label_recalls(row: Figures) -> str:
    """Of each label, in their order."""
    return " ".join(two(row["recall"].get(label)) for label in LABELS)


def counted(count: int, singular: str) -> str:
    """1 speaker, 1,260 clips."""
    return f"{count:,} {singular if count == 1 else singular + 's'}"


def listed(names: Sequence[str]) -> str:
    """One, two and three."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
