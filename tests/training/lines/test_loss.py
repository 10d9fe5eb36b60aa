"""Lost packets: as many and in such bursts as asked for, and filled as G.711 Appendix I would."""

from __future__ import annotations

import numpy as np
import pytest

from emotion_service.training.lines.loss import (
    CONCEALMENTS,
    OVERLAP,
    PACKET,
    lost_packets,
    packet_count,
    repeated,
    runs,
    silenced,
)
from emotion_service.types import BoolArray, FloatArray

PERIOD = 50  # samples: 160 Hz


def drawn(count: int, rate: float, burst: float, seed: int = 0) -> BoolArray:
    return lost_packets(count, rate, burst, np.random.default_rng(seed))


def buzz(length: int) -> FloatArray:
    """Periodic, with harmonics: what comes next is known."""
    turns = 2 * np.pi * np.arange(length) / PERIOD
    wave = np.sin(turns) + 0.5 * np.sin(2 * turns + 1.0) + 0.3 * np.sin(5 * turns)
    return (0.1 * wave).astype(np.float32)


def losing(count: int, *packets: int) -> BoolArray:
    lost = np.zeros(count, np.bool_)
    lost[list(packets)] = True
    return lost


@pytest.mark.parametrize(("rate", "burst"), [(0.01, 1.5), (0.05, 1.0), (0.05, 3.0), (0.1, 4.0)])
def test_rate_and_bursts_are_those_asked_for(rate: float, burst: float) -> None:
    lost = drawn(200_000, rate, burst)
    lengths = [(end - begin) / PACKET for begin, end in runs(lost, len(lost) * PACKET)]
    assert np.mean(lost) == pytest.approx(rate, rel=0.1)
    assert np.mean(lengths) == pytest.approx(burst, rel=0.05)


def test_bursts_are_as_long_as_a_geometric_law_has_them() -> None:
    lost = drawn(200_000, 0.1, 2.0)
    lengths = np.array([(end - begin) // PACKET for begin, end in runs(lost, len(lost) * PACKET)])
    for length in (1, 2, 3, 4):
        assert np.mean(lengths == length) == pytest.approx(0.5**length, abs=0.01)


def test_the_first_packet_is_lost_as_often_as_any() -> None:
    first = [drawn(1, 0.3, 5.0, seed)[0] for seed in range(2000)]
    assert np.mean(first) == pytest.approx(0.3, abs=0.04)


def test_no_loss_loses_nothing() -> None:
    assert not drawn(10_000, 0.0, 1.5).any()


def test_chance_is_the_seeds_alone() -> None:
    assert np.array_equal(drawn(1000, 0.1, 2.0, 7), drawn(1000, 0.1, 2.0, 7))
    assert not np.array_equal(drawn(1000, 0.1, 2.0, 7), drawn(1000, 0.1, 2.0, 8))


@pytest.mark.parametrize(("rate", "burst"), [(-0.1, 2.0), (0.6, 2.0), (0.1, 0.9)])
def test_a_loss_that_cannot_be_is_refused(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.\.0\.5, and 1 or more"):
        drawn(10, rate, burst)


def test_the_last_packet_need_not_be_full() -> None:
    assert [packet_count(buzz(n)) for n in (0, 1, 160, 161)] == [0, 1, 1, 2]
    assert list(runs(losing(3, 0, 2), 400)) == [(0, 160), (320, 400)]
    assert list(runs(losing(4, 1, 2), 640)) == [(160, 480)]


@pytest.mark.parametrize("name", CONCEALMENTS)
def test_what_arrived_stays_as_it_was(name: str) -> None:
    sent = buzz(4000)
    heard = CONCEALMENTS[name](sent, losing(25, 10, 11))
    assert np.array_equal(heard[:1600], sent[:1600])
    assert np.array_equal(heard[1920 + OVERLAP :], sent[1920 + OVERLAP :])
    assert np.array_equal(CONCEALMENTS[name](sent, losing(25)), sent)


def test_zeros_are_zeros() -> None:
    heard = silenced(buzz(4000), losing(25, 10))
    assert not heard[1600:1760].any()
    assert np.array_equal(heard[1760:], buzz(4000)[1760:])


def test_a_steady_voice_goes_on_for_10_ms_and_then_fades() -> None:
    heard = repeated(buzz(4000), losing(25, 10, 11, 12, 13))
    going_on, filled = buzz(4000)[1600:2240], heard[1600:2240]
    assert np.allclose(filled[:80], going_on[:80], atol=1e-6)
    assert np.allclose(filled[80:480], (going_on * (1 - (np.arange(640) - 80) / 400))[80:480])
    assert not filled[480:].any()


def test_what_is_heard_again_comes_in_without_a_step() -> None:
    heard = repeated(buzz(4000), losing(25, 10, 11, 12, 13))
    rise = np.arange(1, OVERLAP + 1) / (OVERLAP + 1)
    assert np.allclose(heard[2240 : 2240 + OVERLAP], buzz(4000)[2240 : 2240 + OVERLAP] * rise)


def test_a_call_that_begins_with_loss_begins_with_silence() -> None:
    assert not repeated(buzz(4000), losing(25, 0))[:160].any()


def test_a_clip_that_ends_with_loss_keeps_its_length() -> None:
    assert repeated(buzz(4010), losing(26, 25)).shape == (4010,)
    assert repeated(buzz(0), losing(0)).shape == (0,)
