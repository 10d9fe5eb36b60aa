"""False alarms against recall: one line a corpus, the shipped rules marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.alarm_figures import Figures, Point

MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # nobody needs to see colours to tell lines apart


def draw(curves: Mapping[str, Sequence[Point]], shipped: Mapping[str, Figures], out: Path) -> None:
    """Writes all curves, with a star where the shipped rules stand; as the suffix says."""
    mpl.rcParams["svg.hashsalt"] = "alarms"  # the same figures, the same file
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        alarms, recalls = [p.alarms_an_hour for p in curve], [p.recall for p in curve]
        marker = MARKERS[number % len(MARKERS)]
        (line,) = axes.plot(alarms, recalls, marker=marker, markersize=4, label=name)
        at = shipped[name]
        axes.plot(
            at.alarms_an_hour.value, at.recall.value, "*", color=line.get_color(), markersize=15
        )
        axes.plot(
            [at.alarms_an_hour.low, at.alarms_an_hour.high],
            [at.recall.value] * 2,
            color=line.get_color(),
            linewidth=1,
        )
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set(xlim=(0, None), ylim=(0, 1), xlabel="false agitated alarms an hour, 95 %")
    axes.set(ylabel="share of the episodes that are told")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
