"""What do callers who are turned away cost those who are served?

The same load twice on one server that is full with it, all else by default: alone, and beside twice
as many callers more, who are refused and try again as soon as the server said. With them, three
times as many calls are wanted as can be served. The refused come from a process of their own, once
the calls are in.

    python -m benchmarks.overload [--seconds 30] [--corpora DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import grpc
from rich.console import Console

from benchmarks.command import command
from benchmarks.conversation import add_corpora, spoken
from benchmarks.figures import Figures
from benchmarks.latency import CONVERSATION_SECONDS, measure, table
from benchmarks.load import LEAD_SECONDS, OPTIONS, SERVICE, CallStream, Load, channel, config
from benchmarks.machine import this_machine
from benchmarks.report import write
from benchmarks.server import started
from benchmarks.timing import percentile
from emotion_service.client.status import Refused, understood
from emotion_service.config import Settings

TIMES = 3  # as many calls are wanted as can be served
SETTLING_SECONDS = 2.0  # in which the calls that are served come in, and end, while nobody knocks
SPREAD_SECONDS = 2.0  # in which the others come for the first time
OUT = Path("benchmarks/results/overload.json")


@dataclass(slots=True)
class Knocks:
    """What callers who should be refused met: reasons, and milliseconds until each was told."""

    reasons: Counter[str]
    took_ms: list[float]


@dataclass(frozen=True, slots=True)
class Overload:
    """What the refused cost the others: their p99 with against without; and how soon it was told.
    `let_in`: callers whom the full server took all the same."""

    p99_ratio: float
    cpu_ratio: float
    refused: int
    let_in: int
    refused_p50_ms: float
    refused_p99_ms: float


def knock(server: str, callers: int, seconds: float) -> Knocks:
    """So many callers, each again and again. Meant for a process of its own."""
    return asyncio.run(_knock(server, callers, seconds))


async def _knock(server: str, callers: int, seconds: float) -> Knocks:
    knocks = Knocks(Counter(), [])
    await asyncio.sleep(LEAD_SECONDS + SETTLING_SECONDS)
    until = time.monotonic() + seconds - 2 * SETTLING_SECONDS
    async with channel(server, OPTIONS) as gateway:
        await gateway.channel_ready()
        await asyncio.gather(
            *(
                _insist(gateway, server, SPREAD_SECONDS * caller / callers, until, knocks)
                for caller in range(callers)
            )
        )
    return knocks


async def _insist(
    gateway: grpc.aio.Channel, server: str, wait: float, until: float, knocks: Knocks
) -> None:
    """One caller, who first comes after `wait` seconds."""
    while time.monotonic() + wait < until:
        await asyncio.sleep(wait)
        began = time.monotonic()
        reason, wait = await _try(gateway, server)
        knocks.reasons[reason] += 1
        knocks.took_ms.append((time.monotonic() - began) * 1e3)


async def _try(gateway: grpc.aio.Channel, server: str) -> tuple[str, float]:
    """Why not, or "" when let in; and after how many seconds to try again."""
    stream: CallStream = gateway.stream_stream(f"{SERVICE}/StreamingAnalyze")(None)
    try:
        with understood(server):
            await stream.write(config(f"knock-{uuid4().hex[:12]}").SerializeToString())
            await stream.read()
    except Refused as refused:
        return refused.reason, refused.retry_seconds or 1.0
    stream.cancel()
    return "", 1.0


def compare(alone: Figures, beside: Figures, knocks: Knocks) -> Overload:
    """What the second run was like for both sides."""
    let_in = knocks.reasons[""]
    return Overload(
        p99_ratio=beside.p99_ms / alone.p99_ms,
        cpu_ratio=beside.cpu_ms_per_call_second / alone.cpu_ms_per_call_second,
        refused=knocks.reasons.total() - let_in,
        let_in=let_in,
        refused_p50_ms=percentile(knocks.took_ms, 0, 50),
        refused_p99_ms=percentile(knocks.took_ms, 0, 99),
    )


def measured(load: Load, warm_up_seconds: float) -> tuple[list[Figures], Overload]:
    """Both runs, on a server of their own that takes `load.calls` calls."""
    settings = {"max_calls": str(load.calls)}
    with started(settings) as server, ProcessPoolExecutor(1, get_context("spawn")) as others:
        load = replace(load, server=server.address)
        alone, _ = measure(load, server, warm_up_seconds)
        callers = (TIMES - 1) * load.calls
        knocking = others.submit(knock, server.address, callers, load.seconds)
        beside, _ = measure(load, server, warm_up_seconds)
        return [alone, beside], compare(alone, beside, knocking.result())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    most = Settings().max_calls
    parser.add_argument("--calls", type=int, default=most, help=f"that are served ({most})")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each call (30)")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds not counted (5)")
    add_corpora(parser)
    parser.add_argument("--out", type=Path, default=OUT, help=f"the figures as JSON ({OUT})")
    given = parser.parse_args()
    conversations = spoken(given.corpora, CONVERSATION_SECONDS)
    load = Load("", conversations, given.calls, message_ms=100, seconds=given.seconds)
    runs, found = measured(load, given.warm_up)
    Console().print(table(runs))
    print(
        f"{found.refused} callers refused, in {found.refused_p50_ms:.1f} ms (p50), "
        f"{found.refused_p99_ms:.1f} (p99), {found.let_in} let in; those who were served: "
        f"p99 × {found.p99_ratio:.2f}, processor time × {found.cpu_ratio:.2f}"
    )
    write(
        given.out,
        {
            "machine": asdict(this_machine()),
            "runs": [asdict(one) for one in runs],
            "overload": asdict(found),
        },
    )


if __name__ == "__main__":
    command(main)
