"""What is told about a call: to its own stream, and to those who watch."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from emotion_service.types import (
    NO_TEXT,
    Advice,
    CallConfig,
    CallEvent,
    CallSummary,
    Cue,
    CuePhase,
    EmotionScore,
    Feedback,
    NotScored,
    Party,
    Placement,
    Sound,
    SpeechActivity,
    Text,
    Trend,
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

    @classmethod
    def of(cls, config: CallConfig) -> Address:
        """Of a call that begins."""
        return cls(config.call_id, config.tenant, config.queue, config.agent_id)

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
    @property
    def further(self) -> tuple[Cue, ...]: ...


@dataclass(frozen=True, slots=True)
class HandOver:
    """What an ended call with the same contact_id left for the next agent."""

    call_id: str
    text: Text


@dataclass(frozen=True, slots=True)
class CallState:
    """A call as it stands. `elapsed` in samples; `summary` once it has ended; `advice` that
    stands; `hand_over` as of now, where one call is asked for; `earlier`: those of the contact's
    calls before."""

    address: Address
    contact_id: str
    live: bool
    elapsed: int
    legs: tuple[LegStatus, ...]
    summary: CallSummary | None = None
    trend: Trend | None = None
    advice: tuple[Advice, ...] = ()
    hand_over: Text = NO_TEXT
    earlier: tuple[HandOver, ...] = ()
    feedback: tuple[Feedback, ...] = ()


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing happened. `dropped`: events this watcher has missed since it came."""

    dropped: int


Told: TypeAlias = EmotionScore | Cue | SpeechActivity | Trend | Advice | Feedback
Published: TypeAlias = Told | CallSummary | CallState


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
    def address(self) -> Address:
        return self.audience[1]

    @property
    def call_id(self) -> str:
        return self.address.call_id

    @property
    def contact(self) -> tuple[str, str]:
        """Tenant and contact_id."""
        return self.address.tenant, self.contact_id


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
# To a watcher: the cursor to go on at after it, and what it hears.
Watched: TypeAlias = tuple[str, CallState | Notice | Heartbeat | Reconnect]


def state_key(event: StreamEvent | Published) -> Hashable | None:
    """What a newer event of the same key makes obsolete; None: nothing replaces this one."""
    match event:
        case EmotionScore() | SpeechActivity():
            return type(event), event.leg
        case Trend():
            return "trend"
        case Cue(phase=CuePhase.UPDATE):
            return event.leg, event.kind
        case _:
            return None
