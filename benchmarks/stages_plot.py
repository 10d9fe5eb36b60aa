"""Where a call-second's processor time goes, stage by stage, alone and in batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.stages import Cost


def draw(costs: Sequence[Cost], out: Path) -> None:
    """Writes the picture, as the suffix says (.svg, .png)."""
    mpl.rcParams["svg.hashsalt"] = "stages"  # the same figures, the same file
    stages = list(dict.fromkeys(cost.stage for cost in costs))
    batches = sorted({cost.batch for cost in costs})
    figure = Figure(figsize=(8, 0.35 * len(stages) + 1.5), layout="constrained")
    axis = figure.subplots()
    height = 0.8 / len(batches)
    for i, batch in enumerate(batches):
        values = [cost.ms_a_call_second for cost in costs if cost.batch == batch]
        axis.barh(np.arange(len(stages)) + i * height, values, height, label=f"batches of {batch}")
    axis.set_yticks(np.arange(len(stages)) + 0.4 - height / 2, stages)
    axis.invert_yaxis()
    axis.set_xlabel("ms of processor a call-second")
    axis.legend(loc="lower right")
    axis.grid(axis="x", color="0.85", linewidth=0.5)
    axis.set_axisbelow(True)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)
