"""What was promised of speed, and what `make bench` found: one table of all its results.

python benchmarks/targets.py [--results benchmarks/results]
"""

from __future__ import annotations

import argparse
import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

from benchmarks.command import command

Results: TypeAlias = dict[str, Any]  # a file's content
COARSE, FINE, STAGES = "density-100", "density-20", "stages"
FILES = (COARSE, FINE, STAGES)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of a result file and what it should be; `of` gives None where there is no
    such figure."""

    text: str
    file: str
    of: Callable[[Results], float | None]
    sign: str
    bound: float

    def row(self, results: dict[str, Results]) -> tuple[str, str, str, str]:
        """What it is, what it should be, what was found, and whether that will do."""
        bound = f"{self.sign} {self.bound:g}"
        if self.file not in results:
            return self.text, bound, "–", "not measured"
        found = self.of(results[self.file])
        if found is None:  # infinite, or of more calls than could be carried
            return self.text, bound, "–", "NO"
        met = "yes" if SIGNS[self.sign](found, self.bound) else "NO"
        return self.text, bound, f"{found:.3g}", met


def figure(*path: str) -> Callable[[Results], float | None]:
    """The number under these keys, one inside the other."""

    def of(results: Results) -> float | None:
        value: Any = results
        for key in path:
            value = value[key]
        return None if value is None else float(value)

    return of


def step(calls: int, name: str) -> Callable[[Results], float | None]:
    """The least of a figure of the steps with so many calls; a miss makes it infinite (null)."""

    def of(results: Results) -> float | None:
        every = [one[name] for one in results["steps"] if one["calls"] == calls]
        return min((float(one) for one in every if one is not None), default=None)

    return of


def ratio(name: str, calls: int, fewest: int) -> Callable[[Results], float | None]:
    """Of a figure with so many calls to that with the fewest."""

    def of(results: Results) -> float | None:
        many, few = step(calls, name)(results), step(fewest, name)(results)
        return None if many is None or few is None else many / few

    return of


def model_ms(results: Results) -> float | None:
    """Processor time of the model for a window in batches of 16."""
    own = [one for one in results["stages"] if one["stage"] == "model" and one["batch"] == 16]
    return float(own[0]["least_us"]) / 1e3 if own else None


def evidence(when: str) -> Callable[[Results], float | None]:
    """Seconds of speech in half of the calls of the first step."""

    def of(results: Results) -> float | None:
        return figure("evidence_seconds", when, "p50")(results["steps"][0])

    return of


def table(results: dict[str, Results]) -> Table:
    """One row a target."""
    shown = Table(title="What was promised, and what was found")
    for name in ("figure", "target", "found", "met"):
        shown.add_column(name, justify="left" if name == "figure" else "right")
    for target in TARGETS:
        shown.add_row(*target.row(results))
    return shown


def read(folder: Path) -> dict[str, Results]:
    """The results that are there, by file."""
    paths = {name: folder / f"{name}.json" for name in FILES}
    return {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if path.exists()
    }


LE, GE = "≤", "≥"
SIGNS: dict[str, Callable[[float, float], bool]] = {LE: operator.le, GE: operator.ge}
TARGETS = (
    Target(
        "CPU ms a call-second, 100 ms messages", COARSE, figure("cpu_ms_per_call_second"), LE, 4
    ),
    Target("CPU ms a call-second, 20 ms messages", FINE, figure("cpu_ms_per_call_second"), LE, 8),
    Target("times the floor, 100 ms messages", COARSE, figure("floor_ratio"), LE, 4),
    Target("times the floor, 20 ms messages", FINE, figure("floor_ratio"), LE, 4),
    Target("calls carried in time, 100 ms messages", COARSE, figure("calls"), GE, 250),
    Target("calls carried in time, 20 ms messages", FINE, figure("calls"), GE, 100),
    Target("250 calls, 100 ms messages: p50, ms", COARSE, step(250, "p50_ms"), LE, 30),
    Target("250 calls, 100 ms messages: p99, ms", COARSE, step(250, "p99_ms"), LE, 100),
    Target("100 calls, 20 ms messages: p50, ms", FINE, step(100, "p50_ms"), LE, 30),
    Target("100 calls, 20 ms messages: p99, ms", FINE, step(100, "p99_ms"), LE, 100),
    Target("speech until the first score, s", COARSE, evidence("first score"), LE, 0.6),
    Target("speech until the first firm score, s", COARSE, evidence("first firm score"), LE, 1.2),
    Target("speech until the first state, s", COARSE, evidence("first state"), LE, 1.2),
    Target("memory a call, kB", COARSE, figure("rss_kb_per_call"), LE, 300),
    Target("memory before any call, MB", COARSE, figure("rss_mb"), LE, 250),
    Target(
        "cost of a call, 250 against 25",
        COARSE,
        ratio("cpu_ms_per_call_second", 250, 25),
        LE,
        1.15,
    ),
    Target("start until ready, s", COARSE, figure("ready_seconds"), LE, 2.5),
    Target("model, CPU ms a window in batches of 16", STAGES, model_ms, LE, 1),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    Console().print(table(read(parser.parse_args().results)))


if __name__ == "__main__":
    command(main)
