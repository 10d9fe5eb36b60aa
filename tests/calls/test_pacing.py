"""A live leg that falls behind skips windows and says so; a recorded one skips nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer, Window, look
from emotion_service.scoring.request import ScoringRequest
from emotion_service.types import (
    Abstain,
    CallConfig,
    CallSummary,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    Pacing,
    Party,
)

Script = Callable[..., Scorer]
STEP = 4000
BEGUN = 4  # steps after which the first words are over: from here on all windows are on the grid


@pytest.fixture(scope="module")
def voice(speech: Callable[[float, int], FloatArray]) -> bytes:
    """Fourteen seconds in speech at every half second."""
    return encode_pcmu(speech(1.0, 0)) * 14


@pytest.fixture
def live(config: CallConfig) -> CallConfig:
    customers = tuple(replace(leg, party=Party.CUSTOMER) for leg in config.legs)
    return replace(config, legs=customers, pacing=Pacing.LIVE)


def push(call: Call, voice: bytes, number: int, leg: str = "customer") -> list[EmotionScore]:
    """The half second of this number since the first words; what is scored by that alone was
    skipped."""
    at = STEP * (BEGUN + number)
    piece = voice[at : at + STEP]
    events = call.push(EncodedAudio(leg, piece))
    return [event for event in events if isinstance(event, EmotionScore)]


def resolve(call: Call, scorer: Scorer, requests: list[ScoringRequest]) -> None:
    for score in scorer.score(requests).scores:
        call.resolve(score)


def begun(config: CallConfig, scorer: Scorer, voice: bytes) -> Call:
    """A call whose legs have said their first words."""
    call = Call(config, scorer)
    call.start()
    for number in range(-BEGUN, 0):
        for leg in config.legs:
            assert push(call, voice, number, leg.leg) == []
        resolve(call, scorer, call.take_requests())
    return call


def end(number: int) -> int:
    """Of the window that is due after this half second."""
    return STEP * (BEGUN + number + 1)


def test_more_than_half_a_second_behind_windows_are_skipped(
    live: CallConfig, scripted: Script, voice: bytes
) -> None:
    scorer = scripted()
    call = begun(live, scorer, voice)
    assert push(call, voice, 0) + push(call, voice, 1) == []  # exactly 500 ms behind
    waiting = call.take_requests()
    skipped = push(call, voice, 2) + push(call, voice, 3)
    assert [score.end for score in skipped] == [end(2), end(3)]
    assert [score.sequence for score in skipped] == [8, 9]
    assert [score.quality.skipped_windows for score in skipped] == [1, 2]
    for score in skipped:
        assert (score.abstain, score.probabilities) == (Abstain.OVERLOADED, None)
        assert 0 < score.evidence <= score.end
    assert (call.take_requests(), call.pending) == ([], 2)

    resolve(call, scorer, waiting)
    assert push(call, voice, 4) == []
    (request,) = call.take_requests()
    assert (request.end, request.sequence, request.quality.skipped_windows) == (end(4), 10, 2)
    assert len(request.audio.voice) * 80 == 3 * STEP  # from where the last request ended
    resolve(call, scorer, [request])
    call.finish()
    summary = call.close()[-1]
    assert isinstance(summary, CallSummary)
    assert (summary.legs[0].skipped_windows, summary.legs[1].skipped_windows) == (2, 0)
    assert (summary.legs[0].scores, summary.legs[0].abstained) == (11, 2)


def test_windows_of_one_message_are_not_late_because_of_each_other(
    live: CallConfig, scripted: Script, voice: bytes
) -> None:
    call = begun(live, scripted(), voice)
    call.push(EncodedAudio("customer", voice[end(-1) : end(3)]))
    assert [request.end for request in call.take_requests()] == [end(n) for n in range(4)]
    events = call.push(EncodedAudio("customer", voice[end(3) : end(6)]))
    skipped = [event.end for event in events if isinstance(event, EmotionScore)]
    assert [request.end for request in call.take_requests()] == [end(4)]
    assert skipped == [end(5), end(6)]  # more than 500 ms after what is still unscored came


def test_the_window_after_the_skipped_ones_has_no_hole(
    live: CallConfig, touchy: Scorer, voice: bytes
) -> None:
    """The model is shown the very frames that it would have been shown without the delay."""
    prompt, late = (_sixth_window(live, touchy, voice, delay) for delay in (False, True))
    for window in (prompt, late):
        assert (window.frames.start, window.frames.end) == (end(5) - 8 * STEP, end(5))
    assert np.array_equal(prompt.frames.values, late.frames.values)
    assert np.array_equal(prompt.frames.voice, late.frames.voice)


def _sixth_window(live: CallConfig, scorer: Scorer, voice: bytes, delay: bool) -> Window:
    """When scores come back at once, or all after the fifth."""
    call = begun(live, scorer, voice)
    waiting: list[ScoringRequest] = []
    for number in range(5):
        push(call, voice, number)
        waiting += call.take_requests()
        if not delay or number == 4:
            resolve(call, scorer, waiting)
            waiting = []
    push(call, voice, 5)
    (window,) = look(call.take_requests())
    return window


def test_after_more_than_four_seconds_the_window_holds_the_last_four(
    live: CallConfig, scripted: Script, voice: bytes
) -> None:
    scorer = scripted()
    call = begun(live, scorer, voice)
    push(call, voice, 0)
    waiting = call.take_requests()
    skipped = [score for number in range(1, 20) for score in push(call, voice, number)]
    waiting += call.take_requests()
    assert len(skipped) == 18
    assert {score.end - score.start for score in skipped[8:]} == {32_000}
    resolve(call, scorer, waiting)
    push(call, voice, 20)
    (request,) = call.take_requests()
    assert (request.end, len(request.audio.voice)) == (end(20), 400)


def test_one_leg_behind_is_not_the_other(live: CallConfig, scripted: Script, voice: bytes) -> None:
    scorer = scripted()
    call = begun(live, scorer, voice)
    for number in range(6):
        skipped = push(call, voice, number, "customer")
        assert len(skipped) == (number > 1)
        assert push(call, voice, number, "agent") == []
        requests = call.take_requests()
        resolve(call, scorer, [request for request in requests if request.leg == "agent"])


def test_a_recorded_call_skips_nothing(live: CallConfig, scripted: Script, voice: bytes) -> None:
    scorer = scripted()
    call = begun(replace(live, pacing=Pacing.RECORDED), scorer, voice)
    skipped = [score for number in range(24) for score in push(call, voice, number)]
    assert (skipped, call.pending) == ([], 24)
    requests = call.take_requests()
    assert [request.end for request in requests] == [end(n) for n in range(24)]
    resolve(call, scorer, requests)
    assert call.pending == 0
