"""A service without audio: calls that only tell, over the real bus and the real gRPC front.

EMOTION_SERVICE_CALLS=500 python -m benchmarks.fanout_server --listen HOST:PORT
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from emotion_service.address import parse
from emotion_service.app import load_scorer
from emotion_service.delivery.bus import Bus
from emotion_service.delivery.directory import LiveCall
from emotion_service.delivery.notice import Address, CallState
from emotion_service.fronts.admission import Admission
from emotion_service.fronts.grpc import EmotionServicer
from emotion_service.fronts.grpc_server import GrpcServer
from emotion_service.fronts.stream import Service
from emotion_service.scoring.batcher import Batcher
from emotion_service.types import Cue, CueKind, CuePhase, LegTrend, Reason, Trend

TREND_SECONDS = 5.0
CUE_SECONDS = 3.0  # on average, at random: 20 a minute
REASONS = tuple(
    Reason(feature, 1.0, 0.8, unit, 1.5, True, f"{feature} 22 % above their usual")
    for feature, unit in (("pitch", "Hz"), ("pace", "syllables/s"), ("brightness", "dB/octave"))
)


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A call has something to tell at `at` (seconds since the start)."""

    at: float
    call: int
    is_cue: bool


def schedule(calls: int, seed: int = 0) -> Iterator[Due]:
    """What `calls` calls tell and when, in order and without end; the same for the same seed."""
    random = np.random.default_rng(seed)
    waiting = [Due(float(random.uniform(0, TREND_SECONDS)), call, False) for call in range(calls)]
    waiting += [Due(float(random.exponential(CUE_SECONDS)), call, True) for call in range(calls)]
    heapq.heapify(waiting)
    while True:
        due = waiting[0]
        wait = float(random.exponential(CUE_SECONDS)) if due.is_cue else TREND_SECONDS
        heapq.heapreplace(waiting, Due(due.at + wait, due.call, due.is_cue))
        yield due


def name(call: int) -> str:
    """Its call_id."""
    return f"call-{call:04}"


def open_calls(bus: Bus, calls: int) -> None:
    """All of them, in ten queues."""
    for call in range(calls):
        address = Address(name(call), "acme", f"queue-{call % 10}", f"agent-{call}")
        bus.open(_made_up(CallState(address, name(call), live=True, elapsed=0, legs=())))


def _made_up(state: CallState) -> LiveCall:
    return LiveCall(state.address, state.contact_id, 300, lambda: state, lambda: None)


async def tell(bus: Bus, calls: int) -> None:
    """Everything at its time."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for number, due in enumerate(schedule(calls)):
        if (early := began + due.at - clock()) > 0:
            await asyncio.sleep(early)
        bus.tell(name(due.call), cue(number, due.at) if due.is_cue else trend(due.at))


def cue(number: int, seconds: float) -> Cue:
    """As large as an agitated customer's is."""
    at = int(seconds * 8000)
    phase, kind = CuePhase.ONSET, CueKind.AGITATED
    return Cue("customer", number, kind, phase, at, at, at, 0.9, 8000, None, REASONS)


def trend(seconds: float) -> Trend:
    """Of two legs, one of them scored."""
    customer = LegTrend("customer", 0.6, 0.5, 0.4, 0.1, 0.3, 0.2)
    return Trend(int(seconds * 8000), (customer, LegTrend("agent", 0.4)))


async def serve(listen: str, calls: int) -> None:
    """Until SIGTERM."""
    place, bus, stop = parse(listen), Bus(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    scorer = load_scorer()
    async with Batcher(scorer) as batcher, Admission() as admission:
        service = Service(scorer, batcher, bus, admission=admission)
        server = GrpcServer(EmotionServicer(service, mixed_allowed=False))
        server.bind(place.host, place.port)
        await server.start()
        open_calls(bus, calls)
        telling = asyncio.create_task(tell(bus, calls))
        await stop.wait()
        telling.cancel()
        bus.close()
        await server.stop(None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.listen, int(os.environ["EMOTION_SERVICE_CALLS"])))
