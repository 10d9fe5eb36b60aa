"""One function a message: the domain's values as the API writes them.

Each fills in the message it is given, in place: to make it first and put it into another copies it,
at every level, and cost twice as much.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Any, Protocol, TypeVar

from google.protobuf.duration_pb2 import Duration

from emotion_service import types
from emotion_service.delivery.notice import Latency
from emotion_service.errors import BadInput
from emotion_service.v1 import emotion_service_pb2 as pb

NANOSECONDS_A_SAMPLE = 1_000_000_000 // types.SAMPLE_RATE_HERTZ

EnumT = TypeVar("EnumT", bound=Enum)
NumberT = TypeVar("NumberT", bound=int)


class WireEnum(Protocol[NumberT]):
    def Name(self, number: NumberT) -> str: ...
    def Value(self, name: str) -> NumberT: ...
    def values(self) -> list[NumberT]: ...
    def __hash__(self) -> int: ...


# --- values -----------------------------------------------------------------------------------


def duration(said: Duration, samples: int) -> None:
    """A sample is exactly 125 000 ns."""
    said.seconds, rest = divmod(samples, types.SAMPLE_RATE_HERTZ)
    said.nanos = rest * NANOSECONDS_A_SAMPLE


def wire_enum(enum: WireEnum[NumberT], member: Enum | None) -> NumberT:
    """Members have the same names on both sides; None is UNSPECIFIED."""
    number: NumberT = _number(enum, member)
    return number


@cache  # asked several times an event, of a handful of enums
def _number(enum: WireEnum[Any], member: Enum | None) -> Any:
    return enum.Value(_prefix(enum) + ("UNSPECIFIED" if member is None else member.name))


def domain_enum(domain: type[EnumT], enum: WireEnum[NumberT], number: NumberT) -> EnumT:
    """The other way round.

    Raises:
        BadInput: ENUM_INVALID for a number that has no name, or none here.
    """
    name = enum.Name(number).removeprefix(_prefix(enum)) if number in enum.values() else ""
    if name not in domain.__members__:
        known = ", ".join(domain.__members__)
        raise BadInput(
            "ENUM_INVALID", f"{domain.__name__}: {number} is none of its values; send {known}"
        )
    return domain[name]


def _prefix(enum: WireEnum[NumberT]) -> str:
    return enum.Name(enum.values()[0]).removesuffix("UNSPECIFIED")


# --- scores and cues --------------------------------------------------------------------------


def score(
    said: pb.Score,
    call_id: str,
    score: types.EmotionScore,
    latency: Latency | None,
    budget_ms: int,
) -> None:
    said.call_id = call_id
    said.leg = score.leg
    said.sequence = score.sequence
    duration(said.start_offset, score.start)
    duration(said.end_offset, score.end)
    if score.probabilities is not None:
        _probabilities(said.probabilities, score.probabilities)
    if score.indices is not None:
        said.indices.arousal = score.indices.arousal
        said.indices.valence = score.indices.valence
    said.confidence = score.confidence
    said.evidence_seconds = types.seconds(score.evidence)
    said.provisional = score.provisional
    said.abstain_reason = wire_enum(pb.AbstainReason, score.abstain)
    if score.non_speech is not None:
        said.non_speech = score.non_speech
    for reason in score.reasons:
        _reason(said.reasons.add(), reason)
    _quality(said.quality, score.quality)
    said.model_version = score.model_version
    if latency is not None:
        _latency(said.latency, latency)
        said.within_budget = latency.total_ms <= budget_ms


def cue(
    said: pb.Cue, call_id: str, cue: types.Cue, latency: Latency | None, budget_ms: int
) -> None:
    said.call_id = call_id
    said.leg = cue.leg
    said.sequence = cue.sequence
    said.kind = wire_enum(pb.CueKind, cue.kind)
    said.phase = wire_enum(pb.CuePhase, cue.phase)
    duration(said.start_offset, cue.start)
    duration(said.end_offset, cue.end)
    duration(said.decided_offset, cue.decided)
    said.confidence = cue.confidence
    said.evidence_seconds = types.seconds(cue.evidence)
    said.abstain_reason = wire_enum(pb.AbstainReason, cue.abstain)
    for reason in cue.reasons:
        _reason(said.reasons.add(), reason)
    _quality(said.quality, cue.quality)
    said.model_version = cue.model_version
    if latency is not None:
        _latency(said.latency, latency)
        said.within_budget = latency.total_ms <= budget_ms
    if cue.index is not None:
        said.index = cue.index


def _probabilities(said: pb.Probabilities, p: types.Probabilities) -> None:
    said.anger, said.happiness, said.sadness = p.anger, p.happiness, p.sadness
    said.neutral = p.neutral


def _reason(said: pb.Reason, reason: types.Reason) -> None:
    said.feature = reason.feature
    said.value = reason.value
    said.baseline = reason.baseline
    said.unit = reason.unit
    said.shift = reason.shift
    said.own_baseline = reason.own_baseline
    said.text = reason.text


def _quality(said: pb.Quality, quality: types.Quality) -> None:
    said.lost_fraction = quality.lost_fraction
    said.clipped_fraction = quality.clipped_fraction
    said.skipped_windows = quality.skipped_windows


def _latency(said: pb.Latency, latency: Latency) -> None:
    said.total_ms = latency.total_ms
    said.queue_ms = latency.queue_ms
    said.features_ms = latency.features_ms
    said.model_ms = latency.model_ms
