"""The bus of one process: live calls publish, watchers follow from where they left off."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeAlias

from emotion_service.delivery.notice import (
    Address,
    CallState,
    Heartbeat,
    Latency,
    Notice,
    Published,
    Reconnect,
    Told,
    state_key,
)
from emotion_service.delivery.outbox import Outbox
from emotion_service.errors import BadInput
from emotion_service.types import CallSummary, EmotionScore, SpeechActivity

REPLAYED_NOTICES = 10_000
REPLAYED_SECONDS = 60.0
ENDED_CALLS = 1_000  # kept for `call`
WATCHER_NOTICES = 1_000  # waiting for one watcher
HEARTBEAT_SECONDS = 5.0
CURSOR_DIGITS = 18  # of a cursor's number: more than a process ever counts to


@dataclass(frozen=True, slots=True)
class Numbered:
    """A notice with its place in the process's order of events, and when it came."""

    number: int
    monotonic: float
    notice: Notice


@dataclass(slots=True)
class LiveCall:
    """A call that is being streamed: where it is now, and how to ask for its state."""

    address: Address
    contact_id: str
    budget_ms: int
    describe: Callable[[], CallState]


@dataclass(frozen=True, slots=True)
class Watcher:
    wanted: Address
    scores_too: bool
    outbox: Outbox[Numbered | Reconnect]

    def wants(self, notice: Notice) -> bool:
        if isinstance(notice.event, EmotionScore | SpeechActivity) and not self.scores_too:
            return False
        return any(self.wanted.admits(address) for address in notice.audience)


Watched: TypeAlias = tuple[str, CallState | Notice | Heartbeat | Reconnect]


class Bus:
    """Live and recently ended calls, their latest events, and who follows them.

    A cursor is "<epoch>:<number>": the process, and the last of its events that was delivered.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._recent: deque[Numbered] = deque(maxlen=REPLAYED_NOTICES)
        self._live: dict[str, LiveCall] = {}
        self._ended: dict[str, CallState] = {}
        self._watchers: list[Watcher] = []

    # --- calls ---

    def open(
        self,
        address: Address,
        contact_id: str,
        budget_ms: int,
        describe: Callable[[], CallState],
    ) -> None:
        """A call begins; `describe` is asked whenever somebody wants its state.

        Raises:
            BadInput: CALL_ID_IN_USE.
        """
        if address.call_id in self._live:
            raise BadInput(
                "CALL_ID_IN_USE",
                "a call with this call_id is live: end its stream first, or choose another call_id",
            )
        self._ended.pop(address.call_id, None)
        call = LiveCall(address, contact_id, budget_ms, describe)
        self._live[address.call_id] = call
        self._publish(call, describe())

    def tell(self, call_id: str, event: Told, latency: Latency | None = None) -> None:
        """Something happened in a live call."""
        call = self._live[call_id]
        self._publish(call, event, latency)

    def move(self, address: Address) -> None:
        """The call's attributes changed; those who watched it under the old ones hear of it."""
        call = self._live[address.call_id]
        before, call.address = call.address, address
        self._publish(call, call.describe(), before=before)

    def end(self, call_id: str, summary: CallSummary) -> None:
        """The call is over; its state and summary stay a while."""
        call = self._live.pop(call_id)
        self._ended[call_id] = replace(call.describe(), live=False, summary=summary)
        if len(self._ended) > ENDED_CALLS:
            del self._ended[next(iter(self._ended))]
        self._publish(call, summary)

    def drop(self, call_id: str) -> None:
        """The call's stream broke off: there is no summary, and nothing of it is kept."""
        call = self._live.pop(call_id)
        self._publish(call, replace(call.describe(), live=False))

    def call(self, call_id: str) -> CallState:
        """A live or recently ended call.

        Raises:
            BadInput: CALL_UNKNOWN.
        """
        if call_id in self._live:
            return self._live[call_id].describe()
        if call_id in self._ended:
            return self._ended[call_id]
        raise BadInput(
            "CALL_UNKNOWN",
            f"no call with this call_id is live or among the last {ENDED_CALLS} that ended: "
            "check the call_id, and that its stream goes to this server",
        )

    @property
    def live_calls(self) -> int:
        return len(self._live)

    # --- watchers ---

    async def watch(
        self, wanted: Address, cursor: str = "", scores_too: bool = False
    ) -> AsyncGenerator[Watched, None]:
        """Live calls (or what came after `cursor`), a heartbeat, then events as they come.

        What is yielded before the first heartbeat of a snapshot has no cursor: only a whole
        snapshot can be built on. A cursor too old to replay is answered with a snapshot, and
        what was missed is counted. Ends when the bus is closed; close the iterator to leave.

        Raises:
            BadInput: CURSOR_INVALID.
        """
        watcher = Watcher(wanted, scores_too, Outbox(WATCHER_NOTICES))
        missed, replay = self._since(cursor)
        states = [] if replay is not None else self._matching_calls(wanted)
        at = self._number
        self._watchers.append(watcher)
        try:
            for state in states:
                yield "", state
            for numbered in replay or ():
                if watcher.wants(numbered.notice):
                    yield self._cursor(numbered.number), numbered.notice
            yield self._cursor(at), Heartbeat(missed)
            async with aclosing(self._follow(watcher, at, missed)) as news:
                async for item in news:
                    yield item
        finally:
            self._watchers.remove(watcher)

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def announce(self, reconnect: Reconnect) -> None:
        """To every watcher: the service is about to stop."""
        for watcher in self._watchers:
            watcher.outbox.put(reconnect)

    def close(self) -> None:
        """Every watcher reads what is waiting, then ends."""
        for watcher in self._watchers:
            watcher.outbox.close()

    async def _follow(
        self, watcher: Watcher, at: int, missed: int
    ) -> AsyncGenerator[Watched, None]:
        outbox, told = watcher.outbox, 0
        while True:
            try:
                async with asyncio.timeout(self._heartbeat_seconds):
                    item = await anext(outbox)
            except TimeoutError:
                at = self._number
                yield self._cursor(at), Heartbeat(missed + outbox.missed)
                continue
            except StopAsyncIteration:
                return
            if outbox.missed > told:  # at the cursor before the hole: from there all is replayed
                told = outbox.missed
                yield self._cursor(at), Heartbeat(missed + told)
            if isinstance(item, Reconnect):
                yield self._cursor(at), item
                continue
            at = item.number
            yield self._cursor(at), item.notice

    # --- the order of events ---

    def _publish(
        self,
        call: LiveCall,
        event: Published,
        latency: Latency | None = None,
        before: Address | None = None,
    ) -> None:
        self._number += 1
        now = self._clock()
        audience = (before or call.address, call.address)
        notice = Notice(audience, call.contact_id, event, latency, call.budget_ms)
        numbered = Numbered(self._number, now, notice)
        self._recent.append(numbered)
        while self._recent[0].monotonic < now - REPLAYED_SECONDS:
            self._recent.popleft()
        key = state_key(event)
        for watcher in self._watchers:
            if watcher.wants(notice):
                watcher.outbox.put(numbered, None if key is None else (notice.call_id, key))

    def _since(self, cursor: str) -> tuple[int, list[Numbered] | None]:
        """How many events after the cursor are lost, and the events; None: start over."""
        if not cursor:
            return 0, None
        epoch, _, number = cursor.partition(":")
        if not number.isdecimal() or len(number) > CURSOR_DIGITS:
            raise BadInput(
                "CURSOR_INVALID",
                "the cursor is not one that this service gave out: pass one on unchanged, "
                "or leave it empty to start with a snapshot",
            )
        if epoch != self._epoch:
            return self._number, None
        last = int(number)
        first_kept = self._recent[0].number if self._recent else self._number + 1
        if last + 1 < first_kept:
            return self._number - last, None
        return 0, [numbered for numbered in self._recent if numbered.number > last]

    def _matching_calls(self, wanted: Address) -> list[CallState]:
        return [call.describe() for call in self._live.values() if wanted.admits(call.address)]

    def _cursor(self, number: int) -> str:
        return f"{self._epoch}:{number}"
