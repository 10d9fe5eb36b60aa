"""Whenever, and in whatever order, scores come back: the cues of a call are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.types import (
    Advice,
    CallConfig,
    CallEvent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    Party,
    Trend,
)

Voice = Callable[[float, int], FloatArray]
SECONDS = 6
STEP = 2000  # samples a message


@dataclass(repr=False)  # hypothesis shows all arguments of a test that fails
class Played:
    """A call, the scores that are on their way to it, and what it has said."""

    call: Call
    audio: list[EncodedAudio]
    due_back: list[EmotionScore] = field(default_factory=list)
    events: list[CallEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events += self.call.start()

    def push(self, number: int, scorer: Scorer) -> None:
        self.events += self.call.push(self.audio[number])
        self._score(scorer)

    def finish(self, scorer: Scorer) -> None:
        self.events += self.call.finish()
        self._score(scorer)

    def resolve(self, number: int) -> None:
        self.events += self.call.resolve(self.due_back.pop(number))

    def _score(self, scorer: Scorer) -> None:
        self.due_back += scorer.score(self.call.take_requests()).scores
        assert self.call.pending == len(self.due_back)

    @property
    def cues(self) -> list[Cue]:
        return [event for event in self.told if isinstance(event, Cue)]

    @property
    def told(self) -> list[Cue | Trend | Advice]:
        """What waits for its turn among all legs' scores."""
        return [event for event in self.events if isinstance(event, Cue | Trend | Advice)]

    @property
    def rest(self) -> list[CallEvent]:
        """All else but scores, which come as they come, and these in order."""
        scores = [event for event in self.events if isinstance(event, EmotionScore)]
        waited = EmotionScore | Cue | Trend | Advice
        others = [event for event in self.events if not isinstance(event, waited)]
        return [*others, *sorted(scores, key=lambda score: (score.leg, score.sequence))]


@dataclass(frozen=True, repr=False)
class Audio:
    """The messages of two calls, each holding its two legs in turn."""

    calls: list[list[EncodedAudio]]


@pytest.fixture(scope="module")
def audio(speech: Voice) -> Audio:
    calls = []
    for seeds in ((0, 2), (1, 3)):
        legs = [encode_pcmu(speech(SECONDS, seed)) for seed in seeds]
        pieces = range(0, SECONDS * 8000, STEP)
        calls.append(
            [
                EncodedAudio(name, leg[at : at + STEP])
                for at in pieces
                for name, leg in zip(("customer", "agent"), legs, strict=True)
            ]
        )
    return Audio(calls)


def played(config: CallConfig, audio: Audio, scorer: Scorer, delays: Random | None) -> list[Played]:
    """Both calls to their ends: scores come back at once, or at random."""
    calls = [Played(Call(config, scorer), messages) for messages in audio.calls]
    for number in range(len(audio.calls[0])):
        for call in calls:
            call.push(number, scorer)
        _come_back(calls, delays)
    for call in calls:
        call.finish(scorer)
        _come_back([call], delays, every=True)
        call.events += call.call.close()
    return calls


def _come_back(calls: list[Played], delays: Random | None, every: bool = False) -> None:
    on_their_way = [call for call in calls for _ in call.due_back]
    count = len(on_their_way)
    if delays is not None:
        delays.shuffle(on_their_way)
        count = count if every else delays.randint(0, min(count, 3))
    for call in on_their_way[:count]:
        call.resolve(0 if delays is None else delays.randrange(len(call.due_back)))


@pytest.fixture(scope="module")
def both_scored(config: CallConfig) -> CallConfig:
    """Two customers, so that scores of both legs are on their way."""
    return replace(config, legs=tuple(replace(leg, party=Party.CUSTOMER) for leg in config.legs))


@pytest.fixture(scope="module")
def scorer(scripted: Callable[..., Scorer]) -> Scorer:
    return scripted((9000, 25_000), (40_000, 60_000))


@pytest.fixture(scope="module")
def at_once(both_scored: CallConfig, audio: Audio, scorer: Scorer) -> list[Played]:
    return played(both_scored, audio, scorer, None)


def test_there_is_something_to_differ_in(at_once: list[Played]) -> None:
    for call in at_once:
        onsets = {cue.kind for cue in call.cues if cue.phase is CuePhase.ONSET}
        assert onsets >= {CueKind.AGITATED, CueKind.TALK_OVER, CueKind.NEUTRAL}
        assert [event.at for event in call.told if isinstance(event, Trend)] == [40_000]


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_random_delays_and_orders_of_the_scores_give_the_same_cues(
    both_scored: CallConfig,
    audio: Audio,
    scorer: Scorer,
    at_once: list[Played],
    delays: Random,
) -> None:
    delayed = played(both_scored, audio, scorer, delays)
    for expected, given_back in zip(at_once, delayed, strict=True):
        assert given_back.told == expected.told
        assert given_back.rest == expected.rest
