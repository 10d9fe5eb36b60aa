"""Where the milliseconds go: a histogram of each stage, one below the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.figures import STAGES, Answer


def draw(answers: Sequence[Answer], out: Path) -> None:
    """Writes the histograms of all answered windows, as the suffix says (.svg, .png)."""
    mpl.rcParams["svg.hashsalt"] = "latency"  # the same figures, the same file
    rows: dict[str, Callable[[Answer], float]] = {
        **STAGES,
        "score at the client": attrgetter("client"),
    }
    edges = np.geomspace(0.1, 1000.0, 81)
    figure = Figure(figsize=(7, 1.2 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), sharex=True)
    for axis, (name, stage) in zip(axes, rows.items(), strict=True):
        axis.hist(np.clip([stage(answer) for answer in answers], edges[0], edges[-1]), edges)
        axis.set_xscale("log")
        axis.set_ylabel("windows")
        axis.set_title(name, loc="left", fontsize="medium")
    axes[-1].set_xlabel("milliseconds")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
