"""One function a message: the domain's values as the API writes them."""

from __future__ import annotations

from enum import Enum
from typing import Protocol, TypeVar

from google.protobuf.duration_pb2 import Duration

from emotion_service import types
from emotion_service.delivery.notice import Acknowledged, Latency, LegStatus, Ready, Reconnect
from emotion_service.errors import BadInput
from emotion_service.v1 import emotion_service_pb2 as pb

NANOSECONDS_A_SAMPLE = 1_000_000_000 // types.SAMPLE_RATE_HERTZ

EnumT = TypeVar("EnumT", bound=Enum)
NumberT = TypeVar("NumberT", bound=int)


class WireEnum(Protocol[NumberT]):
    def Name(self, number: NumberT) -> str: ...
    def Value(self, name: str) -> NumberT: ...
    def values(self) -> list[NumberT]: ...


# --- values -----------------------------------------------------------------------------------


def duration(samples: int) -> Duration:
    """A sample is exactly 125 000 ns."""
    whole, rest = divmod(samples, types.SAMPLE_RATE_HERTZ)
    return Duration(seconds=whole, nanos=rest * NANOSECONDS_A_SAMPLE)


def wire_enum(enum: WireEnum[NumberT], member: Enum | None) -> NumberT:
    """Members have the same names on both sides; None is UNSPECIFIED."""
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


# --- what a call says of itself ---------------------------------------------------------------


def activity(call_id: str, activity: types.SpeechActivity) -> pb.SpeechActivity:
    return pb.SpeechActivity(
        call_id=call_id,
        leg=activity.leg,
        sequence=activity.sequence,
        sound=wire_enum(pb.Sound, activity.sound),
        start_offset=duration(activity.start),
        decided_offset=duration(activity.decided),
    )


def status(
    call_id: str, status: types.ScoringStatus | Ready | Reconnect | Acknowledged
) -> pb.Status:
    match status:
        case types.ScoringStatus():
            reason = wire_enum(pb.NotScoredReason, status.reason)
            not_scored = pb.NotScored(leg=status.leg, reason=reason)
            return pb.Status(call_id=call_id, not_scored=not_scored)
        case Ready():
            ready = pb.Ready(
                model_version=status.model_version,
                model_licence=status.model_licence,
                latency_budget_ms=status.latency_budget_ms,
            )
            return pb.Status(call_id=call_id, ready=ready)
        case Reconnect():
            return pb.Status(call_id=call_id, reconnect=reconnect(status))
        case Acknowledged():
            acknowledged = pb.Acknowledged(leg=status.leg, sequence=status.sequence)
            return pb.Status(call_id=call_id, acknowledged=acknowledged)


def reconnect(reconnect: Reconnect) -> pb.Reconnect:
    grace = duration(round(reconnect.grace_seconds * types.SAMPLE_RATE_HERTZ))
    return pb.Reconnect(grace=grace)


def summary(call_id: str, contact_id: str, summary: types.CallSummary) -> pb.CallSummary:
    return pb.CallSummary(
        call_id=call_id,
        contact_id=contact_id,
        duration=duration(summary.duration),
        end_reason=wire_enum(pb.EndReason, summary.end_reason),
        legs=[_leg_summary(leg) for leg in summary.legs],
        states=[_state_time(time) for time in summary.states],
        talk_overs=summary.talk_overs,
        model_version=summary.model_version,
    )


def _leg_summary(leg: types.LegSummary) -> pb.LegSummary:
    return pb.LegSummary(
        leg=leg.leg,
        party=wire_enum(pb.Party, leg.party),
        speech=duration(leg.speech),
        talk_share=leg.talk_share,
        scores=leg.scores,
        abstained=leg.abstained,
        skipped_windows=leg.skipped_windows,
        not_scored_reason=wire_enum(pb.NotScoredReason, leg.not_scored),
        placement=_placement(leg.placement),
    )


def _state_time(time: types.StateTime) -> pb.StateTime:
    return pb.StateTime(
        leg=time.leg,
        kind=wire_enum(pb.CueKind, time.kind),
        episodes=time.episodes,
        total=duration(time.total),
    )


def leg_state(call_id: str, leg: LegStatus) -> pb.LegState:
    return pb.LegState(
        leg=leg.leg,
        party=wire_enum(pb.Party, leg.party),
        sound=wire_enum(pb.Sound, leg.sound),
        not_scored_reason=wire_enum(pb.NotScoredReason, leg.not_scored),
        cue=None if leg.cue is None else cue(call_id, leg.cue, None, 0),
        placement=_placement(leg.placement),
    )


def _placement(placement: types.Placement) -> pb.Placement:
    return pb.Placement(
        received=duration(placement.received),
        gaps=placement.gaps,
        lost=duration(placement.lost),
        overlaps=placement.overlaps,
        duplicates=placement.duplicates,
        reordered=placement.reordered,
        late=placement.late,
    )
