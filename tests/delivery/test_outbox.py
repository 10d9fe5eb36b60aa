"""Bounded, the newest state wins, nothing goes uncounted."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.delivery.outbox import Outbox
from tests.patience import PATIENCE_SECONDS


async def drained(outbox: Outbox[int]) -> list[int]:
    outbox.close()
    return [item async for item in outbox]


async def test_below_the_limit_everything_is_read_in_order() -> None:
    outbox: Outbox[int] = Outbox(4)
    for item in range(4):
        outbox.put(item, "same key")
    assert await drained(outbox) == [0, 1, 2, 3]
    assert outbox.missed == 0


async def test_over_the_limit_only_the_newest_of_a_key_stays() -> None:
    outbox: Outbox[int] = Outbox(4)
    for item, key in enumerate(["a", None, "a", "b", "a"]):
        outbox.put(item, key)
    assert await drained(outbox) == [1, 3, 4]
    assert outbox.missed == 2


async def test_without_older_states_the_oldest_state_goes_before_any_keyless_item() -> None:
    outbox: Outbox[int] = Outbox(2)
    for item, key in enumerate([None, "a", None]):
        outbox.put(item, key)
    assert await drained(outbox) == [0, 2]


async def test_with_keyless_items_alone_the_oldest_goes() -> None:
    outbox: Outbox[int] = Outbox(2)
    for item in range(3):
        outbox.put(item)
    assert await drained(outbox) == [1, 2]
    assert outbox.missed == 1


@given(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=60), st.integers(1, 8))
def test_nothing_is_lost_uncounted_and_the_newest_item_always_arrives(
    keys: list[str | None], limit: int
) -> None:
    async def run() -> None:
        outbox: Outbox[int] = Outbox(limit)
        for item, key in enumerate(keys):
            outbox.put(item, key)
            assert len(outbox) <= limit
        read = await drained(outbox)
        assert read == sorted(read)
        assert len(read) + outbox.missed == len(keys)
        assert not keys or read[-1] == len(keys) - 1

    asyncio.run(run())


async def test_the_reader_wakes_for_an_item_and_for_the_end() -> None:
    outbox: Outbox[int] = Outbox(4)
    reader = asyncio.create_task(anext(outbox))
    await asyncio.sleep(0)
    outbox.put(7)
    assert await reader == 7
    reader = asyncio.create_task(anext(outbox))
    await asyncio.sleep(0)
    outbox.close()
    with pytest.raises(StopAsyncIteration):
        await reader


async def test_an_error_comes_after_what_was_waiting() -> None:
    outbox: Outbox[int] = Outbox(4)
    outbox.put(1)
    outbox.close(ZeroDivisionError())
    outbox.close()  # the first end counts
    outbox.put(2)
    assert await anext(outbox) == 1
    with pytest.raises(ZeroDivisionError):
        await anext(outbox)


async def test_a_writer_that_may_wait_is_let_on_by_the_reader() -> None:
    outbox: Outbox[int] = Outbox(100)
    outbox.put(0)
    outbox.put(1)
    brake = asyncio.create_task(outbox.below(2))
    await asyncio.sleep(0)
    assert not brake.done()
    await anext(outbox)
    await asyncio.wait_for(brake, PATIENCE_SECONDS)
