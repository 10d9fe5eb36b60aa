"""What a report is made of, before it is a page or a card."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emotion_service.training.judging.notation import Sheet


class Kind(StrEnum):
    """What a panel shows."""

    CONFUSION = "confusion"
    SPEAKERS = "speakers"
    CALIBRATION = "calibration"
    COVERAGE = "coverage"
    SEXES = "sexes"
    LOSSES = "losses"
    SECONDS = "seconds"
    WARMTH = "warmth"


@dataclass(frozen=True, slots=True)
class Panel:
    """A plot with one sentence that says what is seen in it, and the numbers behind it."""

    kind: Kind
    title: str
    caption: str
    drawing: str  # HTML: an <svg>, or a <table>
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that is read first, and what it is."""

    figure: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """One cross-validation, or the evaluations of the same clips."""

    title: str
    introduction: str
    tiles: tuple[Tile, ...]
    sheets: tuple[Sheet, ...]
    panels: tuple[Panel, ...]
