"""The soak's picture: memory over time, and below it the calls that were live."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.trend import Moment, SoakFigures


def draw(moments: Sequence[Moment], found: SoakFigures, out: Path) -> None:
    """Writes the picture, as the suffix says (.svg, .png)."""
    mpl.rcParams["svg.hashsalt"] = "soak"  # the same figures, the same file
    minutes = [moment.at / 60 for moment in moments]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    memory, calls = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    memory.plot(minutes, [moment.rss_mb for moment in moments], color="tab:blue")
    memory.set_ylabel("resident memory, MB")
    memory.set_ylim(0, 1.15 * found.rss_highest_mb)
    memory.set_title(
        f"{found.calls} calls at a time, each 20 to 60 s: "
        f"{found.slope_mb_per_10_minutes:+.2f} MB in 10 minutes after warm-up",
        loc="left",
        fontsize="medium",
    )
    calls.plot(minutes, [moment.live_calls for moment in moments], color="tab:orange")
    calls.set_ylabel("live calls")
    calls.set_ylim(0, 1.15 * found.calls)
    calls.set_xlabel("minutes")
    for axis in (memory, calls):
        axis.axvspan(0, found.warm_up_seconds / 60, color="0.93")
        axis.grid(color="0.85", linewidth=0.5)
        axis.set_axisbelow(True)
        axis.set_xlim(0, found.seconds / 60)
    memory.text(found.warm_up_seconds / 120, 0, "warm-up", ha="center", va="bottom", color="0.4")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
