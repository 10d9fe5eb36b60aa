"""What a call says at its start, at each change, on hold, and at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.errors import BadInput
from emotion_service.offline import analyze
from emotion_service.types import (
    Abstain,
    AttributeChange,
    CallConfig,
    CallEvent,
    CallSummary,
    Consent,
    ConsentChange,
    DtmfDigit,
    EmotionScore,
    EncodedAudio,
    EndReason,
    EndReasonChange,
    FloatArray,
    LegConfig,
    LineChange,
    LineState,
    NotScored,
    Party,
    PartyChange,
    Placement,
    ScoringStatus,
    Sound,
    SpeechActivity,
)

Script = Callable[..., Scorer]
STEP = 4000


@pytest.fixture(scope="module")
def voice(speech: Callable[[float, int], FloatArray]) -> bytes:
    """Six seconds, with hardly a pause."""
    return encode_pcmu(speech(1.0, 0)) * 6


def played(call: Call, scorer: Scorer, data: bytes) -> list[CallEvent]:
    """The customer's audio in half seconds, each window scored at once."""
    events: list[CallEvent] = []
    for at in range(0, len(data), STEP):
        events += call.push(EncodedAudio("customer", data[at : at + STEP]))
        for request in call.take_requests():
            events += call.resolve(scorer.score([request]).scores[0])
    return events


def ended(call: Call, scorer: Scorer) -> CallSummary:
    call.finish()
    for request in call.take_requests():
        call.resolve(scorer.score([request]).scores[0])
    summary = call.close()[-1]
    assert isinstance(summary, CallSummary)
    return summary


# --- start and changes ------------------------------------------------------------------------


def test_the_start_says_of_each_leg_whether_it_is_scored(
    config: CallConfig, scripted: Script
) -> None:
    call = Call(config, scripted())
    assert call.start() == [
        ScoringStatus("customer", None),
        ScoringStatus("agent", NotScored.NOT_A_CUSTOMER),
    ]
    assert call.start() == []
    assert (call.elapsed, call.pending) == (0, 0)


def test_a_change_is_said_once(config: CallConfig, scripted: Script) -> None:
    call = Call(replace(config, consent=Consent.PENDING), scripted())
    assert call.start()[0] == ScoringStatus("customer", NotScored.CONSENT_PENDING)
    assert call.update(ConsentChange(Consent.PENDING)) == []
    assert call.update(ConsentChange(Consent.REFUSED)) == [
        ScoringStatus("customer", NotScored.CONSENT_REFUSED)
    ]
    assert call.update(ConsentChange(Consent.REFUSED)) == []
    assert call.update(ConsentChange(Consent.GRANTED)) == [ScoringStatus("customer", None)]
    assert call.update(PartyChange("agent", Party.BOT)) == []
    assert call.update(PartyChange("agent", Party.CUSTOMER)) == [ScoringStatus("agent", None)]


@pytest.mark.parametrize(
    "change", [PartyChange("x", Party.AGENT), LineChange("x", LineState.MUTED)]
)
def test_a_change_of_an_undeclared_leg_is_refused(
    config: CallConfig, scripted: Script, change: PartyChange | LineChange
) -> None:
    with pytest.raises(BadInput) as refused:
        Call(config, scripted()).update(change)
    assert refused.value.reason == "UNDECLARED_LEG"
    assert "customer" not in str(refused.value)


def test_a_call_ends_for_one_reason(config: CallConfig, scripted: Script) -> None:
    call = Call(config, scripted())
    call.start()
    for reason in (EndReason.UNSPECIFIED, EndReason.COMPLETED, EndReason.COMPLETED):
        assert call.update(EndReasonChange(reason)) == []
    with pytest.raises(BadInput) as refused:
        call.update(EndReasonChange(EndReason.TRANSFERRED))
    assert refused.value.reason == "UPDATE_CONTRADICTS"


def test_audio_of_an_undeclared_leg_is_refused(config: CallConfig, scripted: Script) -> None:
    with pytest.raises(BadInput) as refused:
        Call(config, scripted()).push(EncodedAudio("x", b"\xff"))
    assert refused.value.reason == "UNDECLARED_LEG"


def test_a_format_that_does_not_exist_is_refused(config: CallConfig, scripted: Script) -> None:
    leg = LegConfig("customer", Party.CUSTOMER, "audio/PCMU", 16000)
    with pytest.raises(BadInput) as refused:
        Call(replace(config, legs=(leg,)), scripted())
    assert refused.value.reason == "UNSUPPORTED_RATE"


def test_attributes_change_in_silence(config: CallConfig, scripted: Script) -> None:
    call = Call(replace(config, attributes=(("plan", "gold"),)), scripted())
    call.start()
    assert call.update(AttributeChange("queue", "sales")) == []


# --- on hold, muted, keys pressed -------------------------------------------------------------


@pytest.mark.parametrize("state", [LineState.ON_HOLD, LineState.MUTED])
def test_on_hold_time_goes_on_in_silence(
    config: CallConfig, scripted: Script, voice: bytes, state: LineState
) -> None:
    scorer = scripted()
    call = Call(config, scorer)
    call.start()
    played(call, scorer, voice[: 4 * STEP])
    assert call.update(LineChange("customer", state)) == []
    held = played(call, scorer, voice[: 3 * STEP])
    assert call.elapsed == 7 * STEP
    assert held == [SpeechActivity("customer", 1, Sound.SILENCE, 4 * STEP, 4 * STEP + 2400)]

    assert call.update(LineChange("customer", LineState.OPEN)) == []
    resumed = played(call, scorer, voice[: 3 * STEP])
    assert resumed[0] == SpeechActivity("customer", 2, Sound.SPEECH, 7 * STEP, 7 * STEP + 480)
    ends = [event.end for event in resumed if isinstance(event, EmotionScore)]
    assert ends == [8 * STEP, 9 * STEP, 10 * STEP]


def test_a_key_leaves_nothing_but_its_tone(config: CallConfig, touchy: Scorer) -> None:
    assert fields(DtmfDigit) == ()
    time = np.arange(8000) / 8000
    key = 0.2 * (np.sin(2 * np.pi * 770 * time) + np.sin(2 * np.pi * 1336 * time))
    line = np.concatenate([np.zeros(8000), key, np.zeros(8000)]).astype(np.float32)
    call = Call(config, touchy)
    call.start()
    events = played(call, touchy, encode_pcmu(line[:12_000]))
    assert call.update(DtmfDigit()) == []
    events += played(call, touchy, encode_pcmu(line[12_000:]))
    sounds = [event for event in events if isinstance(event, SpeechActivity)]
    assert Sound.TONE in {sound.sound for sound in sounds}
    # The gate needs 80 ms to know a tone; until then it may pass for a syllable, never for more.
    for sound, after in pairwise(sounds):
        assert sound.sound is not Sound.SPEECH or after.start - sound.start <= 800
    scores = [event for event in events if isinstance(event, EmotionScore)]
    assert {score.abstain for score in scores} <= {Abstain.TOO_LITTLE_SPEECH}


# --- states and summary -----------------------------------------------------------------------


def test_a_snapshot_shows_every_leg(config: CallConfig, scripted: Script, voice: bytes) -> None:
    scorer = scripted((0, 100_000))
    call = Call(config, scorer)
    call.start()
    played(call, scorer, voice[: 6 * STEP])
    customer, agent = call.leg_states()
    assert (customer.leg, customer.party, customer.sound) == (
        "customer",
        Party.CUSTOMER,
        Sound.SPEECH,
    )
    assert customer.cue is not None
    assert customer.cue.kind.name == "AGITATED"
    assert customer.placement == Placement(received=6 * STEP)
    assert (agent.leg, agent.party, agent.sound) == ("agent", Party.AGENT, Sound.SILENCE)
    assert (agent.not_scored, agent.cue) == (NotScored.NOT_A_CUSTOMER, None)
    assert agent.placement == Placement()


def test_the_summary_counts_what_was_said(
    config: CallConfig, scripted: Script, voice: bytes
) -> None:
    scorer = scripted()
    call = Call(config, scorer)
    call.start()
    events = played(call, scorer, voice)
    call.update(EndReasonChange(EndReason.TRANSFERRED))
    summary = ended(call, scorer)
    edges = [event for event in events if isinstance(event, SpeechActivity)]
    times = [*(edge.start for edge in edges), 48_000]
    spoken = sum(
        times[i + 1] - times[i] for i, edge in enumerate(edges) if edge.sound is Sound.SPEECH
    )
    customer, agent = summary.legs
    assert (summary.duration, summary.end_reason) == (48_000, EndReason.TRANSFERRED)
    assert (customer.speech, customer.talk_share) == (spoken, 1.0)
    assert (agent.speech, agent.talk_share, agent.scores) == (0, 0.0, 0)
    assert customer.scores == sum(isinstance(event, EmotionScore) for event in events)
    assert (customer.abstained, customer.skipped_windows) == (0, 0)
    assert agent.not_scored is NotScored.NOT_A_CUSTOMER
    assert summary.model_version == "scripted-1"


def test_the_last_words_are_scored(config: CallConfig, scripted: Script, voice: bytes) -> None:
    """The call ends 150 ms after a window: speech goes on, and the rest is a window of its own."""
    audio = [EncodedAudio("customer", voice[: 5 * STEP + 1200])]
    scores = [e for e in analyze(config, audio, scripted()) if isinstance(e, EmotionScore)]
    assert [score.end for score in scores[-2:]] == [5 * STEP, 5 * STEP + 1280]


def test_a_call_without_audio_has_a_summary(config: CallConfig, scripted: Script) -> None:
    call = Call(config, scripted())
    call.start()
    summary = ended(call, scripted())
    assert (summary.duration, summary.states, summary.talk_overs) == (0, (), 0)
    assert [leg.talk_share for leg in summary.legs] == [0.0, 0.0]
