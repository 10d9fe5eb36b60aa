"""Hearing: all who have received audio within a tick, once, and none who have left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from emotion_service.calls import hearing
from emotion_service.calls.hearing import TICK_SECONDS, Hearing
from emotion_service.calls.leg import Leg
from emotion_service.types import LegConfig, Party


class Listener:
    def __init__(self) -> None:
        self.legs = [Leg(LegConfig("customer", Party.CUSTOMER, "audio/PCMU", 8000))]
        self.times_heard = 0
        self.errors: list[Exception] = []

    def receive(self, milliseconds: int) -> None:
        self.legs[0].receive(b"\xff" * 8 * milliseconds, None, None)

    def unheard(self) -> Sequence[Leg]:
        return self.legs

    def heard(self) -> None:
        self.times_heard += 1

    def fail(self, error: Exception) -> None:
        self.errors.append(error)


async def test_who_comes_within_a_tick_is_heard_together_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passes: list[int] = []
    monkeypatch.setattr(hearing, "hear", lambda legs: passes.append(len(legs)))
    first, second, left = Listener(), Listener(), Listener()
    room = Hearing()
    for listener in (first, second, first, left):
        room.add(listener)
    room.discard(left)
    await asyncio.sleep(3 * TICK_SECONDS)
    assert passes == [2]
    assert [listener.times_heard for listener in (first, second, left)] == [1, 1, 0]
    room.add(second)
    await asyncio.sleep(3 * TICK_SECONDS)
    assert passes == [2, 1]


async def test_when_it_is_heard_the_legs_have_decided() -> None:
    listener, room = Listener(), Hearing()
    listener.receive(100)
    room.add(listener)
    assert [step.at for step in listener.legs[0].progress()] == []
    await asyncio.sleep(3 * TICK_SECONDS)
    assert [step.at for step in listener.legs[0].progress()] == [800]


async def test_a_defect_ends_those_it_met_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(legs: Sequence[Leg]) -> None:
        raise ZeroDivisionError("defect")

    first, second, later = Listener(), Listener(), Listener()
    room = Hearing()
    with monkeypatch.context() as patched:
        patched.setattr(hearing, "hear", broken)
        room.add(first)
        room.add(second)
        await asyncio.sleep(3 * TICK_SECONDS)
    room.add(later)
    await asyncio.sleep(3 * TICK_SECONDS)
    assert [str(error) for error in (*first.errors, *second.errors)] == ["defect", "defect"]
    assert first.errors[0] is not second.errors[0]
    assert (first.times_heard, later.times_heard, later.errors) == (0, 1, [])
