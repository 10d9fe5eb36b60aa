"""The way out to one reader, who may be slow: bounded, the newest state wins, losses counted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Outbox(Generic[T]):
    """A queue for one reader (`async for`, or `take`) that never makes its writer wait.

    Over `limit` items, of each key only the newest stays. Where that is not enough the oldest
    item with a key goes, or without one the oldest of all; never the one just added. `missed`
    counts all that went.
    """

    def __init__(self, limit: int) -> None:
        self.missed = 0
        self._limit = limit
        self._items: deque[tuple[Hashable | None, T]] = deque()
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T, key: Hashable | None = None) -> None:
        """Adds an item; after `close` it is ignored, for nobody would read it."""
        if self._closed:
            return
        self._items.append((key, item))
        if len(self._items) > self._limit:
            self._shrink()
        self._changed.set()

    def close(self, error: Exception | None = None) -> None:
        """What is waiting is still read; then the reader ends, or gets the error."""
        if not self._closed:
            self._closed, self._error = True, error
            self._changed.set()

    async def below(self, count: int) -> None:
        """Returns once fewer than `count` items wait: the brake for a writer that may wait."""
        while len(self._items) >= count:
            self._taken.clear()
            await self._taken.wait()

    async def stirred(self) -> None:
        """Returns once an item waits, or none will come any more."""
        while not self._items and not self._closed:
            self._changed.clear()
            await self._changed.wait()

    def __aiter__(self) -> Outbox[T]:
        return self

    async def __anext__(self) -> T:
        await self.stirred()
        if not self._items:
            raise self._error or StopAsyncIteration
        return self.take(1)[0]

    def take(self, at_most: int) -> list[T]:
        """What waits, the oldest first, without waiting for more."""
        self._taken.set()
        return [self._items.popleft()[1] for _ in range(min(at_most, len(self._items)))]

    def _shrink(self) -> None:
        before = len(self._items)
        seen: set[Hashable] = set()
        kept: deque[tuple[Hashable | None, T]] = deque()
        for key, item in reversed(self._items):
            if key is None or key not in seen:
                kept.appendleft((key, item))
                seen.add(key)
        if len(kept) > self._limit:
            older = islice(kept, len(kept) - 1)
            del kept[next((i for i, (key, _) in enumerate(older) if key is not None), 0)]
        self._items = kept
        self.missed += before - len(kept)
