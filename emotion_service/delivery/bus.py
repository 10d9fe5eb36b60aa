"""The bus of one process: live calls publish, watchers follow from where they left off."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain, islice

from emotion_service.delivery.contacts import Contact
from emotion_service.delivery.directory import Directory, LiveCall
from emotion_service.delivery.forgetting import kept
from emotion_service.delivery.interest import Interest, all_but_scores
from emotion_service.delivery.notice import (
    Address,
    CallState,
    Heartbeat,
    Latency,
    Notice,
    Published,
    Reconnect,
    Told,
    Watched,
    state_key,
)
from emotion_service.delivery.outbox import Outbox
from emotion_service.errors import BadInput
from emotion_service.types import CallSummary, Cue, Feedback

REPLAYED_NOTICES = 10_000
REPLAYED_SECONDS = 60.0
WATCHER_NOTICES = 1_000  # waiting for one watcher
HEARTBEAT_SECONDS = 5.0
GATHER_SECONDS = 0.05  # at most; between two times that a watcher is woken, which is what costs
TOGETHER = (
    32  # at most: of the largest events (a call's state: 70 KB) in one message of gRPC's 4 MB
)
CURSOR_DIGITS = 18  # of a cursor's number: more than a process ever counts to


@dataclass(frozen=True, slots=True)
class Numbered:
    """A notice with its place in the process's order of events, and when it came."""

    number: int
    monotonic: float
    notice: Notice


@dataclass(frozen=True, slots=True)
class Watcher:
    wanted: Address
    interest: Interest
    outbox: Outbox[Numbered | Reconnect]

    def wants(self, notice: Notice) -> bool:
        before, now = notice.audience
        admits = self.wanted.admits
        return self.interest(notice) and (admits(now) or (before is not now and admits(before)))


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
        self._calls = Directory()
        self._watchers: dict[str, list[Watcher]] = {}  # by the call that they watch; "": by none

    # --- calls ---

    def open(self, call: LiveCall) -> None:
        """A call begins.

        Raises:
            BadInput: CALL_ID_IN_USE.
        """
        self._calls.open(call)
        self._publish(call, self._calls.state(call))

    def tell(self, call_id: str, event: Told, latency: Latency | None = None) -> None:
        """Something happened in a live call."""
        call = self._calls.live(call_id)
        if isinstance(event, Cue):
            call.note(event)
        self._publish(call, event, latency)

    def move(self, address: Address) -> None:
        """The call's attributes changed; those who watched it under the old ones hear of it."""
        call = self._calls.live(address.call_id)
        before, call.address = call.address, address
        self._publish(call, self._calls.state(call), before=before)

    def end(self, call_id: str, summary: CallSummary) -> None:
        """The call is over; its state and summary stay a while, its hand-over with the contact,
        for whoever has its next call, or has it already."""
        call = self._calls.end(call_id, summary)
        self._publish(call, summary)
        for other in self._calls.of(call.contact):
            self._publish(other, self._calls.state(other))

    def drop(self, call_id: str) -> None:
        """The call's stream broke off: there is no summary, and nothing of it is kept."""
        call = self._calls.drop(call_id)
        self._publish(call, replace(self._calls.state(call), live=False))

    def call(self, call_id: str) -> CallState:
        """A live or recently ended call.

        Raises:
            BadInput: CALL_UNKNOWN.
        """
        return self._calls.call(call_id)

    @property
    def live_calls(self) -> int:
        return len(self._calls)

    # --- what people say of them ---

    def feedback(self, call_id: str, feedback: Feedback) -> None:
        """On a cue of a live call.

        Raises:
            BadInput: CALL_UNKNOWN.
        """
        call = self._calls.live(call_id)
        call.feedback.append(feedback)
        self._publish(call, feedback)

    def object(self, call_id: str) -> bool:
        """A customer objects: see Directory.object. Nobody is told any more, from whatever cursor,
        what was inferred before.

        Raises:
            BadInput: CALL_UNKNOWN.
        """
        before = self._number
        if not self._calls.object(call_id):
            return False
        state = self._calls.call(call_id)
        self._forget_moods((state.address.tenant, state.contact_id), before)
        return True

    def objects(self, contact: Contact) -> bool:
        """Whether the contact has objected, on whatever call."""
        return self._calls.objects(contact)

    # --- watchers ---

    async def watch(
        self, wanted: Address, cursor: str = "", interest: Interest = all_but_scores
    ) -> AsyncGenerator[list[Watched], None]:
        """Live calls (or what came after `cursor`), a heartbeat, then events as they come; those
        that come together in one list, in their order.

        What is yielded before the first heartbeat of a snapshot has no cursor: only a whole
        snapshot can be built on. A cursor too old to replay is answered with a snapshot, and
        what was missed is counted. Ends when the bus is closed; close the iterator to leave.

        Raises:
            BadInput: CURSOR_INVALID.
        """
        watcher = Watcher(wanted, interest, Outbox(WATCHER_NOTICES))
        at = self._number
        missed, first = self._first(watcher, cursor)
        self._watchers.setdefault(wanted.call_id, []).append(watcher)
        try:
            for news in first:
                yield news
            async with aclosing(self._follow(watcher, at, missed)) as following:
                async for news in following:
                    yield news
        finally:
            self._forget(watcher)

    @property
    def watchers(self) -> int:
        return sum(map(len, self._watchers.values()))

    def announce(self, reconnect: Reconnect) -> None:
        """To every watcher: the service is about to stop."""
        for watcher in chain.from_iterable(self._watchers.values()):
            watcher.outbox.put(reconnect)

    def close(self) -> None:
        """Every watcher reads what is waiting, then ends."""
        for watcher in chain.from_iterable(self._watchers.values()):
            watcher.outbox.close()

    def _forget(self, watcher: Watcher) -> None:
        call_id = watcher.wanted.call_id
        self._watchers[call_id].remove(watcher)
        if not self._watchers[call_id]:
            del self._watchers[call_id]

    def _first(self, watcher: Watcher, cursor: str) -> tuple[int, Iterator[list[Watched]]]:
        """How many events after the cursor are lost, and what is told at first, as of now."""
        missed, replay = self._since(cursor)
        live = [] if replay is not None else self._calls.matching(watcher.wanted)
        first: list[Watched] = [("", self._calls.state(call)) for call in live]
        first += [
            (self._cursor(numbered.number), numbered.notice)
            for numbered in replay or ()
            if watcher.wants(numbered.notice)
        ]
        first.append((self._cursor(self._number), Heartbeat(missed)))
        return missed, _together(first)

    async def _follow(
        self, watcher: Watcher, at: int, missed: int
    ) -> AsyncGenerator[list[Watched], None]:
        outbox, told, woken = watcher.outbox, 0, float("-inf")
        clock = asyncio.get_running_loop().time
        while True:
            if not outbox and not await self._is_stirred(outbox):
                at = self._number
                yield [(self._cursor(at), Heartbeat(missed + outbox.missed))]
                continue
            if len(outbox) < TOGETHER:
                await asyncio.sleep(woken + GATHER_SECONDS - clock())
                woken = clock()
            items, news = outbox.take(TOGETHER), list[Watched]()
            if not items:
                return
            if outbox.missed > told:  # at the cursor before the hole: from there all is replayed
                told = outbox.missed
                news.append((self._cursor(at), Heartbeat(missed + told)))
            for item in items:
                if isinstance(item, Reconnect):
                    news.append((self._cursor(at), item))
                    continue
                at = item.number
                news.append((self._cursor(at), item.notice))
            yield news

    async def _is_stirred(self, outbox: Outbox[Numbered | Reconnect]) -> bool:
        """Whether there was something to read, or an end, before a heartbeat was due."""
        try:
            async with asyncio.timeout(self._heartbeat_seconds):
                await outbox.stirred()
        except TimeoutError:
            return bool(outbox)
        return True

    # --- the order of events ---

    def _forget_moods(self, contact: Contact, upto: int) -> None:
        """Of this contact's calls, in the events up to this number."""
        standing = {
            call.address.call_id: {advice.rule for advice in call.describe().advice}
            for call in self._calls.of(contact)
        }
        recent, self._recent = self._recent, deque(maxlen=REPLAYED_NOTICES)
        for numbered in recent:
            notice = numbered.notice
            if numbered.number > upto or notice.contact != contact:
                self._recent.append(numbered)
            elif event := kept(notice.event, standing.get(notice.call_id, ())):
                left = replace(numbered, notice=replace(notice, event=event))
                self._recent.append(left)

    def _publish(
        self,
        call: LiveCall,
        event: Published,
        latency: Latency | None = None,
        before: Address | None = None,
    ) -> None:
        self._number += 1
        audience = (before or call.address, call.address)
        notice = Notice(audience, call.contact_id, event, latency, call.budget_ms)
        numbered = Numbered(self._number, self._clock(), notice)
        self._recent.append(numbered)
        self._let_go()
        self._spread(numbered)

    def _let_go(self) -> None:
        """Of events that are too old to be replayed."""
        oldest = self._clock() - REPLAYED_SECONDS
        while self._recent and self._recent[0].monotonic < oldest:
            self._recent.popleft()

    def _spread(self, numbered: Numbered) -> None:
        """To those who watch this call, and those who watch many: others are not even asked."""
        notice = numbered.notice
        watchers = (*self._watchers.get("", ()), *self._watchers.get(notice.call_id, ()))
        wanting = [watcher for watcher in watchers if watcher.wants(notice)]
        if not wanting:
            return
        key = state_key(notice.event)
        for watcher in wanting:
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
            return max(self._number, 1), None  # at the least, what that process said last
        last = int(number)
        self._let_go()
        first_kept = self._recent[0].number if self._recent else self._number + 1
        if last + 1 < first_kept:
            return self._number - last, None
        return 0, [numbered for numbered in self._recent if numbered.number > last]

    def _cursor(self, number: int) -> str:
        return f"{self._epoch}:{number}"


def _together(news: Iterable[Watched]) -> Iterator[list[Watched]]:
    """In lists of TOGETHER at most."""
    rest = iter(news)
    while some := list(islice(rest, TOGETHER)):
        yield some
