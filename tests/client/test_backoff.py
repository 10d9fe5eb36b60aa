"""Waits between tries."""

from __future__ import annotations

import pytest

from emotion_service.client.backoff import Backoff


def test_waits_double_up_to_their_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    backoff = Backoff()
    assert [backoff.pause(0.0) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_waits_are_shortened_at_random_by_up_to_half() -> None:
    pauses = [Backoff().pause(0.0) for _ in range(200)]
    assert 0.25 <= min(pauses) < 0.30
    assert 0.45 < max(pauses) <= 0.5


def test_a_wait_is_never_shorter_than_the_server_asks() -> None:
    pauses = [Backoff().pause(3.0) for _ in range(200)]
    assert min(pauses) >= 3.25
    assert max(pauses) <= 3.5
