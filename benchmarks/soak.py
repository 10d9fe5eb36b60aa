"""Does the service keep its memory while calls come and go for a long time?

Always as many live calls, in real time, each of 20 to 60 s and then replaced by another: most are
completed, some cancelled, some refused for what they send, some lose their consent half-way.
Watchers come and go, a few never read. The server's memory, processor time, open files and gauges
are read every second. Flat means: after the warm-up the memory line rises or falls by at most 2 MB
in 10 minutes. The exit code is 1 when it is not flat, or when a call ended otherwise than meant.

    python benchmarks/soak.py [--calls 50] [--seconds 600] [--corpora DIR] [--plot docs/soak.svg]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, fields, replace
from http.client import HTTPConnection
from multiprocessing import get_context
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from benchmarks.command import command
from benchmarks.conversation import add_corpora, spoken
from benchmarks.crowd import Crowd, Tally, run
from benchmarks.load import LEAD_SECONDS, Load
from benchmarks.machine import this_machine
from benchmarks.report import write
from benchmarks.server import MeasuredServer, free_address, started
from benchmarks.trend import FLAT_MB_PER_10_MINUTES, Moment, SoakFigures, figures

CONVERSATION_SECONDS = 60.0
SLOW_WATCHERS = 3
ENDING_SECONDS = 1.0  # the last calls end in these: not looked at
LIVE_CALLS, WATCHERS = "emotion_service_live_calls", "emotion_service_watchers"


def soak(
    crowd: Crowd, server: MeasuredServer, metrics: str, sample_seconds: float = 1.0
) -> tuple[Tally, list[Moment]]:
    """One soak, with a progress bar on stderr; `metrics` is the HOST:PORT of /metrics."""
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as generator,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        begins = time.monotonic()
        running = generator.submit(run, crowd)
        name = f"{crowd.load.calls} calls"
        bar = progress.add_task(name, total=LEAD_SECONDS + crowd.load.seconds)
        seen = []
        for at in _every(sample_seconds, begins):
            if running.done():
                break
            seen.append(_look(server, metrics))
            progress.update(bar, completed=at - begins)
        tally = running.result()
    moments = [replace(moment, at=moment.at - tally.began) for moment in seen]
    return tally, [one for one in moments if 0 <= one.at < crowd.load.seconds - ENDING_SECONDS]


def _every(seconds: float, begins: float) -> Iterator[float]:
    """Waits for each of the next multiples of `seconds` after `begins`, without end."""
    at = begins
    while True:
        yield at
        at += seconds
        time.sleep(max(0.0, at - time.monotonic()))


def _look(server: MeasuredServer, metrics: str) -> Moment:
    """The server now, in monotonic seconds."""
    used, gauges = server.sample(), _gauges(metrics)
    return Moment(
        at=used.at,
        rss_mb=used.rss_bytes / 1e6,
        cpu_seconds=used.cpu_seconds,
        open_files=server.process.num_fds(),
        live_calls=int(gauges[LIVE_CALLS]),
        watchers=int(gauges[WATCHERS]),
    )


def _gauges(metrics: str) -> dict[str, float]:
    connection = HTTPConnection(metrics, timeout=10)
    connection.request("GET", "/metrics")
    families = text_string_to_metric_families(connection.getresponse().read().decode())
    connection.close()
    return {
        one.name: one.samples[0].value for one in families if one.name in (LIVE_CALLS, WATCHERS)
    }


def table(found: SoakFigures) -> Table:
    """All that was found."""
    title = f"{found.calls} calls at a time for {found.seconds:.0f} s"
    shown = Table(Column("figure", no_wrap=True), Column("value", justify="right"), title=title)
    for label, text in ROWS.items():
        shown.add_row(label, text(found))
    return shown


ROWS: dict[str, Callable[[SoakFigures], str]] = {
    "memory (RSS) after 1 minute, MB": lambda f: f"{f.rss_after_1_minute_mb:.1f}",
    "memory at the end, MB": lambda f: f"{f.rss_at_end_mb:.1f}",
    "memory at its highest, MB": lambda f: f"{f.rss_highest_mb:.1f}",
    "slope after warm-up, MB in 10 minutes": lambda f: f"{f.slope_mb_per_10_minutes:+.2f}",
    "open files at most": lambda f: f"{f.open_files_highest}",
    "live calls at least": lambda f: f"{f.live_calls_lowest}",
    "processor, cores": lambda f: f"{f.cores:.2f}",
    "calls completed": lambda f: f"{f.completed}",
    "  consent withdrawn half-way": lambda f: f"{f.withdrawn}",
    "calls cancelled": lambda f: f"{f.cancelled}",
    "calls refused for what they sent": lambda f: f"{f.refused}",
    "turned away at the door": lambda f: _counts(f.turned_away),
    "ended otherwise than meant": lambda f: _counts(f.unexpected),
    "scores": lambda f: f"{f.scores}",
    "  windows skipped or never answered": lambda f: f"{f.misses}",
    "  over their call's budget": lambda f: f"{f.over_budget}",
    "watchers who came and went": lambda f: f"{f.visits}",
    "events they were told": lambda f: f"{f.events_to_watchers}",
    "watchers who never read, cut": lambda f: f"{f.slow_watchers_cut}",
}


def _counts(named: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in named.items()) or "none"


def verdict(found: SoakFigures) -> str:
    """One sentence."""
    limit = f"the limit is {FLAT_MB_PER_10_MINUTES:g} MB in 10 minutes"
    is_flat = "is flat" if found.flat else "is NOT flat"
    return f"The memory line {is_flat}: {found.slope_mb_per_10_minutes:+.2f} MB, {limit}."


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=50, help="at the same time (50)")
    parser.add_argument("--seconds", type=float, default=600.0, help="in all (600)")
    parser.add_argument("--warm-up", type=float, default=120.0, help="seconds left out (120)")
    add_corpora(parser)
    parser.add_argument("--seed", type=int, default=0, help="of who calls, how long, and how (0)")
    out = Path("benchmarks/results/soak.json")
    parser.add_argument("--out", type=Path, default=out, help=f"the figures as JSON ({out})")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="memory and live calls over time")
    given = parser.parse_args()
    if given.calls < 1 or given.seconds < given.warm_up + 10:
        parser.error("--calls starts at 1, --seconds is longer than --warm-up by at least 10")
    return given


def main() -> None:
    given = arguments()
    metrics = free_address()
    with started({"metrics_listen": metrics}) as server:
        load = Load(
            server=server.address,
            conversations=spoken(given.corpora, CONVERSATION_SECONDS),
            calls=given.calls,
            message_ms=100,
            seconds=given.seconds,
            slow_watchers=SLOW_WATCHERS,
            seed=given.seed,
        )
        crowd = Crowd(load)
        tally, moments = soak(crowd, server, metrics)
    found = figures(crowd, tally, moments, given.warm_up)
    Console().print(table(found))
    print(verdict(found))
    content: dict[str, object] = {
        "machine": asdict(this_machine()),
        "speech": "corpora" if given.corpora else "demo calls",
        "figures": asdict(found),
        "moments": {
            "columns": [field.name for field in fields(Moment)],
            "rows": [list(astuple(moment)) for moment in moments],
        },
    }
    write(given.out, content)
    if given.plot:
        from benchmarks.memory_line import draw  # noqa: PLC0415  (matplotlib takes a second)

        draw(moments, found, given.plot)
    sys.exit(0 if found.flat and not found.unexpected else 1)


if __name__ == "__main__":
    command(main)
