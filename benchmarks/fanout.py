"""What it costs the service to tell watchers what happens in many calls.

Made-up calls tell a trend every 5 s and cues at 20 a minute each, over the real bus and gRPC front,
in a process of its own; watchers in this one read everything, several events in one message as the
wall does. The figure is the processor time of that process, user and system, in per cent of a core:
with nobody watching, then with watchers.

    python benchmarks/fanout.py [--calls 500] [--watchers 1] [--seconds 30] [--out FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.command import command
from benchmarks.machine import this_machine
from benchmarks.report import write
from benchmarks.server import MeasuredServer, started
from emotion_service.client import EmotionClient
from emotion_service.v1 import emotion_service_pb2 as pb

SETTLE_SECONDS = 3.0
TARGET_PERCENT = 5.0  # of a core, for one watcher of 500 calls


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run; `dropped` events were lost to a watcher that was too slow."""

    calls: int
    watchers: int
    seconds: float
    events_a_second: float  # at each watcher
    core_percent: float
    dropped: int


@dataclass(slots=True)
class Heard:
    """By one watcher."""

    events: int = 0
    dropped: int = 0


async def measure(server: MeasuredServer, calls: int, watchers: int, seconds: float) -> Cost:
    """One run, after the watchers have come and settled."""
    heard = [Heard() for _ in range(watchers)]
    async with EmotionClient(server.address) as client:
        watching = [asyncio.create_task(_watch(client, each)) for each in heard]
        await asyncio.sleep(SETTLE_SECONDS)
        before, count = server.sample(), sum(each.events for each in heard)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        after, took = server.sample(), time.monotonic() - began
        count = sum(each.events for each in heard) - count
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return Cost(
        calls,
        watchers,
        took,
        events_a_second=count / took / max(watchers, 1),
        core_percent=100 * (after.cpu_seconds - before.cpu_seconds) / (after.at - before.at),
        dropped=sum(each.dropped for each in heard),
    )


async def _watch(client: EmotionClient, heard: Heard) -> None:
    async for response in client.watch(pb.WatchCuesRequest(batched=True)):
        heard.events += 1
        if response.HasField("heartbeat"):
            heard.dropped = response.heartbeat.dropped


def table(costs: list[Cost]) -> Table:
    """A row a run; what watching costs is the difference to the first."""
    shown = Table("watchers", "events/s each", "% of a core", "for the watching", "dropped")
    for cost in costs:
        more = cost.core_percent - costs[0].core_percent
        figures = (f"{cost.events_a_second:.0f}", f"{cost.core_percent:.1f}", f"{more:.1f}")
        shown.add_row(str(cost.watchers), *figures, str(cost.dropped))
    shown.title = f"{costs[0].calls} calls, target {TARGET_PERCENT:g} % for one watcher"
    return shown


def main() -> None:
    """Runs, prints, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--watchers", type=int, nargs="+", default=[1])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each run (30)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fanout.json"))
    given = parser.parse_args()
    costs = []
    for watchers in (0, *given.watchers):
        with started({"calls": str(given.calls)}, ("benchmarks.fanout_server",)) as server:
            costs.append(asyncio.run(measure(server, given.calls, watchers, given.seconds)))
    Console().print(table(costs))
    write(given.out, {"machine": asdict(this_machine()), "runs": [asdict(one) for one in costs]})


if __name__ == "__main__":
    command(main)
