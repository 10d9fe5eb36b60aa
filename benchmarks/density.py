"""How many calls does one machine carry in time, and what does one cost?

One call = two µ-law legs in one message, in real time, voice activity, turn-taking, cues and rules
on both, the customer's scored while it speaks (half of the time), one watcher. The number of calls
rises step by step, each step with a server of its own, until the latency of scores breaks the
budget: p99 of at most 100 ms, no window skipped or unanswered, no call refused or broken. (A step
that breaks it is tried once more: the host of a virtual machine takes time away now and then.)
Latency and load are those of benchmarks/latency.py; the generator runs on the same machine. Cost =
processor time of the server (user and system, all threads) a call-second. The floor: the same load
on a server that discards it (benchmarks/floor.py), in the same run.

The service is the shipped one. Of its settings only those are raised that keep calls out:
max_calls, max_watchers, and max_loop_lag_ms, because all calls of a step begin within a second.

    python benchmarks/density.py [--message-ms 20] [--steps 25 50 100] [--corpora DIR] [--plot SVG]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.command import command
from benchmarks.conversation import add_corpora, spoken
from benchmarks.figures import Figures
from benchmarks.floor import FLOOR
from benchmarks.latency import CONVERSATION_SECONDS, measure
from benchmarks.load import Load
from benchmarks.machine import this_machine
from benchmarks.report import write
from benchmarks.server import SERVICE, started
from emotion_service.config import Settings

BUDGET_MS = 100.0  # for the p99
STEPS = (25, 50, 75, 100, 150, 200, 250, 300, 350, 400, 500)
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Step:
    """So many calls on a server of their own; how long that took to become ready."""

    figures: Figures
    ready_seconds: float

    @property
    def calls(self) -> int:
        return self.figures.calls

    @property
    def held(self) -> bool:
        """Whether all of them were served within the budget."""
        found = self.figures
        in_time = found.misses == 0 and found.p99_ms <= BUDGET_MS
        return in_time and not found.refused and not found.broken


@dataclass(frozen=True, slots=True)
class Density:
    """The most calls that were carried in time, and what they cost; `held` is false when not even
    the first step was. `cost_ratio`: a call's cost there against that in the first step."""

    message_ms: int
    calls: int
    held: bool
    cpu_ms_per_call_second: float
    p50_ms: float
    p99_ms: float
    misses: int
    floor_ms_per_call_second: float
    floor_ratio: float
    cost_ratio: float
    rss_mb: float  # before the calls
    rss_peak_mb: float
    rss_kb_per_call: float
    ready_seconds: float


def climb(counts: Iterable[int], run: Callable[[int], Step]) -> list[Step]:
    """Runs each number of calls until one breaks the budget in every attempt."""
    steps: list[Step] = []
    for calls in counts:
        for _ in range(ATTEMPTS):
            steps.append(run(calls))
            if steps[-1].held:
                break
        else:
            return steps
    return steps


def top(steps: Sequence[Step]) -> Step:
    """The step with the most calls that was held, or else the first."""
    return max((step for step in steps if step.held), key=lambda s: s.calls, default=steps[0])


def density(steps: Sequence[Step], floor: Figures) -> Density:
    """What a climb came to; `floor` is the discarding server's at as many calls."""
    highest, cost = top(steps), floor.cpu_ms_per_call_second
    found = highest.figures
    return Density(
        message_ms=found.message_ms,
        calls=found.calls,
        held=highest.held,
        cpu_ms_per_call_second=found.cpu_ms_per_call_second,
        p50_ms=found.p50_ms,
        p99_ms=found.p99_ms,
        misses=found.misses,
        floor_ms_per_call_second=cost,
        floor_ratio=found.cpu_ms_per_call_second / cost,
        cost_ratio=found.cpu_ms_per_call_second / steps[0].figures.cpu_ms_per_call_second,
        rss_mb=found.rss_mb,
        rss_peak_mb=found.rss_peak_mb,
        rss_kb_per_call=found.rss_kb_per_call,
        ready_seconds=min(step.ready_seconds for step in steps),
    )


def settings(calls: int) -> dict[str, str]:
    """What lets so many calls in at once."""
    shipped = Settings.model_fields
    return {
        "max_calls": str(max(calls, shipped["max_calls"].default)),
        "max_watchers": str(max(calls, shipped["max_watchers"].default)),
        "max_loop_lag_ms": "1000",
    }


def run(load: Load, warm_up_seconds: float, module: Sequence[str] = SERVICE) -> Step:
    """One load on a server of its own."""
    with started(settings(load.calls), module) as server:
        found, _ = measure(replace(load, server=server.address), server, warm_up_seconds)
        return Step(found, server.ready_seconds or 0.0)


def table(steps: Sequence[Step]) -> Table:
    """One row a step. Lost: calls refused or broken; CPU: of the server, a call-second; late: the
    generator's sends, p99; stolen: cores, by the host."""
    shown = Table(title=f"Density, messages of {steps[0].figures.message_ms} ms", padding=0)
    for name in COLUMNS:
        shown.add_column(name, justify="right")
    for step in steps:
        shown.add_row(*(text(step) for text in COLUMNS.values()))
    return shown


COLUMNS: dict[str, Callable[[Step], str]] = {
    "calls": lambda s: f"{s.calls}",
    "p50": lambda s: f"{s.figures.p50_ms:.0f}",
    "p99 ms": lambda s: f"{s.figures.p99_ms:.0f}",
    "missed": lambda s: f"{s.figures.misses}",
    "of": lambda s: f"{s.figures.misses + s.figures.scores}",
    "lost": lambda s: f"{_count(s.figures.refused) + _count(s.figures.broken)}",
    "CPU ms": lambda s: f"{s.figures.cpu_ms_per_call_second:.2f}",
    "MB": lambda s: f"{s.figures.rss_peak_mb:.0f}",
    "kB each": lambda s: f"{s.figures.rss_kb_per_call:.0f}",
    "late ms": lambda s: f"{s.figures.generator_lag_p99_ms:.0f}",
    "stolen": lambda s: f"{s.figures.stolen_cores:.2f}",
    "held": lambda s: "yes" if s.held else "no",
}


def _count(statuses: dict[str, int]) -> int:
    return sum(statuses.values())


def verdict(found: Density) -> str:
    """Two sentences."""
    held = (
        f"{found.calls} calls were carried in time"
        if found.held
        else f"Not even {found.calls} calls were carried in time"
    )
    return (
        f"{held}, for {found.cpu_ms_per_call_second:.2f} ms of processor a call-second: "
        f"{found.cost_ratio:.2f} times what the fewest cost each, and {found.floor_ratio:.1f} "
        f"times the floor ({found.floor_ms_per_call_second:.2f} ms). The service was ready after "
        f"{found.ready_seconds:.1f} s."
    )


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--message-ms", type=int, default=100, help="of audio a message (100)")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, help="numbers of calls")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each step (20)")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds not counted (5)")
    add_corpora(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the staggered starts (0)")
    parser.add_argument("--out", type=Path, help="JSON (benchmarks/results/density-100.json)")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="latency and cost by calls")
    given = parser.parse_args()
    if given.seconds <= given.warm_up + 1 or min(given.steps) < 1 or given.message_ms < 1:
        parser.error("--steps and --message-ms start at 1, --seconds exceeds --warm-up by over 1")
    given.out = given.out or Path(f"benchmarks/results/density-{given.message_ms}.json")
    return given


def main() -> None:
    given = arguments()
    conversations = spoken(given.corpora, CONVERSATION_SECONDS)
    load = Load("", conversations, 0, given.message_ms, given.seconds, seed=given.seed)
    steps = climb(sorted(given.steps), lambda n: run(replace(load, calls=n), given.warm_up))
    floor = run(replace(load, calls=top(steps).calls), given.warm_up, FLOOR)
    found = density(steps, floor.figures)
    Console().print(table(steps))
    print(verdict(found))
    content: dict[str, object] = {
        **asdict(found),
        "budget_ms": BUDGET_MS,
        "machine": asdict(this_machine()),
        "speech": "corpora" if given.corpora else "demo calls",
        "settings": settings(found.calls),
        "floor": asdict(floor.figures),
        "steps": [{**asdict(step.figures), "held": step.held} for step in steps],
    }
    write(given.out, content)
    if given.plot:
        from benchmarks.density_plot import draw  # noqa: PLC0415  (matplotlib takes a second)

        draw([step.figures for step in steps], BUDGET_MS, given.plot)


if __name__ == "__main__":
    command(main)
