"""The jitter buffer against signals whose every sample says where it belongs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.placement import Placer, Stretch
from emotion_service.errors import BadInput
from emotion_service.types import FloatArray, Placement

RATE = 8000
MESSAGE = 160  # 20 ms
HOLD = 1600
SNAP = 40

Span = tuple[int, int]


def ramp(start: int, end: int) -> FloatArray:
    """The sample at n is n + 1: no sample is 0, which is silence in a gap."""
    return np.arange(start + 1, end + 1, dtype=np.float32)


def joined(stretches: Sequence[Stretch]) -> FloatArray:
    return np.concatenate([np.zeros(0, np.float32), *(s.samples for s in stretches)])


def by_offset(placer: Placer, *spans: Span) -> list[Stretch]:
    """Places [start, end) of the ramp, in the order given, with exact offsets."""
    ready: list[Stretch] = []
    for start, end in spans:
        ready += placer.place(ramp(start, end), start / RATE, None)
    return ready


def by_sequence(placer: Placer, *messages: tuple[int, FloatArray]) -> list[Stretch]:
    ready: list[Stretch] = []
    for sequence, samples in messages:
        ready += placer.place(samples, None, sequence)
    return ready


def twenty_ms(*numbers: int) -> list[Span]:
    return [(n * MESSAGE, (n + 1) * MESSAGE) for n in numbers]


class Careful(Placer):
    """Never takes the short way of a message that just follows on."""

    def _follows_on(self, start: int, end: int) -> bool:
        return False


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 0, 1, -1, 2, 3, -2, 12]),  # messages it is away from its place,
        st.sampled_from([0, 0, 0, 1, -39, 39, 40, 100]),  # and samples
        st.sampled_from([160, 160, 160, 0, 1, 39, 40, 161, 800]),
        st.sampled_from(["offset", "offset", "offset", "sequence", "sequence", "both", "nothing"]),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(MESSAGES, st.booleans())
def test_the_short_way_leads_to_the_same(
    messages: list[tuple[int, int, int, str]], one_scale: bool
) -> None:
    short, careful = Placer(RATE), Careful(RATE)
    at = 0
    for number, (away, beside, length, placed_by) in enumerate(messages):
        scale = "offset" if one_scale else placed_by
        start = max(0, at + away * MESSAGE + beside)
        offset = start / RATE if scale in ("offset", "both") else None
        sequence = max(0, number + away) if scale in ("sequence", "both") else None
        samples = ramp(start, start + length)
        found, expected = (placer.place(samples, offset, sequence) for placer in (short, careful))
        assert [(s.lost, s.skipped, s.samples.tolist()) for s in found] == [
            (s.lost, s.skipped, s.samples.tolist()) for s in expected
        ]
        assert short.counters == careful.counters
        at = max(at, start + length)
    assert joined(short.flush()).tolist() == joined(careful.flush()).tolist()
    assert short.counters == careful.counters


# --- by offset --------------------------------------------------------------------------------


def test_audio_in_order_goes_through_at_once() -> None:
    placer = Placer(RATE)
    for span in twenty_ms(*range(5)):
        (stretch,) = by_offset(placer, span)
        assert not stretch.lost
        assert np.array_equal(stretch.samples, ramp(*span))
    assert placer.counters == Placement(received=800)


def test_what_came_early_waits_for_the_others() -> None:
    placer = Placer(RATE)
    assert np.array_equal(joined(by_offset(placer, *twenty_ms(0, 2, 3))), ramp(0, 160))
    assert placer.counters == Placement(received=160)
    assert np.array_equal(joined(by_offset(placer, *twenty_ms(1))), ramp(160, 640))
    assert placer.counters == Placement(received=640, reordered=2)


def test_a_hole_becomes_a_gap_when_200_ms_have_come() -> None:
    placer = Placer(RATE)
    by_offset(placer, *twenty_ms(0))
    assert by_offset(placer, *twenty_ms(*range(3, 10)), (1600, 160 + HOLD - 1)) == []
    gap, *audio = by_offset(placer, (160 + HOLD - 1, 160 + HOLD))
    assert gap.lost
    assert np.array_equal(gap.samples, np.zeros(320, np.float32))
    assert not any(stretch.lost for stretch in audio)
    assert np.array_equal(joined(audio), ramp(480, 160 + HOLD))
    assert placer.counters == Placement(received=HOLD - 160, gaps=1, lost=320)


def test_only_as_many_holes_become_gaps_as_must() -> None:
    placer = Placer(RATE)
    first = by_offset(placer, (0, 160), (320, 480), (800, 960), (1600, 1760))
    assert [s.lost for s in first] == [False, True, False]
    assert len(joined(first)) == 480
    assert by_offset(placer, (480, 800))[0].lost is False
    assert placer.counters == Placement(received=800, gaps=1, lost=160, reordered=2)
    assert [(s.lost, len(s.samples)) for s in placer.flush()] == [(True, 640), (False, 160)]
    assert placer.counters == Placement(received=960, gaps=2, lost=800, reordered=2)


def test_an_overlap_loses_its_repeated_head() -> None:
    placer = Placer(RATE)
    assert np.array_equal(joined(by_offset(placer, (0, 160), (80, 320))), ramp(0, 320))
    assert placer.counters == Placement(received=320, overlaps=1)


def test_what_came_first_stays() -> None:
    placer = Placer(RATE)
    placer.place(ramp(0, 160), 0.0, None)
    placer.place(-ramp(320, 480), 320 / RATE, None)  # held
    ready = placer.place(ramp(80, 640), 80 / RATE, None)
    expected = np.concatenate([ramp(160, 320), -ramp(320, 480), ramp(480, 640)])
    assert np.array_equal(joined(ready), expected)
    assert placer.counters == Placement(received=640, overlaps=1, reordered=1)


@pytest.mark.parametrize("length", [1, 8, 39, 40, 160])
def test_duplicates_of_any_length_are_dropped(length: int) -> None:
    placer = Placer(RATE)
    spans = [(n * length, (n + 1) * length) for n in range(4)]
    ready = by_offset(placer, *spans, spans[3], spans[1])
    assert np.array_equal(joined(ready), ramp(0, 4 * length))
    assert placer.counters == Placement(received=4 * length, duplicates=2)


def test_a_duplicate_of_held_audio_is_dropped() -> None:
    placer = Placer(RATE)
    by_offset(placer, *twenty_ms(0, 2, 3, 2), (400, 560))
    assert placer.counters.duplicates == 2
    assert np.array_equal(joined(by_offset(placer, *twenty_ms(1))), ramp(160, 640))


def test_late_is_what_falls_into_a_gap_and_a_duplicate_what_does_not() -> None:
    placer = Placer(RATE)
    ready = by_offset(placer, *twenty_ms(0, 3), (1600, 1760), *twenty_ms(1, 0, 2, 3), (80, 200))
    assert len(joined(ready)) == 640
    assert placer.counters == Placement(received=320, gaps=1, lost=320, duplicates=2, late=3)


def test_nothing_shorter_than_5_ms_is_a_difference() -> None:
    placer = Placer(RATE)
    ready = placer.place(ramp(0, 160), 0.0, None)
    ready += placer.place(ramp(160, 320), (160 + SNAP - 1) / RATE, None)
    ready += placer.place(ramp(320, 480), (320 - SNAP + 1) / RATE, None)
    assert np.array_equal(joined(ready), ramp(0, 480))
    assert placer.place(ramp(480, 640), (480 + SNAP) / RATE, None) == []
    assert [(s.lost, len(s.samples)) for s in placer.flush()] == [(True, SNAP), (False, 160)]
    assert placer.counters == Placement(received=640, gaps=1, lost=SNAP)


@pytest.mark.parametrize(
    ("rate", "length", "swapped"),
    [(8000, 125, False), (8000, 125, True), (44100, 500, True), (48000, 100, False)],
)
def test_truncated_milliseconds_move_nothing(rate: int, length: int, swapped: bool) -> None:
    placer = Placer(rate)
    ready: list[Stretch] = []
    for n in range(400):
        number = n ^ 1 if swapped else n
        offset = math.floor(number * length / rate * 1000) / 1000
        ready += placer.place(ramp(number * length, (number + 1) * length), offset, None)
    assert np.array_equal(joined(ready), ramp(0, 400 * length))
    assert placer.counters.reordered == (200 if swapped else 0)
    assert placer.counters.lost == placer.counters.overlaps == placer.counters.duplicates == 0


@pytest.mark.parametrize("clock", [0.98, 0.999, 1.001, 1.02])
def test_a_drifting_clock_never_moves_audio_by_5_ms(clock: float) -> None:
    """A sender whose offsets run fast or slow against its samples, for 20 s."""
    placer = Placer(RATE)
    ready: list[Stretch] = []
    claims: dict[float, int] = {}
    for n in range(1000):
        claim = round(n * MESSAGE * clock)
        claims.update({n * MESSAGE + i: claim + i for i in range(MESSAGE)})
        ready += placer.place(ramp(n * MESSAGE, (n + 1) * MESSAGE), claim / RATE, None)
    out = joined(ready + placer.flush())
    away = [abs(at - claims[v - 1]) for at, v in enumerate(out.tolist()) if v]
    assert SNAP // 2 < max(away) < SNAP
    assert abs(len(out) - (max(claims.values()) + 1)) < SNAP


# --- by sequence number, or by nothing --------------------------------------------------------


def test_consecutive_numbers_are_contiguous_from_the_first_on() -> None:
    placer = Placer(RATE)
    ready = by_sequence(placer, (7, ramp(0, 160)), (8, ramp(160, 480)), (9, ramp(480, 481)))
    assert np.array_equal(joined(ready), ramp(0, 481))
    assert placer.counters == Placement(received=481)


def test_numbers_sort_messages_of_any_length() -> None:
    placer = Placer(RATE)
    ready = by_sequence(
        placer, (0, ramp(0, 100)), (3, ramp(700, 900)), (2, ramp(400, 700)), (1, ramp(100, 400))
    )
    assert np.array_equal(joined(ready), ramp(0, 900))
    assert placer.counters == Placement(received=900, reordered=2)


def test_missing_numbers_are_as_long_as_the_message_before_them() -> None:
    placer = Placer(RATE)
    ready = by_sequence(placer, (0, ramp(0, 240)), (3, ramp(0, 1119)))
    assert [len(s.samples) for s in ready] == [240]  # two of 240 and this: 1599 ahead
    ready = by_sequence(placer, (4, ramp(0, 1)))
    assert [(s.lost, len(s.samples)) for s in ready] == [(True, 480), (False, 1119), (False, 1)]
    by_sequence(placer, (2, ramp(0, 240)), (0, ramp(0, 240)), (4, ramp(0, 1)))
    assert placer.counters == Placement(received=1360, gaps=1, lost=480, late=1, duplicates=2)


def test_empty_messages_count_but_do_not_pile_up() -> None:
    placer = Placer(RATE)
    empty = ramp(0, 0)
    assert by_sequence(placer, (0, ramp(0, 160)), (1, empty))[0].lost is False
    assert len(joined(by_sequence(placer, (2, ramp(160, 320))))) == 160
    ready = by_sequence(placer, *((n, empty) for n in range(4, 14)))
    assert [(s.lost, len(s.samples)) for s in ready] == [(True, 160)]
    assert placer.place(empty, 1.0, None) == []
    assert placer.counters == Placement(received=320, gaps=1, lost=160)


def test_without_offset_and_number_audio_follows_on() -> None:
    placer = Placer(RATE)
    assert np.array_equal(joined([*placer.place(ramp(0, 100), None, None)]), ramp(0, 100))
    by_offset(placer, (200, 300))
    assert placer.place(ramp(300, 400), None, None) == []
    assert np.array_equal(joined(by_offset(placer, (100, 200))), ramp(100, 400))


def test_numbers_go_on_where_offsets_stop_and_offsets_correct_them() -> None:
    placer = Placer(RATE)
    ready = placer.place(ramp(80, 160), 80 / RATE, 5)
    ready += by_sequence(placer, (7, ramp(240, 320)))
    assert len(joined(ready)) == 160  # what was held by offset is released
    ready += by_sequence(placer, (6, ramp(160, 240)))
    assert np.array_equal(joined(ready), np.concatenate([np.zeros(80), ramp(80, 320)]))
    ready += placer.place(ramp(480, 560), 480 / RATE, 8)
    ready += placer.flush()
    assert len(joined(ready)) == 560
    assert placer.counters == Placement(received=320, gaps=2, lost=240, reordered=1)


# --- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [-0.001, math.nan, math.inf, -math.inf, 600.021, 1e300])
def test_implausible_offsets_are_refused_and_change_nothing(offset: float) -> None:
    placer = Placer(RATE)
    ready = by_offset(placer, *twenty_ms(0))
    with pytest.raises(BadInput) as caught:
        placer.place(ramp(0, 160), offset, 1)
    assert caught.value.reason == "IMPLAUSIBLE_OFFSET"
    assert np.array_equal(joined(ready + by_offset(placer, *twenty_ms(1))), ramp(0, 320))


def test_a_leg_may_begin_as_late_as_the_call_is_long() -> None:
    placer = Placer(RATE)
    placer.place(ramp(0, 160), 3600.0, None, reached_seconds=3000.0)
    assert placer.counters == Placement(received=160, gaps=1, lost=3600 * RATE)
    with pytest.raises(BadInput):
        placer.place(ramp(0, 160), 4200.03, None, reached_seconds=3000.0)


@pytest.mark.parametrize("wraps", ["offset", "sequence"])
def test_what_has_begun_anew_is_refused_and_not_dropped_for_ever(wraps: str) -> None:
    placer = Placer(RATE)

    def sent(message: int) -> None:
        number = message % 2000
        offset = number * 0.02 if wraps == "offset" else None
        placer.place(ramp(160 * number, 160 * number + 160), offset, number)

    for message in range(3500):
        sent(message)
    assert placer.counters.duplicates == 1500
    with pytest.raises(BadInput, match="begun anew, or wrapped"):
        sent(3500)


def test_a_second_way_that_brings_everything_twice_is_none_of_that() -> None:
    placer = Placer(RATE)
    for number in range(4000):
        for _ in range(2):
            placer.place(ramp(160 * number, 160 * number + 160), number * 0.02, None)
    assert placer.counters.duplicates == 4000


def test_ten_minutes_are_the_longest_gap() -> None:
    placer = Placer(RATE)
    by_offset(placer, *twenty_ms(0))
    placer.place(ramp(0, 1), 600.02, None)
    assert placer.counters == Placement(received=161, gaps=1, lost=600 * RATE)
    with pytest.raises(BadInput):
        by_sequence(placer, (0, ramp(0, 160)), (2 + 600 * 50, ramp(0, 160)))


@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_middle_of_a_long_gap_is_left_out(rate: int) -> None:
    placer = Placer(rate)
    placer.place(ramp(0, rate), 0.0, None)
    ready = placer.place(ramp(0, rate), 600.51, None)
    begin, end, after = ready
    assert begin.lost and end.lost and not after.lost
    assert (len(begin.samples), begin.skipped) == (rate, 0)
    assert end.skipped == 29_625  # of 20 ms
    assert len(end.samples) == round(6.01 * rate)
    assert not begin.samples.any() and not end.samples.any()
    assert placer.counters.lost == 599.51 * 8000


def test_a_gap_of_seven_seconds_is_whole() -> None:
    placer = Placer(8000)
    placer.place(ramp(0, 8000), 0.0, None)
    assert [s.skipped for s in placer.place(ramp(0, 8000), 8.0, None)] == [0, 0]


def test_counters_are_in_samples_at_8_khz() -> None:
    placer = Placer(44100)
    placer.place(ramp(0, 44100), 0.0, None)
    placer.place(ramp(0, 22050), 1.5, None)
    assert placer.counters == Placement(received=12000, gaps=1, lost=4000)


# --- any stream -------------------------------------------------------------------------------


@st.composite
def partitions(draw: st.DrawFn, shortest: int = 1) -> list[Span]:
    lengths = draw(st.lists(st.integers(shortest, 799), min_size=1, max_size=40))
    ends = np.cumsum([0, *lengths]).tolist()
    return list(pairwise(ends))


@st.composite
def reordered(draw: st.DrawFn) -> list[Span]:
    """Nothing comes 200 ms early. Messages of 5 ms or more: a shorter hole is none."""
    spans = draw(partitions(shortest=SNAP))
    keys = [end + draw(st.integers(0, HOLD - 800)) for _, end in spans]
    return [span for _, span in sorted(zip(keys, spans, strict=True))]


@settings(deadline=None)
@given(partitions())
def test_any_split_gives_the_same(spans: list[Span]) -> None:
    total = spans[-1][1]
    for ready in (
        by_offset(Placer(RATE), *spans),
        by_sequence(Placer(RATE), *((n, ramp(*span)) for n, span in enumerate(spans))),
    ):
        assert np.array_equal(joined(ready), ramp(0, total))


@settings(deadline=None)
@given(reordered())
def test_any_order_within_200_ms_gives_the_same(spans: list[Span]) -> None:
    total = max(end for _, end in spans)
    early = sum(any(later < span for later in spans[n:]) for n, span in enumerate(spans))
    placer = Placer(RATE)
    assert np.array_equal(joined(by_offset(placer, *spans)), ramp(0, total))
    assert placer.counters == Placement(received=total, reordered=early)


@settings(deadline=None)
@given(partitions(), st.lists(st.booleans(), min_size=40, max_size=40))
def test_neighbours_of_any_length_may_swap_their_numbers(
    spans: list[Span], swaps: list[bool]
) -> None:
    """The first stays first: a number does not tell how many went before it."""
    order = list(range(len(spans)))
    for n in range(1, len(order) - 1, 2):
        if swaps[n]:
            order[n], order[n + 1] = order[n + 1], order[n]
    placer = Placer(RATE)
    ready = by_sequence(placer, *((n, ramp(*spans[n])) for n in order))
    assert np.array_equal(joined(ready), ramp(0, spans[-1][1]))
    assert placer.counters.reordered == sum(n < m for m, n in pairwise(order))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12000), st.integers(0, 2000)), max_size=30),
    st.sampled_from([1, 37, 160]),
)
def test_whatever_comes_no_sample_moves_by_5_ms(messages: list[tuple[int, int]], grid: int) -> None:
    """Multiples of 20 ms keep their place exactly."""
    placer = Placer(RATE)
    ready: list[Stretch] = []
    tolerance = SNAP if grid < SNAP else 1
    highest = arrived = 0
    for where, size in messages:
        start, length = where // grid * grid, size // grid * grid
        ready += by_offset(placer, (start, start + length))
        highest = max(highest, start + length if length else 0)
        assert highest - len(joined(ready)) < HOLD + SNAP
        arrived += length
    ready += placer.flush()
    out = joined(ready)
    assert abs(len(out) - highest) < tolerance
    there = np.flatnonzero(out)
    assert bool(np.all(np.abs(out[there] - 1 - there) < tolerance))
    lost = sum(len(s.samples) for s in ready if s.lost)
    assert len(out) - len(there) == lost == placer.counters.lost
    assert placer.counters.received == len(there) <= arrived
    assert placer.counters.gaps == sum(s.lost for s in ready)
    assert placer.flush() == []


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 400),
            st.none() | st.floats(0, 60),
            st.none() | st.integers(0, 50),
        ),
        max_size=30,
    ),
    st.sampled_from([8000, 44100]),
)
def test_any_mixture_of_offsets_and_numbers_keeps_every_count(
    messages: list[tuple[int, float | None, int | None]], rate: int
) -> None:
    placer = Placer(rate)
    ready: list[Stretch] = []
    for length, offset, sequence in messages:
        ready += placer.place(ramp(0, length), offset, sequence)
    ready += placer.flush()
    lost = sum(len(s.samples) + s.skipped * rate // 50 for s in ready if s.lost)
    received = sum(len(s.samples) for s in ready if not s.lost)
    assert placer.counters.lost == round(lost * 8000 / rate)
    assert placer.counters.received == round(received * 8000 / rate)
    assert all(len(s.samples) for s in ready)
