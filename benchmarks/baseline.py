"""Has a stage become more expensive? A gate that times nothing.

What each stage costs for a batch of 16 on the demo call, divided by what a fixed piece of work
(benchmarks/reference.py) costs just before and after it. The ratios hardly depend on how busy or
fast the machine is; they are compared with those in baseline.json. Whoever makes a stage cheaper,
or dearer for a good reason, writes the baseline anew.

    python benchmarks/baseline.py [--write]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.command import command
from benchmarks.machine import this_machine
from benchmarks.reference import reference
from benchmarks.report import write
from benchmarks.stages import material
from benchmarks.stopwatch import Timed, against
from benchmarks.workloads import STAGES, Material

BASELINE = Path(__file__).with_name("baseline.json")
BATCH = 16
ROUNDS = 20
TOLERANCE = 1.6  # the same code on the same machine, busy or not, stays within 1.25
ATTEMPTS = 3


def measured(given: Material) -> dict[str, float]:
    """How many steps of the reference each stage's batch takes."""
    timed = [Timed(stage.work(given, BATCH)) for stage in STAGES.values()]
    return dict(zip(STAGES, against(Timed(reference()), timed, ROUNDS), strict=True))


def least(
    measure: Callable[[], Mapping[str, float]], before: Mapping[str, float]
) -> dict[str, float]:
    """The least of each stage's ratios; measured again only while one is above its limit."""
    found = dict(measure())
    for _ in range(ATTEMPTS - 1):
        if not exceeded(found, before):
            break
        found = {stage: min(found[stage], ratio) for stage, ratio in measure().items()}
    return found


def exceeded(found: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    """What to tell of each stage that costs more than it may, or has no baseline."""
    said = []
    for stage, ratio in found.items():
        if stage not in before:
            said.append(f"{stage} is not in {BASELINE.name}: write that anew (--write)")
        elif ratio > TOLERANCE * before[stage]:
            said.append(
                f"{stage} costs {ratio / before[stage]:.2f} times what it did ({ratio:.3f} of the "
                f"reference, {before[stage]:.3f} before; limit: {TOLERANCE} times): make it "
                "cheaper, or write the baseline anew (--write) and say why"
            )
    return said


def kept() -> dict[str, float]:
    """The ratios in baseline.json."""
    ratios: dict[str, float] = json.loads(BASELINE.read_text(encoding="utf-8"))["ratios"]
    return ratios


def table(found: Mapping[str, float], before: Mapping[str, float]) -> Table:
    """One row a stage."""
    shown = Table(title=f"Cost of a batch of {BATCH}, in steps of the reference")
    for name in ("stage", "now", "baseline", "times"):
        shown.add_column(name, justify="left" if name == "stage" else "right")
    for stage, ratio in found.items():
        old = before.get(stage)
        compared = ("–", "–") if old is None else (f"{old:.3f}", f"{ratio / old:.2f}")
        shown.add_row(stage, f"{ratio:.3f}", *compared)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="keep what is found as the baseline")
    given, before = parser.parse_args(), kept() if BASELINE.exists() else {}
    calls = material(None)
    found = measured(calls) if given.write else least(lambda: measured(calls), before)
    Console().print(table(found, before))
    if given.write:
        write(BASELINE, {"batch": BATCH, "machine": asdict(this_machine()), "ratios": found})
        return
    said = exceeded(found, before)
    print("\n".join(said) or "No stage costs more than it may.")
    sys.exit(1 if said else 0)


if __name__ == "__main__":
    command(main)
