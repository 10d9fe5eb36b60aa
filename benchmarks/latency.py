"""How long until a score of live audio is at its client, under a stated load?

An open loop: every message of every call has its time, whatever the service answers. Latency of a
score = its arrival at the client - the scheduled send of the last message that it needed. Windows
that were skipped or never answered are misses and count as infinite. The first seconds (warm-up)
are not counted. Load comes from a process of its own; one call = two µ-law legs in one message,
in real time, the customer permitted, one watcher.

    python benchmarks/latency.py --calls 50 --seconds 60 [--corpora DIR] [--out FILE]

With --slow-watchers the same load runs twice, without and with watchers who never read, and what
they cost the others is told.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from benchmarks.command import command
from benchmarks.conversation import add_corpora, spoken
from benchmarks.figures import Answer, Figures, figures
from benchmarks.load import LEAD_SECONDS, Load, run
from benchmarks.machine import this_machine
from benchmarks.report import write
from benchmarks.server import MeasuredServer, Sample, running, started

SAMPLE_SECONDS = 0.1
CONVERSATION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SlowWatchers:
    """What watchers who never read cost the others, and the server."""

    count: int
    p99_ratio: float  # of the other watchers' p99, with against without
    rss_mb_each: float
    cut: int


def measure(
    load: Load, server: MeasuredServer, warm_up_seconds: float
) -> tuple[Figures, list[Answer]]:
    """One run of the load, with a progress bar on stderr."""
    samples: list[Sample] = [server.sample()]
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as generator,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        heard = generator.submit(run, load)
        bar = progress.add_task(f"{load.calls} calls", total=LEAD_SECONDS + load.seconds)
        while not heard.done():
            time.sleep(SAMPLE_SECONDS)
            samples.append(server.sample())
            progress.update(bar, completed=samples[-1].at - samples[0].at)
        return figures(load, heard.result(), samples, warm_up_seconds)


def compare(without: Figures, with_them: Figures) -> SlowWatchers:
    """What the slow watchers of the second run changed."""
    growth = with_them.rss_peak_mb - without.rss_peak_mb
    return SlowWatchers(
        count=with_them.slow_watchers,
        p99_ratio=with_them.watched_p99_ms / without.watched_p99_ms,
        rss_mb_each=growth / with_them.slow_watchers,
        cut=with_them.slow_watchers_cut,
    )


def table(runs: list[Figures]) -> Table:
    """One column a run."""
    title = "Latency of live scores, ms"
    shown = Table(Column("figure", no_wrap=True), *map(_heading, runs), title=title)
    for name in ("p50", "p90", "p99", "max"):
        shown.add_row(f"score at the client, {name}", *(_ms(asdict(r)[f"{name}_ms"]) for r in runs))
    for stage in runs[0].stages_ms:
        percentiles = [one.stages_ms[stage] for one in runs]
        shown.add_row(
            f"  {stage}, p50 / p99", *(f"{_ms(p['p50'])} / {_ms(p['p99'])}" for p in percentiles)
        )
    for when in runs[0].evidence_seconds:
        spoken = [one.evidence_seconds[when] for one in runs]
        shown.add_row(
            f"seconds of speech: {when}, p50 / p90",
            *(f"{_ms(p['p50'])} / {_ms(p['p90'])}" for p in spoken),
        )
    for label, text in ROWS.items():
        shown.add_row(label, *(text(one) for one in runs))
    return shown


ROWS: dict[str, Callable[[Figures], str]] = {
    "at its watcher, p50 / p99": lambda r: f"{_ms(r.watched_p50_ms)} / {_ms(r.watched_p99_ms)}",
    "scores, misses": lambda r: f"{r.scores}, {r.misses}",
    "events at watchers": lambda r: f"{r.watched}",
    "calls refused, broken": lambda r: f"{_counts(r.refused)}, {_counts(r.broken)}",
    "server CPU ms a call-second": lambda r: f"{r.cpu_ms_per_call_second:.2f}",
    "server RSS MB, before / peak": lambda r: f"{r.rss_mb:.0f} / {r.rss_peak_mb:.0f}",
    "server RSS kB a call": lambda r: f"{r.rss_kb_per_call:.0f}",
    "generator: sends late by, p99 ms": lambda r: _ms(r.generator_lag_p99_ms),
    "cores: generator / others / the host's": lambda r: (
        f"{r.generator_cores:.2f} / {r.other_cores:.2f} / {r.stolen_cores:.2f}"
    ),
    "customer speaks": lambda r: f"{r.customer_speaks:.0%} of the time",
}


def _heading(one: Figures) -> str:
    slow = f"\n{one.slow_watchers} slow watchers" if one.slow_watchers else ""
    return f"{one.calls} calls, {one.message_ms} ms{slow}"


def _ms(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.1f}"


def _counts(statuses: dict[str, int]) -> str:
    named = ", ".join(f"{count} {status}" for status, count in statuses.items())
    return named or "none"


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=50, help="at the same time (50)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each call (60)")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds not counted (5)")
    parser.add_argument("--message-ms", type=int, default=100, help="of audio a message (100)")
    add_corpora(parser)
    parser.add_argument("--server", metavar="HOST:PORT", help="a running one, on this machine")
    parser.add_argument("--slow-watchers", type=int, default=0, help="who connect and never read")
    parser.add_argument("--seed", type=int, default=0, help="of the staggered starts (0)")
    out = Path("benchmarks/results/latency.json")
    parser.add_argument("--out", type=Path, default=out, help=f"the figures as JSON ({out})")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="a histogram by stage")
    given = parser.parse_args()
    if given.seconds <= given.warm_up + 1 or given.calls < 1 or given.message_ms < 1:
        parser.error("--calls and --message-ms start at 1, --seconds exceeds --warm-up by over 1")
    return given


def main() -> None:
    given = arguments()
    load = Load(
        server="",
        conversations=spoken(given.corpora, CONVERSATION_SECONDS),
        calls=given.calls,
        message_ms=given.message_ms,
        seconds=given.seconds,
        watch_scores=given.slow_watchers > 0,
        seed=given.seed,
    )
    with nullcontext(running(given.server)) if given.server else started() as server:
        load = replace(load, server=server.address)
        runs = [measure(load, server, given.warm_up)]
        if given.slow_watchers:
            slow = replace(load, slow_watchers=given.slow_watchers)
            runs.append(measure(slow, server, given.warm_up))
    shown = [one for one, _ in runs]
    Console().print(table(shown))
    content: dict[str, object] = {
        "machine": asdict(this_machine()),
        "speech": "corpora" if given.corpora else "demo calls",
        "runs": [asdict(one) for one in shown],
    }
    if given.slow_watchers:
        cost = compare(*shown)
        print(
            f"{cost.count} slow watchers: the others' p99 × {cost.p99_ratio:.2f}, "
            f"{cost.rss_mb_each:.2f} MB each, {cost.cut} cut"
        )
        content["slow_watchers"] = asdict(cost)
    write(given.out, content)
    if given.plot:
        from benchmarks.histogram import draw  # noqa: PLC0415  (matplotlib takes a second)

        draw(runs[-1][1], given.plot)


if __name__ == "__main__":
    command(main)
