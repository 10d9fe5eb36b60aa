"""A permit that goes takes everything with it, and one that comes begins with nothing."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.audio.features import CONTEXT
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.scoring.request import ScoringRequest
from emotion_service.types import (
    CallConfig,
    CallEvent,
    CallSummary,
    CallUpdate,
    Consent,
    ConsentChange,
    Cue,
    CueKind,
    CuePhase,
    DisclosureChange,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    LineChange,
    LineState,
    NotScored,
    Party,
    PartyChange,
    ScoringStatus,
    SpeechActivity,
    Trend,
)

Script = Callable[..., Scorer]
STEP = 4000  # samples a message, and a window

LOSSES: dict[str, tuple[CallUpdate, CallUpdate, NotScored]] = {
    "consent withdrawn": (
        ConsentChange(Consent.WITHDRAWN),
        ConsentChange(Consent.GRANTED),
        NotScored.CONSENT_WITHDRAWN,
    ),
    "consent refused after all": (
        ConsentChange(Consent.REFUSED),
        ConsentChange(Consent.GRANTED),
        NotScored.CONSENT_REFUSED,
    ),
    "not disclosed after all": (
        DisclosureChange(False),
        DisclosureChange(True),
        NotScored.NOT_DISCLOSED,
    ),
    "an agent takes the phone": (
        PartyChange("customer", Party.AGENT),
        PartyChange("customer", Party.CUSTOMER),
        NotScored.NOT_A_CUSTOMER,
    ),
    "others come near the phone": (
        PartyChange("customer", Party.MIXED),
        PartyChange("customer", Party.CUSTOMER),
        NotScored.PARTIES_MIXED,
    ),
}
every_loss = pytest.mark.parametrize("loss", list(LOSSES))


@pytest.fixture(scope="module")
def voice(speech: Callable[[float, int], FloatArray]) -> bytes:
    """Six seconds."""
    return encode_pcmu(speech(6.0, 2))


def push(call: Call, voice: bytes, first: int, last: int) -> list[CallEvent]:
    """The customer's windows [first, last), one message each; requests are left to be taken."""
    pieces = (voice[STEP * n : STEP * (n + 1)] for n in range(first, last))
    return [event for piece in pieces for event in call.push(EncodedAudio("customer", piece))]


def resolve(call: Call, scorer: Scorer, requests: list[ScoringRequest]) -> list[CallEvent]:
    scores = scorer.score(requests).scores if requests else []
    return [event for score in scores for event in call.resolve(score)]


def resolved(call: Call, scorer: Scorer, voice: bytes, first: int, last: int) -> list[CallEvent]:
    """The same, each window scored as it comes."""
    events: list[CallEvent] = []
    for n in range(first, last):
        events += push(call, voice, n, n + 1)
        events += resolve(call, scorer, call.take_requests())
    return events


@every_loss
def test_what_is_on_its_way_is_dropped_and_the_state_ends(
    config: CallConfig, scripted: Script, voice: bytes, loss: str
) -> None:
    change, _, reason = LOSSES[loss]
    scorer = scripted()
    call = Call(config, scorer)
    call.start()
    resolved(call, scorer, voice, 0, 4)
    push(call, voice, 4, 6)
    taken = call.take_requests()  # two are in some batch, the next waits to be taken
    push(call, voice, 6, 7)
    assert (len(taken), call.pending) == (2, 3)
    (state,) = [state for state in call.leg_states() if state.leg == "customer"]
    assert state.cue is not None and state.cue.kind is CueKind.NEUTRAL

    offset, status = call.update(change)
    assert isinstance(offset, Cue)
    assert (offset.kind, offset.phase) == (CueKind.NEUTRAL, CuePhase.OFFSET)
    assert offset.end == 7 * STEP == call.elapsed
    assert status == ScoringStatus("customer", reason)
    assert (call.pending, call.take_requests()) == (0, [])
    assert resolve(call, scorer, taken) == []
    (state,) = [state for state in call.leg_states() if state.leg == "customer"]
    assert (state.cue, state.not_scored) == (None, reason)

    after = push(call, voice, 7, 12) + call.finish()
    assert call.take_requests() == []
    assert {type(event) for event in after} <= {SpeechActivity, Trend}
    assert [event.legs[0].arousal for event in after if isinstance(event, Trend)] == [None]
    (summary,) = call.close()
    assert isinstance(summary, CallSummary)
    assert summary.legs[0].not_scored is reason
    assert summary.legs[0].scores == 4 + 2  # and two of the first words
    objected = reason in (NotScored.CONSENT_WITHDRAWN, NotScored.CONSENT_REFUSED)
    assert sum(state.total for state in summary.states) == (0 if objected else 7 * STEP)


@every_loss
@pytest.mark.parametrize("objection", [Consent.WITHDRAWN, Consent.REFUSED])
def test_an_objection_counts_though_the_leg_is_not_scored_any_more(
    config: CallConfig, scripted: Script, voice: bytes, loss: str, objection: Consent
) -> None:
    scorer = scripted()
    call = Call(config, scorer)
    call.start()
    resolved(call, scorer, voice, 0, 4)
    call.update(LOSSES[loss][0])
    call.update(ConsentChange(objection))
    call.finish()
    (summary,) = call.close()
    assert isinstance(summary, CallSummary)
    assert (summary.states, summary.turning_points) == ((), ())


@every_loss
def test_the_audio_and_the_speaker_are_forgotten(
    config: CallConfig, scripted: Script, voice: bytes, loss: str
) -> None:
    scorer = scripted()
    call = Call(config, scorer)
    call.start()
    push(call, voice, 0, 4)
    speaker = weakref.ref(call.take_requests()[0].speaker)
    grant = weakref.ref(call._legs["customer"].grant)
    call.update(LOSSES[loss][0])
    assert (grant(), speaker()) == (None, None)


def granted_at_four(
    call: Call, change: CallUpdate, scorer: Scorer, voice: bytes
) -> tuple[list[EmotionScore], list[Cue]]:
    """From window 4 on to the end: the scores and cues without their numbers."""
    assert call.update(change) == [ScoringStatus("customer", None)]
    push(call, voice, 4, 5)
    (request,) = call.take_requests()
    assert request.audio.start == 4 * STEP - CONTEXT
    assert not request.audio.samples[:CONTEXT].any()
    events = resolve(call, scorer, [request])
    events += resolved(call, scorer, voice, 5, 12)
    events += [*call.finish(), *call.close()]
    scores = [replace(event, sequence=0) for event in events if isinstance(event, EmotionScore)]
    return scores, [replace(event, sequence=0) for event in events if isinstance(event, Cue)]


@every_loss
def test_a_permit_that_comes_back_begins_with_a_new_baseline(
    config: CallConfig, touchy: Scorer, voice: bytes, loss: str
) -> None:
    lost, back, _ = LOSSES[loss]
    again = Call(config, touchy)
    again.start()
    resolved(again, touchy, voice, 0, 3)
    again.update(lost)
    resolved(again, touchy, voice, 3, 4)

    first_time = Call(replace(config, consent=Consent.PENDING), touchy)
    first_time.start()
    resolved(first_time, touchy, voice, 0, 4)

    expected = granted_at_four(first_time, ConsentChange(Consent.GRANTED), touchy, voice)
    assert granted_at_four(again, back, touchy, voice) == expected
    scores, cues = expected
    assert len(scores) >= 5
    assert scores[0].start == 4 * STEP
    assert len(cues) >= 2


def test_another_person_on_the_leg_is_another_speaker(
    config: CallConfig, scripted: Script, voice: bytes
) -> None:
    call = Call(replace(config, allow_mixed_for_testing=True), scripted())
    call.start()
    push(call, voice, 0, 1)
    (before,) = call.take_requests()
    assert call.update(PartyChange("customer", Party.CUSTOMER)) == []
    assert call.update(PartyChange("customer", Party.MIXED)) == [ScoringStatus("customer", None)]
    push(call, voice, 1, 2)
    (since,) = call.take_requests()
    assert since.permit.party is Party.MIXED
    assert since.speaker is not before.speaker
    assert since.audio.start == STEP - CONTEXT
    assert not since.audio.samples[:CONTEXT].any()


def test_consent_just_before_the_end_asks_for_nothing(
    config: CallConfig, scripted: Script, voice: bytes
) -> None:
    """What was said before the consent is not scored, and the end of the call brings no more."""
    call = Call(replace(config, consent=Consent.PENDING), scripted())
    call.start()
    call.push(EncodedAudio("customer", voice[:14_400]))
    call.update(ConsentChange(Consent.GRANTED))
    call.finish()
    assert call.take_requests() == []
    assert isinstance(call.close()[-1], CallSummary)


@pytest.mark.parametrize(
    ("before", "change", "then"),
    [
        (Consent.PENDING, ConsentChange(Consent.GRANTED), None),
        (
            Consent.GRANTED,
            LineChange("customer", LineState.MUTED),
            LineChange("customer", LineState.OPEN),
        ),
    ],
    ids=["before consent", "while muted"],
)
def test_what_came_before_is_not_heard_though_it_was_held_for_its_order(
    config: CallConfig,
    scripted: Script,
    before: Consent,
    change: CallUpdate,
    then: CallUpdate | None,
) -> None:
    call = Call(replace(config, consent=before), scripted())
    call.start()
    quiet, loud = bytes([0xFF]) * 8090, encode_pcmu(np.full(1280, 0.5, np.float32))
    call.push(EncodedAudio("customer", quiet, 0.0))  # half a block more than a second
    if then is None:
        call.push(EncodedAudio("customer", loud, 1.05))  # ahead of what follows
        call.update(change)
    else:
        call.update(change)
        call.push(EncodedAudio("customer", loud, 1.05))
        call.update(then)
    call.push(EncodedAudio("customer", quiet[:400], 1.2))
    grant = call.legs(["customer"])[0].grant
    assert grant is not None
    assert not grant.history.take()[0].any()
