"""The report of a trial for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE
from rich.table import Table

from emotion_service.training.judging.notation import (
    RECALL,
    interval,
    label_recalls,
    percent,
    points,
    two,
)
from emotion_service.training.judging.scorecard import Figures


def tables(report: Figures) -> Iterator[Table | str]:
    """The corpora, then what was compared, then what was left out."""
    yield f"{report['model']} ({report['licence']}), {report['protocol']}, {report['codec']}"
    yield _corpora(report)
    yield _compared(report)
    sure = report["surest"]
    yield (
        f"Claiming nothing of the least sure {1 - sure['share']:.0%}: UAR {two(sure['uar'])} "
        f"({points(sure['uar_gain'])} points)."
    )
    if "history" in report:
        yield f"The same clips cold: UAR {two(report['history']['pooled_cold']['uar'])}."
    for corpus, counts in report["clips"].items():
        yield (
            f"{corpus}: {counts['found']} clips; left out: {counts['other_emotions']} of other "
            f"emotions, {counts['trained_speakers']} of speakers the model was trained on; "
            f"{counts['abstained']} too short, or taken for no speech."
        )


def _corpora(report: Figures) -> Table:
    table = _table(
        *("corpus", "UAR", "95 %", RECALL, "AUC anger", "arousal", "ECE", "clips", "speakers")
    )
    for name, row in [*report["corpora"].items(), ("pooled", report["pooled"])]:
        table.add_row(
            name,
            two(row["uar"]),
            interval(row),
            label_recalls(row),
            two(row["auc_anger"]),
            two(row["auc_arousal"]),
            two(row["ece"]),
            str(row["n_clips"]),
            str(row["n_speakers"]),
        )
    return table


def _compared(report: Figures) -> Table:
    table = _table("by", "", "UAR", "95 %", RECALL, "clips", "")
    groups = dict(report["by"])
    if "history" in report:
        groups["call"] = report["history"]["by_call"]
    for name, values in groups.items():
        for value, row in values.items():
            figures = (two(row["uar"]), interval(row), label_recalls(row), str(row["n_clips"]))
            table.add_row(name, value, *figures, _note(row))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, no_wrap=name == RECALL)
    return table


def _note(row: Figures) -> str:
    notes = []
    if row["scored"] != 1.0:
        notes.append(f"{percent(row['scored'])} scored")
    if "labels_changed" in row:
        notes.append(f"{percent(row['labels_changed'])} changed")
    if "reached" in row:
        notes.append(f"{percent(row['reached'])} reach")
    if "cold" in row:
        notes.append(f"cold {two(row['cold']['uar'])}")
    return ", ".join(notes)
