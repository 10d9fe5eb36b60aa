"""Density as a picture: latency by the number of calls, and below it what a call costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.figures import Figures


def draw(steps: Sequence[Figures], budget_ms: float, out: Path) -> None:
    """Writes the picture, as the suffix says (.svg, .png)."""
    mpl.rcParams["svg.hashsalt"] = "density"  # the same figures, the same file
    calls = [step.calls for step in steps]
    figure = Figure(figsize=(8, 5), layout="constrained")
    latency, cost = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    for name in ("p50_ms", "p99_ms"):
        values = [getattr(step, name) for step in steps]
        latency.plot(calls, values, "o-", label=name.removesuffix("_ms"))
    latency.axhline(budget_ms, color="0.4", linestyle="--", label="budget of the p99")
    latency.set_yscale("log")
    latency.set_ylabel("score at the client, ms")
    latency.set_title(
        f"Live calls on one machine, messages of {steps[0].message_ms} ms",
        loc="left",
        fontsize="medium",
    )
    latency.legend(loc="upper left")
    cost.plot(calls, [step.cpu_ms_per_call_second for step in steps], "o-", color="tab:green")
    cost.set_ylabel("server CPU,\nms a call-second")
    cost.set_ylim(bottom=0)
    cost.set_xlabel("calls")
    for axis in (latency, cost):
        axis.grid(color="0.85", linewidth=0.5)
        axis.set_axisbelow(True)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
