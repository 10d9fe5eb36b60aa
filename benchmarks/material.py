"""What the stages get to see: calls of real length, played through the service's own stages once,
and what each stage was given on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np

from benchmarks.conversation import Conversation
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer, Window, look
from emotion_service.routing.ruleset import RuleSet
from emotion_service.scoring.request import ScoringRequest
from emotion_service.types import (
    BLOCK,
    SAMPLE_RATE_HERTZ,
    CallConfig,
    CallEvent,
    Consent,
    EncodedAudio,
    LegConfig,
    Pacing,
    Party,
)

MESSAGE = SAMPLE_RATE_HERTZ // 10  # samples of each leg in a message: 100 ms
SECONDS = 20.0  # of each call
LEGS = tuple(
    LegConfig(party.name.lower(), party, "audio/PCMU", SAMPLE_RATE_HERTZ)
    for party in (Party.CUSTOMER, Party.AGENT)
)
Tape: TypeAlias = list[tuple[str, tuple[Any, ...]]]  # calls of methods: name and arguments


@dataclass(slots=True)
class Played:
    """100 ms of a call: its message, what it led to, and what course and rules were told."""

    audio: EncodedAudio
    events: list[CallEvent] = field(default_factory=list)
    requests: list[ScoringRequest] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    course: Tape = field(default_factory=list)
    advisor: Tape = field(default_factory=list)


def config() -> CallConfig:
    """Of a call whose customer may be scored. As recorded: no window is ever skipped."""
    return CallConfig(
        "call",
        LEGS,
        pacing=Pacing.RECORDED,
        disclosure_given=True,
        consent=Consent.GRANTED,
    )


def played(conversation: Conversation, scorer: Scorer, rules: RuleSet) -> list[Played]:
    """The first seconds of a call, message by message."""
    call = Call(config(), scorer, rules)
    course, advisor = Tapped(call._course), Tapped(call._advisor)
    call._course, call._advisor = cast(Any, course), cast(Any, advisor)
    call.start()  # goes on the tapes of the first message
    messages = []
    for at in range(0, int(SECONDS * SAMPLE_RATE_HERTZ), MESSAGE):
        data = conversation.take(at + np.arange(MESSAGE), axis=0, mode="wrap").tobytes()
        message = Played(EncodedAudio("", data, offset_seconds=at / SAMPLE_RATE_HERTZ))
        message.events = call.push(message.audio)
        message.requests = call.take_requests()
        for request in message.requests:
            memory = request.speaker.copy()
            message.windows += look([request])
            request.speaker.restore(memory)
            for score in scorer.score([request]).scores:
                message.events += call.resolve(score)
        message.course, message.advisor = course.take(), advisor.take()
        messages.append(message)
    return messages


class Tapped:
    """Stands before an object, passes every call on, and keeps what was asked."""

    def __init__(self, inner: object) -> None:
        self._inner = inner
        self._tape: Tape = []

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        return self._taped(name, found) if callable(found) else found

    def take(self) -> Tape:
        """What was asked since it was last taken."""
        tape, self._tape = self._tape, []
        return tape

    def _taped(self, name: str, method: Callable[..., object]) -> Callable[..., object]:
        def kept(*given: object) -> object:
            self._tape.append((name, given))
            return method(*given)

        return kept


def replay(tape: Tape, on: object) -> None:
    """Asks another object the same, in the same order."""
    for name, given in tape:
        getattr(on, name)(*given)


def per_second(counts: Sequence[int]) -> float:
    """So many of something in each of several calls: how many a call-second."""
    return sum(counts) / (len(counts) * SECONDS)


assert MESSAGE % BLOCK == 0
