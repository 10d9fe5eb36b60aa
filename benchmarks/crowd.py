"""A crowd that never rests: always as many live calls, each replaced by another once it ends.

Meant for a process of its own. Watchers come and go beside the calls, and some never read.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import grpc

from benchmarks.churn import Fate, Planned, Visit, planned_calls, visits
from benchmarks.load import (
    LEAD_SECONDS,
    OPTIONS,
    HeardCall,
    Load,
    channel,
    converse,
    ignore,
    messages,
    opened,
    received,
    was_cut,
    watching,
)
from benchmarks.timing import starts
from emotion_service.v1 import emotion_service_pb2 as pb

TURNED_AWAY_SECONDS = 1.0  # until who was turned away at the door comes back
LAST_CALL_SECONDS = 0.5  # no call begins that would be shorter
UNREAD_SECONDS = 45.0  # the service cuts a watcher who never reads after 30
LAST_WORD_SECONDS = 5.0  # for what a watcher who never read can still read
CALLS_A_LINE = 100_000  # numbers for the calls of one line


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who comes. `load` has the server, the conversations, how many calls, and for how long."""

    load: Load
    call_seconds: tuple[float, float] = (20.0, 60.0)
    watchers: int = 5
    visit_seconds: tuple[float, float] = (5.0, 30.0)


@dataclass(slots=True)
class Tally:
    """What became of them. Times in monotonic seconds."""

    began: float = 0.0
    ended: Counter[Fate] = field(default_factory=Counter)  # as planned
    unexpected: Counter[str] = field(default_factory=Counter)  # ended otherwise
    turned_away: Counter[str] = field(default_factory=Counter)  # at the door, by status
    scores: int = 0
    misses: int = 0  # windows skipped or never answered
    over_budget: int = 0
    visits: int = 0
    told: int = 0  # events to the watchers who read
    cut: int = 0  # watchers who never read

    def hear(self, call: HeardCall, fate: Fate) -> None:
        """A call has ended."""
        if call.status == fate.status:
            self.ended[fate] += 1
        else:
            self.unexpected[f"{fate.name} ended {call.status}"] += 1
        seen = 0
        for _, data in call.events:
            event = pb.StreamingAnalyzeResponse.FromString(data)
            if event.HasField("score"):
                seen += 1
                if event.score.abstain_reason == pb.ABSTAIN_REASON_OVERLOADED:
                    self.misses += 1
                elif not event.score.within_budget:
                    self.over_budget += 1
            elif event.HasField("summary"):
                self.misses += sum(leg.scores for leg in event.summary.legs) - seen
        self.scores += seen


def run(crowd: Crowd) -> Tally:
    """Sends the crowd from here, for as long as its load says."""
    return asyncio.run(_run(crowd))


async def _run(crowd: Crowd) -> Tally:
    load, tally = crowd.load, Tally(began=time.monotonic() + LEAD_SECONDS)
    ends = tally.began + load.seconds
    async with channel(load.server, OPTIONS) as gateway, asyncio.TaskGroup() as everybody:
        for line, start in enumerate(starts(load.calls, load.seed)):
            begins = tally.began + start
            everybody.create_task(_line(gateway, crowd, line, begins, ends, tally))
        for place in range(crowd.watchers):
            everybody.create_task(_come_and_go(crowd, place, ends, tally))
        for _ in range(load.slow_watchers):
            everybody.create_task(_never_read(load.server, ends, tally))
    return tally


# --- calls ------------------------------------------------------------------------------------


async def _line(
    gateway: grpc.aio.Channel, crowd: Crowd, line: int, begins: float, ends: float, tally: Tally
) -> None:
    """One call after the other until `ends`; the last one is shortened and completed."""
    await asyncio.sleep(begins - time.monotonic())
    plans = planned_calls(crowd.load.seed, line, crowd.call_seconds)
    for number, planned in enumerate(plans, line * CALLS_A_LINE):
        plan = planned
        while (left := ends - time.monotonic()) > LAST_CALL_SECONDS:
            if left < planned.seconds:
                plan = Planned(left, Fate.COMPLETED)
            if await _call(gateway, crowd.load, number, plan, tally):
                break
            await asyncio.sleep(TURNED_AWAY_SECONDS)
        else:
            return


async def _call(
    gateway: grpc.aio.Channel, load: Load, number: int, plan: Planned, tally: Tally
) -> bool:
    """One call; False when it was turned away."""
    call = HeardCall(start=time.monotonic())
    stream = await opened(gateway, call)
    if not call.accepted:
        tally.turned_away[call.status] += 1
        return False
    call.start = time.monotonic()
    own = replace(load, seconds=plan.seconds)
    if plan.fate is Fate.CANCELLED:  # while it has more to say
        own = replace(load, seconds=2 * plan.seconds)
        asyncio.get_running_loop().call_later(plan.seconds, stream.cancel)
    await converse(stream, spoilt(messages(own, number), own.messages, plan.fate), own, call)
    tally.hear(call, plan.fate)
    return True


def spoilt(audio: Iterator[bytes], count: int, fate: Fate) -> Iterator[bytes]:
    """The audio, `count` messages, with what the call's fate puts in the place of one of them."""
    at, instead = {
        Fate.WITHDRAWN: (count // 2, _update(pb.CallUpdate(consent=pb.CONSENT_WITHDRAWN))),
        Fate.GARBAGE: (count - 1, b"\xff" * 100),
        Fate.WRONG_UPDATE: (count - 1, _update(pb.CallUpdate())),
    }.get(fate, (count, b""))
    for number, message in enumerate(audio):
        yield instead if number == at else message


def _update(change: pb.CallUpdate) -> bytes:
    return pb.StreamingAnalyzeRequest(update=change).SerializeToString()


# --- watchers ---------------------------------------------------------------------------------


async def _come_and_go(crowd: Crowd, place: int, ends: float, tally: Tally) -> None:
    """One watcher of all calls after the other."""
    for visit in visits(crowd.load.seed, place, crowd.visit_seconds):
        leaves = min(ends, time.monotonic() + visit.seconds)
        await _visit(crowd.load.server, visit, leaves, tally)
        if leaves == ends:
            return


async def _visit(server: str, visit: Visit, leaves: float, tally: Tally) -> None:
    async with AsyncExitStack() as stack:
        request = pb.WatchCuesRequest(include_scores=visit.scores_too)
        stream = await watching(stack, server, request)
        tally.visits += 1
        try:
            async with asyncio.timeout_at(leaves):
                async for _ in received(stream):
                    tally.told += 1
            status = (await stream.code()).name
        except grpc.aio.AioRpcError as error:
            status = error.code().name
        except TimeoutError:
            stream.cancel()
            return
    tally.unexpected[f"a watcher ended {status}"] += 1


async def _never_read(server: str, ends: float, tally: Tally) -> None:
    """One watcher of everything who reads nothing, after the other."""
    while (left := ends - time.monotonic()) > 0:
        async with AsyncExitStack() as stack:
            stream = await ignore(stack, server)
            await asyncio.sleep(min(left, UNREAD_SECONDS))
            tally.cut += await _was_cut(stream)
            stream.cancel()


async def _was_cut(stream: grpc.aio.UnaryStreamCall[bytes, bytes]) -> bool:
    try:
        async with asyncio.timeout(LAST_WORD_SECONDS):
            return await was_cut(stream)
    except TimeoutError:
        return False
