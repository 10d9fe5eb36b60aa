"""Messages are lost, repeated, late and out of order; an onset stays where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.types import (
    Abstain,
    CallConfig,
    CallEvent,
    CallSummary,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    Placement,
    Quality,
    Sound,
    SpeechActivity,
)

MESSAGE = 160  # samples, 20 ms
ONSETS = (16_000, 36_000)  # with a second of silence before the second
LENGTH = 48_000
COUNT = LENGTH // MESSAGE
SILENT = range(10, 85)  # messages before the first onset


@dataclass(frozen=True, repr=False)  # hypothesis shows all arguments of a test that fails
class Line:
    """What was sent: PCMU."""

    data: bytes


@pytest.fixture(scope="module")
def line(speech: Callable[[float, int], FloatArray]) -> Line:
    """Two stretches of speech of 1.5 s, digital silence around them."""
    samples = np.zeros(LENGTH, np.float32)
    for onset in ONSETS:
        samples[onset : onset + 12_000] = speech(1.5, 0)
    return Line(encode_pcmu(samples))


@dataclass(frozen=True, repr=False)
class Arrived:
    events: list[CallEvent]
    placement: Placement

    @property
    def onsets(self) -> list[int]:
        return [e.start for e in self._activities if e.sound is Sound.SPEECH]

    @property
    def heard(self) -> list[CallEvent]:
        """Scores and activities, but for what was lost."""
        scores = [e for e in self.events if isinstance(e, EmotionScore)]
        return [*self._activities, *(replace(score, quality=Quality()) for score in scores)]

    @property
    def _activities(self) -> list[SpeechActivity]:
        return [event for event in self.events if isinstance(event, SpeechActivity)]


def message(line: Line, number: int, by_sequence: bool = False) -> EncodedAudio:
    data = line.data[number * MESSAGE : (number + 1) * MESSAGE]
    if by_sequence:
        return EncodedAudio("customer", data, None, number)
    return EncodedAudio("customer", data, number * MESSAGE / 8000)


def arrived(config: CallConfig, scorer: Scorer, audio: Iterable[EncodedAudio]) -> Arrived:
    call = Call(config, scorer)
    events = call.start()
    for chunk in audio:
        events += call.push(chunk)
        events += _resolved(call, scorer)
    events += call.finish()
    events += _resolved(call, scorer)
    (before,) = [state for state in call.leg_states() if state.leg == "customer"]
    summary = call.close()[-1]
    assert isinstance(summary, CallSummary)
    assert summary.legs[0].placement == before.placement
    assert summary.duration == LENGTH
    return Arrived(events, before.placement)


def _resolved(call: Call, scorer: Scorer) -> list[CallEvent]:
    requests = call.take_requests()
    scores = scorer.score(requests).scores if requests else []
    return [event for score in scores for event in call.resolve(score)]


@pytest.fixture(scope="module")
def clean(config: CallConfig, touchy: Scorer, line: Line) -> Arrived:
    return arrived(config, touchy, (message(line, n) for n in range(COUNT)))


def test_onsets_are_where_they_are(clean: Arrived) -> None:
    assert clean.onsets == list(ONSETS)
    assert clean.placement == Placement(received=LENGTH)
    assert sum(isinstance(event, EmotionScore) for event in clean.events) >= 6


# --- one trouble at a time --------------------------------------------------------------------


@pytest.mark.parametrize("by_sequence", [False, True])
def test_a_gap_in_silence_is_counted_and_changes_nothing(
    config: CallConfig, touchy: Scorer, line: Line, clean: Arrived, by_sequence: bool
) -> None:
    audio = (message(line, n, by_sequence) for n in range(COUNT) if n not in range(20, 30))
    given = arrived(config, touchy, audio)
    assert given.heard == clean.heard
    assert given.placement == Placement(received=LENGTH - 1600, gaps=1, lost=1600)
    lost = [e.quality.lost_fraction for e in given.events if isinstance(e, EmotionScore)]
    assert lost[0] == pytest.approx(1600 / 20_000)


@pytest.mark.parametrize("by_sequence", [False, True])
def test_speech_that_is_lost_does_not_shift_what_follows(
    config: CallConfig, touchy: Scorer, line: Line, by_sequence: bool
) -> None:
    audio = (message(line, n, by_sequence) for n in range(COUNT) if n not in range(120, 150))
    given = arrived(config, touchy, audio)
    assert (given.onsets[0], given.onsets[-1]) == ONSETS
    assert given.placement == Placement(received=LENGTH - 4800, gaps=1, lost=4800)


def test_where_too_much_is_lost_nothing_is_claimed(
    config: CallConfig, touchy: Scorer, line: Line
) -> None:
    audio = (message(line, n) for n in range(COUNT) if n not in range(10, 90))
    given = arrived(config, touchy, audio)
    scores = [event for event in given.events if isinstance(event, EmotionScore)]
    for score in scores:
        lost = score.quality.lost_fraction
        enough = score.evidence >= 4800
        assert (score.abstain is Abstain.AUDIO_LOST) == (enough and lost > 0.25)
    assert Abstain.AUDIO_LOST in {score.abstain for score in scores}
    assert None in {score.abstain for score in scores}


def test_repeated_messages_are_counted_and_change_nothing(
    config: CallConfig, touchy: Scorer, line: Line, clean: Arrived
) -> None:
    audio = [message(line, n) for n in range(COUNT)]
    audio[130:130] = audio[125:130]
    given = arrived(config, touchy, audio)
    assert given.heard == clean.heard
    assert given.placement == Placement(received=LENGTH, duplicates=5)


def test_overlapping_messages_are_counted_and_change_nothing(
    config: CallConfig, touchy: Scorer, line: Line, clean: Arrived
) -> None:
    audio = [message(line, n) for n in range(COUNT)]
    audio[130] = EncodedAudio(
        "customer", line.data[129 * 160 + 80 : 131 * 160], (129 * 160 + 80) / 8000
    )
    given = arrived(config, touchy, audio)
    assert given.heard == clean.heard
    assert given.placement == Placement(received=LENGTH, overlaps=1)


def test_what_comes_within_200_ms_is_put_in_order(
    config: CallConfig, touchy: Scorer, line: Line, clean: Arrived
) -> None:
    audio = [message(line, n) for n in range(COUNT)]
    audio.insert(138, audio.pop(130))
    given = arrived(config, touchy, audio)
    assert given.heard == clean.heard
    assert given.placement == Placement(received=LENGTH, reordered=8)


def test_what_comes_later_is_dropped_and_counted(
    config: CallConfig, touchy: Scorer, line: Line, clean: Arrived
) -> None:
    audio = [message(line, n) for n in range(COUNT)]
    audio.insert(60, audio.pop(40))
    given = arrived(config, touchy, audio)
    assert given.heard == clean.heard
    assert given.placement == Placement(received=LENGTH - 160, gaps=1, lost=160, late=1)


# --- all at once ------------------------------------------------------------------------------


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[int], set[int], int]:
    """An order in which messages come, which of them never do, and how many come again.

    What is lost shortens the patience for what comes after it (the 200 ms begin with the hole):
    so that where messages are lost none is out of order.
    """
    lost = draw(st.sets(st.sampled_from(SILENT), max_size=12))
    delays = draw(st.lists(st.integers(0, 8), min_size=40, max_size=40))
    in_order = range(SILENT.start, SILENT.stop + 10)
    when = {n: n if n in in_order else n + delays[n % 40] for n in range(COUNT) if n not in lost}
    order = sorted(when, key=lambda n: (when[n], n))
    again = draw(st.lists(st.integers(0, len(order) - 1), max_size=6))
    for place in sorted(again, reverse=True):
        order.insert(place + 1, order[place])
    return order, lost, len(again)


@settings(max_examples=10, deadline=None)
@given(orders())
def test_nothing_that_happens_to_messages_shifts_the_time_axis(
    config: CallConfig,
    touchy: Scorer,
    line: Line,
    clean: Arrived,
    trouble: tuple[list[int], set[int], int],
) -> None:
    order, lost, again = trouble
    given_back = arrived(config, touchy, (message(line, n) for n in order))
    assert given_back.heard == clean.heard
    placement = given_back.placement
    assert (placement.lost, placement.received) == (160 * len(lost), LENGTH - 160 * len(lost))
    assert (placement.duplicates, placement.overlaps, placement.late) == (again, 0, 0)
