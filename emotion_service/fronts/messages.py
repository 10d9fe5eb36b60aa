"""One function a message: the domain's values as the API writes them."""

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


def duration(samples: int) -> Duration:
    """A sample is exactly 125 000 ns."""
    whole, rest = divmod(samples, types.SAMPLE_RATE_HERTZ)
    return Duration(seconds=whole, nanos=rest * NANOSECONDS_A_SAMPLE)


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
    call_id: str, score: types.EmotionScore, latency: Latency | None, budget_ms: int
) -> pb.Score:
    p, i = score.probabilities, score.indices
    return pb.Score(
        call_id=call_id,
        leg=score.leg,
        sequence=score.sequence,
        start_offset=duration(score.start),
        end_offset=duration(score.end),
        probabilities=None if p is None else _probabilities(p),
        indices=None if i is None else pb.Indices(arousal=i.arousal, valence=i.valence),
        confidence=score.confidence,
        evidence_seconds=types.seconds(score.evidence),
        provisional=score.provisional,
        abstain_reason=wire_enum(pb.AbstainReason, score.abstain),
        non_speech=score.non_speech,
        reasons=[_reason(reason) for reason in score.reasons],
        quality=_quality(score.quality),
        model_version=score.model_version,
        latency=None if latency is None else _latency(latency),
        within_budget=None if latency is None else latency.total_ms <= budget_ms,
    )


def cue(call_id: str, cue: types.Cue, latency: Latency | None, budget_ms: int) -> pb.Cue:
    return pb.Cue(
        call_id=call_id,
        leg=cue.leg,
        sequence=cue.sequence,
        kind=wire_enum(pb.CueKind, cue.kind),
        phase=wire_enum(pb.CuePhase, cue.phase),
        start_offset=duration(cue.start),
        end_offset=duration(cue.end),
        decided_offset=duration(cue.decided),
        confidence=cue.confidence,
        evidence_seconds=types.seconds(cue.evidence),
        abstain_reason=wire_enum(pb.AbstainReason, cue.abstain),
        reasons=[_reason(reason) for reason in cue.reasons],
        quality=_quality(cue.quality),
        model_version=cue.model_version,
        latency=None if latency is None else _latency(latency),
        within_budget=None if latency is None else latency.total_ms <= budget_ms,
        index=cue.index,
    )


def _probabilities(p: types.Probabilities) -> pb.Probabilities:
    return pb.Probabilities(
        anger=p.anger, happiness=p.happiness, sadness=p.sadness, neutral=p.neutral
    )


def _reason(reason: types.Reason) -> pb.Reason:
    return pb.Reason(
        feature=reason.feature,
        value=reason.value,
        baseline=reason.baseline,
        unit=reason.unit,
        shift=reason.shift,
        own_baseline=reason.own_baseline,
        text=reason.text,
    )


def _quality(quality: types.Quality) -> pb.Quality:
    return pb.Quality(
        lost_fraction=quality.lost_fraction,
        clipped_fraction=quality.clipped_fraction,
        skipped_windows=quality.skipped_windows,
    )


def _latency(latency: Latency) -> pb.Latency:
    return pb.Latency(
        total_ms=latency.total_ms,
        queue_ms=latency.queue_ms,
        features_ms=latency.features_ms,
        model_ms=latency.model_ms,
    )
