"""What each plot of the report looks like. The figures come in finished; nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from emotion_service.scoring.model import LABELS
from emotion_service.training.report.curves import Bin, Covered, SpeakerRecall
from emotion_service.training.report.drawing import FAINT, INK, MARKERS, PAPER, SERIES

CHANCE = 1 / len(LABELS)


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its 95 % interval; `low` and `high` are the value where there is none."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Lost:
    """UAR points that a condition costs, and what to write beside its bar."""

    group: str
    name: str
    points: float
    note: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The same clips under two conditions."""

    name: str
    before: float
    after: float


def calibration(axes: Axes, bins: Sequence[Bin]) -> None:
    """On the diagonal a probability means what it says; the larger a dot, the more clips."""
    largest = max(bin.n_clips for bin in bins)
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
    for bin in bins:
        axes.plot([bin.stated] * 2, bin.right_ci95, color=SERIES[0], linewidth=1.2)
        axes.plot(
            bin.stated,
            bin.right,
            "o",
            color=SERIES[0],
            markeredgecolor=PAPER,
            markersize=4 + 9 * (bin.n_clips / largest) ** 0.5,
        )
    axes.set(xlim=(0.2, 1.02), ylim=(0, 1.04))
    axes.set(xlabel="stated probability", ylabel="share that is right, 95 %")


def coverage(axes: Axes, curve: Sequence[Covered]) -> None:
    shares = [100 * of.share for of in curve]
    axes.fill_between(
        shares,
        [of.uar_ci95[0] for of in curve],
        [of.uar_ci95[1] for of in curve],
        color=SERIES[0],
        alpha=0.2,
        linewidth=0,
    )
    axes.plot(shares, [of.uar for of in curve], "o-", color=SERIES[0], markersize=3.5)
    axes.axvline(80, color=FAINT, linestyle="--", linewidth=1)
    axes.invert_xaxis()
    axes.set(xlabel="clips that are answered, %: the surest", ylabel="their UAR")


def speakers(axes: Axes, found: Sequence[SpeakerRecall]) -> None:
    """A row each, the worst at the top; shape and colour say the corpus."""
    corpora = sorted({of.corpus for of in found})
    for number, corpus in enumerate(corpora):
        own = [(row, of) for row, of in enumerate(found) if of.corpus == corpus]
        axes.plot(
            [of.uar for _, of in own],
            [row for row, _ in own],
            MARKERS[number % len(MARKERS)],
            color=SERIES[number % len(SERIES)],
            markersize=5,
            label=corpus,
        )
    axes.axvline(CHANCE, color=FAINT, linestyle="--", linewidth=1)
    axes.set(ylim=(len(found) - 0.4, -0.6), xlim=(0, 1.02), xlabel="UAR (dashed: chance)")
    axes.set_yticks([])
    axes.set_ylabel("speakers, the worst first")
    _legend_above(axes, len(corpora))


def sexes(axes: Axes, groups: Mapping[str, Sequence[Measured]], significant: Sequence[str]) -> None:
    """A row a label, one mark a group; a star where the gap is significant."""
    for number, (group, measured) in enumerate(groups.items()):
        rows = [LABELS.index(of.name) + 0.24 * (number - (len(groups) - 1) / 2) for of in measured]
        colour = SERIES[number % len(SERIES)]
        for row, of in zip(rows, measured, strict=True):
            axes.plot([of.low, of.high], [row] * 2, color=colour, linewidth=1.6)
        axes.plot(
            [of.value for of in measured],
            rows,
            MARKERS[number % len(MARKERS)],
            color=colour,
            markersize=6,
            label=group,
        )
    axes.set_yticks(
        range(len(LABELS)), [f"{label} *" if label in significant else label for label in LABELS]
    )
    axes.set(ylim=(len(LABELS) - 0.5, -0.5), xlim=(0, 1.02), xlabel="recall, 95 % interval")
    _legend_above(axes, len(groups))


def seconds(axes: Axes, curves: Mapping[str, Sequence[Measured]]) -> None:
    """UAR over seconds of speech, a curve a protocol."""
    for number, (name, measured) in enumerate(curves.items()):
        colour = SERIES[number % len(SERIES)]
        at = [float(of.name) for of in measured]
        low, high = [of.low for of in measured], [of.high for of in measured]
        axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
        marker = MARKERS[number % len(MARKERS)]
        axes.plot(at, [of.value for of in measured], f"{marker}-", color=colour, label=name)
    axes.axhline(CHANCE, color=FAINT, linestyle="--", linewidth=1)
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.set(xlabel="seconds of speech heard", ylabel="UAR (dashed: chance)")
    if len(curves) > 1:
        axes.legend(loc="lower right")


def losses(axes: Axes, lost: Sequence[Lost]) -> None:
    """A bar a condition, in groups; what is to the left of zero is lost."""
    rows, row, group = [], -1.0, ""
    for of in lost:
        row += 1.0 if of.group == group else 1.9
        if of.group != group:
            group = of.group
            axes.text(0, row - 0.75, group, transform=axes.get_yaxis_transform(), color=INK)
        rows.append(row)
    values = [of.points for of in lost]
    axes.barh(rows, values, height=0.7, color=[SERIES[1 if v < 0 else 2] for v in values])
    axes.axvline(0, color=INK, linewidth=0.8)
    for at, of in zip(rows, lost, strict=True):
        axes.annotate(
            of.note,
            (max(of.points, 0), at),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    span = max(1.0, *np.abs(values))
    axes.set_yticks(rows, [of.name for of in lost])
    axes.tick_params("y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(-1.08 * span, max(0.0, *values) + 0.9 * span), ylim=(rows[-1] + 0.6, -0.1))
    axes.set_xlabel("UAR points against the plain line")


def warmth(axes: Axes, moved: Sequence[Moved]) -> None:
    """A row each, an arrow from cold to warm."""
    for row, of in enumerate(moved):
        axes.plot([of.before, of.after], [row] * 2, color=FAINT, linewidth=3)
    rows = range(len(moved))
    before, after = [of.before for of in moved], [of.after for of in moved]
    axes.plot(before, rows, "s", color=SERIES[0], label="cold")
    axes.plot(after, rows, "o", color=SERIES[1], label="warm")
    axes.set_yticks(rows, [of.name for of in moved])
    axes.set(ylim=(len(moved) - 0.5, -0.5), xlabel="UAR")
    _legend_above(axes, 2)


def _legend_above(axes: Axes, columns: int) -> None:
    """Where no mark can lie under it."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=min(columns, 4),
        borderaxespad=0,
        handletextpad=0.2,
        columnspacing=1,
    )
