"""Advice depends on the call alone: not on the split of its audio, nor on when scores come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.types import (
    Advice,
    AdvicePhase,
    AttributeChange,
    CallConfig,
    CallEvent,
    Consent,
    ConsentChange,
    Cue,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    ScoringStatus,
    Trend,
    seconds,
)
from tests.routing.script import rules

Voice = Callable[[float, int], FloatArray]
SECONDS = 12
PIECE = 800  # samples: every split is into multiples of it, so that changes keep their place
CHANGES = {
    3 * 8000: AttributeChange("ivr_step", "bill"),
    5 * 8000: AttributeChange("queue", "support"),
    9 * 8000: AttributeChange("agent_id", "a-1"),
}
RULES = rules(
    'state == "agitated"',
    'state == "neutral" && state_seconds >= 2',
    "talk_overs_by_agent + talk_overs_by_customer >= 1",
    'queue == "support" && elapsed_seconds >= 6',
    'ivr_step == "bill" && !agent_id_set',
    hold=0.3,
    expires=10,
)


@dataclass(frozen=True, repr=False)
class Recording:
    """Two legs that talk at the same time, and who scores them."""

    config: CallConfig
    scorer: Scorer
    legs: dict[str, bytes]

    def said(self, pieces: tuple[int, ...], delays: Random | None) -> list[CallEvent]:
        """What has a place in the call's order. Messages of so many pieces in turn."""
        call = Call(self.config, self.scorer, RULES)
        events, waiting, lengths = call.start(), list[EmotionScore](), cycle(pieces)
        at, last = 0, SECONDS * 8000
        while at < last:
            if at in CHANGES:
                events += call.update(CHANGES[at])
            stop = min([last, *(change for change in CHANGES if change > at)])
            end = min(at + next(lengths) * PIECE, stop)
            for name, leg in self.legs.items():
                events += call.push(EncodedAudio(name, leg[at:end]))
            waiting += self.scorer.score(call.take_requests()).scores
            events += self._back(call, waiting, delays)
            at = end
        events += call.finish()
        waiting += self.scorer.score(call.take_requests()).scores
        events += self._back(call, waiting, None) + call.close()
        return [event for event in events if isinstance(event, Cue | Trend | Advice)]

    def _back(
        self, call: Call, waiting: list[EmotionScore], delays: Random | None
    ) -> list[CallEvent]:
        events: list[CallEvent] = []
        while waiting and (delays is None or delays.random() < 0.3):
            events += call.resolve(waiting.pop(delays.randrange(len(waiting)) if delays else 0))
        return events


@pytest.fixture(scope="module")
def recording(speech: Voice, config: CallConfig, scripted: Callable[..., Scorer]) -> Recording:
    legs = {name: encode_pcmu(speech(SECONDS, n)) for n, name in enumerate(("customer", "agent"))}
    return Recording(config, scripted((9000, 35_000)), legs)


@dataclass(frozen=True, repr=False)
class AtOnce:
    """What a steady stream gives when scores come back at once."""

    events: list[CallEvent]

    @property
    def advice(self) -> list[Advice]:
        return [event for event in self.events if isinstance(event, Advice)]


@pytest.fixture(scope="module")
def at_once(recording: Recording) -> AtOnce:
    return AtOnce(recording.said((1,), None))


def test_there_is_something_to_differ_in(at_once: AtOnce) -> None:
    given_rules = {each.rule for each in at_once.advice if each.phase is AdvicePhase.GIVEN}
    assert given_rules == {f"rule-{n}" for n in range(5)}
    assert [each.sequence for each in at_once.advice] == list(range(len(at_once.advice)))
    (billed,) = [each for each in at_once.advice if each.rule == "rule-4"][:1]
    assert seconds(billed.at) == 3.3


def test_all_advice_has_ended_with_the_call(at_once: AtOnce) -> None:
    standing: set[str] = set()
    for each in at_once.advice:
        (standing.add if each.phase is AdvicePhase.GIVEN else standing.discard)(each.rule)
    assert standing == set()
    assert isinstance(at_once.events[-1], Advice)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple), st.integers(0, 1 << 32))
def test_any_split_and_delay_give_the_same_advice_among_the_cues(
    recording: Recording, at_once: AtOnce, pieces: tuple[int, ...], delays: int
) -> None:
    assert recording.said(pieces, Random(delays)) == at_once.events


def test_withdrawing_consent_ends_what_was_inferred_at_once(recording: Recording) -> None:
    call = Call(recording.config, recording.scorer, rules('state != ""', "elapsed_seconds >= 1"))
    call.start()
    for name, leg in recording.legs.items():
        call.push(EncodedAudio(name, leg[:24_000]))
    for score in recording.scorer.score(call.take_requests()).scores:
        call.resolve(score)
    assert [each.rule for each in call.advice] == ["rule-0", "rule-1"]
    said = call.update(ConsentChange(Consent.WITHDRAWN))
    (ended,) = [event for event in said if isinstance(event, Advice)]
    assert (ended.rule, ended.phase, ended.at) == ("rule-0", AdvicePhase.ENDED, call.elapsed)
    assert [each.rule for each in call.advice] == ["rule-1"]
    assert any(isinstance(event, ScoringStatus) for event in said[: said.index(ended)])


def test_without_consent_rules_that_infer_nothing_speak(recording: Recording) -> None:
    unscored = replace(recording, config=replace(recording.config, consent=Consent.PENDING))
    said = [event for event in unscored.said((5,), None) if isinstance(event, Advice)]
    assert {each.rule for each in said} == {"rule-2", "rule-3", "rule-4"}
