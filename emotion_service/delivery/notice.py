"""What is told about a call: to its own stream, and to those who watch."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from emotion_service.types import (
    CallEvent,
    CallSummary,
    Cue,
    CuePhase,
    EmotionScore,
    NotScored,
    Party,
    Placement,
    Sound,
    SpeechActivity,
)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds the service added, in all and by stage."""

    total_ms: float
    queue_ms: float = 0.0
    features_ms: float = 0.0
    model_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Address:
    """Whose call it is. As a watcher's filter: an empty field matches everything."""

    call_id: str = ""
    tenant: str = ""
    queue: str = ""
    agent_id: str = ""

    def admits(self, other: Address) -> bool:
        """Whether a watcher with this filter hears of `other`."""
        return (
            self.call_id in ("", other.call_id)
            and self.tenant in ("", other.tenant)
            and self.queue in ("", other.queue)
            and self.agent_id in ("", other.agent_id)
        )


class LegStatus(Protocol):
    """A leg as it stands; `calls` makes them."""

    @property
    def leg(self) -> str: ...
    @property
    def party(self) -> Party: ...
    @property
    def sound(self) -> Sound: ...
    @property
    def not_scored(self) -> NotScored | None: ...
    @property
    def cue(self) -> Cue | None: ...
    @property
    def placement(self) -> Placement: ...


@dataclass(frozen=True, slots=True)
class CallState:
    """A call as it stands. `elapsed` in samples; `summary` once it has ended."""

    address: Address
    contact_id: str
    live: bool
    elapsed: int
    legs: tuple[LegStatus, ...]
    summary: CallSummary | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing happened. `dropped`: events this watcher has missed since it came."""

    dropped: int


Published: TypeAlias = EmotionScore | Cue | SpeechActivity | CallSummary | CallState


@dataclass(frozen=True, slots=True)
class Notice:
    """One event of one call, for those who watch. `audience`: its address before and after the
    event; they differ when the event is that the call has moved."""

    audience: tuple[Address, Address]
    contact_id: str
    event: Published
    latency: Latency | None
    budget_ms: int

    @property
    def call_id(self) -> str:
        return self.audience[1].call_id


@dataclass(frozen=True, slots=True)
class Ready:
    """To the call's own stream: the config was accepted."""

    model_version: str
    model_licence: str
    latency_budget_ms: int


@dataclass(frozen=True, slots=True)
class Reconnect:
    """To every stream: the server is about to stop."""

    grace_seconds: float


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """To the call's own stream: all audio of the leg up to `sequence` has been placed."""

    leg: str
    sequence: int


StreamEvent: TypeAlias = CallEvent | Ready | Reconnect | Acknowledged


def state_key(event: StreamEvent | CallState) -> Hashable | None:
    """What a newer event of the same key makes obsolete; None: nothing replaces this one."""
    match event:
        case EmotionScore() | SpeechActivity():
            return type(event), event.leg
        case Cue(phase=CuePhase.UPDATE):
            return event.leg, event.kind
        case _:
            return None
