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


@pytest.fixture(scope="module")
def voice(speech: Callable[[float, int], FloatArray]) -> bytes:
    """Twelve seconds in speech at every half second."""
    return encode_pcmu(speech(1.0, 0)) * 12


@pytest.fixture
def live(config: CallConfig) -> CallConfig:
    customers = tuple(replace(leg, party=Party.CUSTOMER) for leg in config.legs)
    return replace(config, legs=customers, pacing=Pacing.LIVE)


def push(call: Call, voice: bytes, number: int, leg: str = "customer") -> list[EmotionScore]:
    """Half a second; what is scored by that alone was skipped."""
    piece = voice[STEP * number : STEP * (number + 1)]
    events = call.push(EncodedAudio(leg, piece))
    return [event for event in events if isinstance(event, EmotionScore)]


def resolve(call: Call, scorer: Scorer, requests: list[ScoringRequest]) -> None:
    for score in scorer.score(requests).scores:
        call.resolve(score)


def test_more_than_half_a_second_behind_windows_are_skipped(
    live: CallConfig, scripted: Script, voice: bytes
) -> None:
    scorer = scripted()
    call = Call(live, scorer)
    call.start()
    assert push(call, voice, 0) + push(call, voice, 1) == []  # exactly 500 ms behind
    waiting = call.take_requests()
    skipped = push(call, voice, 2) + push(call, voice, 3)
    assert [score.end for score in skipped] == [3 * STEP, 4 * STEP]
    assert [score.sequence for score in skipped] == [2, 3]
    assert [score.quality.skipped_windows for score in skipped] == [1, 2]
    for score in skipped:
        assert (score.abstain, score.probabilities) == (Abstain.OVERLOADED, None)
        assert 0 < score.evidence <= score.end
    assert (call.take_requests(), call.pending) == ([], 2)

    resolve(call, scorer, waiting)
    assert push(call, voice, 4) == []
    (request,) = call.take_requests()
    assert (request.end, request.sequence, request.quality.skipped_windows) == (5 * STEP, 4, 2)
    assert len(request.audio.voice) * 80 == 3 * STEP  # from where the last request ended
    resolve(call, scorer, [request])
    call.finish()
    summary = call.close()[-1]
    assert isinstance(summary, CallSummary)
    assert (summary.legs[0].skipped_windows, summary.legs[1].skipped_windows) == (2, 0)
    assert (summary.legs[0].scores, summary.legs[0].abstained) == (5, 2)


def test_windows_of_one_message_are_not_late_because_of_each_other(
    live: CallConfig, scripted: Script, voice: bytes
) -> None:
    call = Call(live, scripted())
    call.start()
    call.push(EncodedAudio("customer", voice[: 4 * STEP]))
    assert [request.end for request in call.take_requests()] == [STEP, 2 * STEP, 3 * STEP, 4 * STEP]
    events = call.push(EncodedAudio("customer", voice[4 * STEP : 7 * STEP]))
    skipped = [event.end for event in events if isinstance(event, EmotionScore)]
    assert [request.end for request in call.take_requests()] == [5 * STEP]
    assert skipped == [6 * STEP, 7 * STEP]  # more than 500 ms after what is still unscored came


def test_the_window_after_the_skipped_ones_has_no_hole(
    live: CallConfig, touchy: Scorer, voice: bytes
) -> None:
    """The model is shown the very frames that it would have been shown without the delay."""
    prompt, late = (_sixth_window(live, touchy, voice, delay) for delay in (False, True))
    assert (late.frames.start, late.frames.end) == (0, 6 * STEP)
    assert (prompt.frames.start, prompt.frames.end) == (0, 6 * STEP)
    assert np.array_equal(prompt.frames.values, late.frames.values)
    assert np.array_equal(prompt.frames.voice, late.frames.voice)


def _sixth_window(live: CallConfig, scorer: Scorer, voice: bytes, delay: bool) -> Window:
    """When scores come back at once, or all after the fifth."""
    call = Call(live, scorer)
    call.start()
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
    call = Call(live, scorer)
    call.start()
    push(call, voice, 0)
    waiting = call.take_requests()
    skipped = [score for number in range(1, 20) for score in push(call, voice, number)]
    waiting += call.take_requests()
    assert len(skipped) == 18
    assert {score.end - score.start for score in skipped[8:]} == {32_000}
    resolve(call, scorer, waiting)
    push(call, voice, 20)
    (request,) = call.take_requests()
    assert (request.end, len(request.audio.voice)) == (21 * STEP, 400)


def test_one_leg_behind_is_not_the_other(live: CallConfig, scripted: Script, voice: bytes) -> None:
    scorer = scripted()
    call = Call(live, scorer)
    call.start()
    for number in range(6):
        skipped = push(call, voice, number, "customer")
        assert len(skipped) == (number > 1)
        assert push(call, voice, number, "agent") == []
        requests = call.take_requests()
        resolve(call, scorer, [request for request in requests if request.leg == "agent"])


def test_a_recorded_call_skips_nothing(live: CallConfig, scripted: Script, voice: bytes) -> None:
    scorer = scripted()
    call = Call(replace(live, pacing=Pacing.RECORDED), scorer)
    call.start()
    skipped = [score for number in range(24) for score in push(call, voice, number)]
    assert (skipped, call.pending) == ([], 24)
    requests = call.take_requests()
    assert [request.end for request in requests] == [STEP * (n + 1) for n in range(24)]
    resolve(call, scorer, requests)
    assert call.pending == 0
