"""What does each stage of the service cost, alone and for several calls at once?

Microseconds of processor a unit, the least and the median of repeated runs, all stages taking
turns, on speech: of labelled corpora, or of the demo call. Milliseconds a call-second are those of
the largest batch, at the rate at which the played calls had units; what is not in the table (gRPC,
the event loop, the bookkeeping between the stages) comes on top. The model may take 1 ms a
window, in batches of 16.

    python benchmarks/stages.py [--batches 1 16 64] [--rounds 40] [--corpora DIR] [--plot SVG]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.command import command
from benchmarks.conversation import add_corpora, spoken
from benchmarks.machine import this_machine
from benchmarks.material import SECONDS, played
from benchmarks.report import write
from benchmarks.stopwatch import Timed, take_turns
from benchmarks.workloads import STAGES, Material
from emotion_service.app import default_model_dir
from emotion_service.calls.scorer import Scorer
from emotion_service.routing import rule_file
from emotion_service.scoring import model

BATCHES = (1, 16, 64)
MODEL_MS = 1.0  # of processor a window,
MODEL_BATCH = 16  # in batches of so many


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one stage in batches of one size, microseconds of processor a unit."""

    stage: str
    unit: str
    batch: int
    least_us: float
    median_us: float
    units_a_call_second: float

    @property
    def ms_a_call_second(self) -> float:
        return self.least_us * self.units_a_call_second / 1e3


def material(corpora: Path | None) -> Material:
    """Calls of labelled speech, or the demo calls, played through the shipped model and rules."""
    shipped = model.load(default_model_dir())
    scorer, rules = Scorer(shipped), rule_file.load()
    conversations = spoken(corpora, SECONDS)
    return Material(scorer, shipped, rules, [played(one, scorer, rules) for one in conversations])


def costs(given: Material, batches: Sequence[int], rounds: int) -> list[Cost]:
    """Each stage in batches of each size."""
    every = [(name, stage, batch) for name, stage in STAGES.items() for batch in batches]
    timed = [Timed(stage.work(given, batch)) for _, stage, batch in every]
    found = take_turns(timed, rounds)
    return [
        Cost(
            name,
            stage.unit,
            batch,
            times.least * 1e6 / batch,
            times.median * 1e6 / batch,
            stage.rate(given),
        )
        for (name, stage, batch), times in zip(every, found, strict=True)
    ]


def table(found: Sequence[Cost]) -> Table:
    """One row a stage: least / median for each size of batch."""
    batches = sorted({cost.batch for cost in found})
    shown = Table(title="µs of processor a unit: least / median")
    for name in ("stage", "unit"):
        shown.add_column(name, no_wrap=True)
    for name in [*(f"batch of {batch}" for batch in batches), "ms a call-second"]:
        shown.add_column(name, justify="right")
    for stage in STAGES:
        row = [cost for cost in found if cost.stage == stage]
        times = [f"{cost.least_us:.1f} / {cost.median_us:.1f}" for cost in row]
        shown.add_row(stage, row[0].unit, *times, f"{row[-1].ms_a_call_second:.3f}")
    total = sum(cost.ms_a_call_second for cost in found if cost.batch == batches[-1])
    shown.add_section()
    shown.add_row("all", "", *("" for _ in batches), f"{total:.3f}")
    return shown


def verdict(found: Sequence[Cost]) -> str:
    """One sentence on the model, in batches of about 16."""
    own = [cost for cost in found if cost.stage == "model"]
    cost = min(own, key=lambda cost: abs(cost.batch - MODEL_BATCH))
    least, median = cost.least_us / 1e3, cost.median_us / 1e3
    within = "within" if least <= MODEL_MS else "NOT within"
    return (
        f"The model takes {least:.2f} ms of processor a window in batches of {cost.batch} "
        f"(median {median:.2f}): {within} {MODEL_MS:g} ms."
    )


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES, help="sizes (1 16 64)")
    parser.add_argument("--rounds", type=int, default=40, help="runs of each (40)")
    add_corpora(parser)
    out = Path("benchmarks/results/stages.json")
    parser.add_argument("--out", type=Path, default=out, help=f"the figures as JSON ({out})")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="ms a call-second by stage")
    given = parser.parse_args()
    if min(given.batches) < 1 or given.rounds < 1:
        parser.error("--batches and --rounds start at 1")
    return given


def main() -> None:
    given = arguments()
    found = costs(material(given.corpora), sorted(given.batches), given.rounds)
    Console().print(table(found))
    print(verdict(found))
    content: dict[str, object] = {
        "machine": asdict(this_machine()),
        "speech": "corpora" if given.corpora else "demo calls",
        "rounds": given.rounds,
        "stages": [{**asdict(one), "ms_a_call_second": one.ms_a_call_second} for one in found],
    }
    write(given.out, content)
    if given.plot:
        from benchmarks.stages_plot import draw  # noqa: PLC0415  (matplotlib takes a second)

        draw(found, given.plot)


if __name__ == "__main__":
    command(main)
