"""What is known of a model, as one page with plots and as its card."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from emotion_service.errors import CorpusError
from emotion_service.training.judging.jury import FOLDS
from emotion_service.training.report.card import card
from emotion_service.training.report.crossval_section import crossval_section
from emotion_service.training.report.evaluation_section import evaluation_section
from emotion_service.training.report.origin import Origin, described, read_origin
from emotion_service.training.report.page import page
from emotion_service.training.report.panel import Section
from emotion_service.training.report.results import Evaluation, Run, read_evaluation, read_run


@dataclass(frozen=True, slots=True)
class Report:
    """All that was given, read, and what it says."""

    origin: Origin | None
    runs: tuple[Run, ...]
    evaluations: tuple[Evaluation, ...]
    sections: tuple[Section, ...]
    repeat: str  # the command that makes all of it again
    made: str  # when and where

    def page(self) -> str:
        """HTML."""
        subject, title = [], "Cross-validation"
        if self.evaluations:
            title = str(self.evaluations[0].figures["model"])
            subject = [f"Licence: {self.evaluations[0].figures['licence']}."]
        if self.origin:
            title = self.origin.name
            subject = [f"Licence: {self.origin.card.licence}.", *described(self.origin)]
        return page(title, subject, self.sections, self.repeat, self.made)

    def card(self, data: str, limits: str) -> str:
        """Markdown, with the author's words on data and limits.

        Raises:
            CorpusError: no model folder was given.
        """
        if self.origin is None:
            raise CorpusError("a card is of a model: give its folder with --model")
        return card(self.origin, self.sections, data, limits, self.repeat, self.made)


def read_report(
    run_folders: Sequence[Path],
    evaluation_files: Sequence[Path],
    model: Path | None,
    repeat: str = "",
) -> Report:
    """Reads and computes everything.

    Raises:
        CorpusError: nothing was given, one of them cannot be used, or they are of several models.
        ModelMismatch: the model folder cannot be used.
    """
    if not run_folders and not evaluation_files:
        raise CorpusError(
            "nothing was given to report on: give --crossval RUN, --evaluation FILE, or several"
        )
    origin = read_origin(model) if model else None
    runs = tuple(map(read_run, run_folders))
    evaluations = tuple(map(read_evaluation, evaluation_files))
    _expect_one_model(origin, evaluations)
    same: dict[str, list[Evaluation]] = {}
    for of in evaluations:
        same.setdefault(of.clips, []).append(of)
    sections = (*map(crossval_section, runs), *map(evaluation_section, same.values()))
    return Report(origin, runs, evaluations, sections, repeat, _made())


def _expect_one_model(origin: Origin | None, evaluations: Sequence[Evaluation]) -> None:
    """The folds of a cross-validation are no model; what they are of is the author's to know."""
    names = [origin.name] if origin else []
    for of in evaluations:
        if str(of.figures["model"]).startswith(FOLDS):
            continue
        names.append(of.figures["model"])
        if names[-1] != names[0]:
            raise CorpusError(
                f"{of.name} judges {names[-1]}, the others are of {names[0]}: a report is of one "
                "model; leave the others out"
            )


def _made() -> str:
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    by = f"emotion-service {version('emotion-service')}, Python {platform.python_version()}"
    return f"Reported on {date.today():%Y-%m-%d} by {by}, on {where}."
