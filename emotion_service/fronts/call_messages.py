"""One function a message: what a call says of itself, as the API writes it."""

from __future__ import annotations

from emotion_service import types
from emotion_service.delivery.notice import (
    Acknowledged,
    Address,
    CallState,
    LegStatus,
    Ready,
    Reconnect,
)
from emotion_service.fronts.messages import cue, duration, wire_enum
from emotion_service.v1 import emotion_service_pb2 as pb


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
        turns=[_state_time(time) for time in summary.turns],
        turning_points=[_turning_point(point) for point in summary.turning_points],
        hand_over=_said(summary.hand_over),
    )


def _turning_point(point: types.TurningPoint) -> pb.TurningPoint:
    return pb.TurningPoint(
        leg=point.leg,
        offset=duration(point.at),
        before=wire_enum(pb.CueKind, point.before),
        after=wire_enum(pb.CueKind, point.after),
    )


def _said(what: types.Text) -> pb.Text | None:
    return text(what) if what.english else None


def text(text: types.Text) -> pb.Text:
    return pb.Text(english=text.english, german=text.german)


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
        further=[cue(call_id, lasting, None, 0) for lasting in leg.further],
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


# --- where it stands --------------------------------------------------------------------------


def call(state: CallState) -> pb.CallState:
    """A call as GetCall and a snapshot show it."""
    address = state.address
    said = pb.CallState(
        call_id=address.call_id,
        contact_id=state.contact_id,
        tenant=address.tenant,
        queue=address.queue,
        agent_id=address.agent_id,
        live=state.live,
        elapsed=duration(state.elapsed),
        legs=[leg_state(address.call_id, leg) for leg in state.legs],
        advice=[advice(address, state.contact_id, given) for given in state.advice],
        hand_over=_said(state.hand_over),
        earlier=[
            pb.HandOver(call_id=earlier.call_id, text=text(earlier.text))
            for earlier in state.earlier
        ],
        feedback=[feedback(address.call_id, given) for given in state.feedback],
    )
    if state.trend is not None:
        said.trend.CopyFrom(trend(address.call_id, state.trend))
    if state.summary is not None:
        said.summary.CopyFrom(summary(address.call_id, state.contact_id, state.summary))
    return said


def trend(call_id: str, trend: types.Trend) -> pb.Trend:
    return pb.Trend(
        call_id=call_id,
        offset=duration(trend.at),
        legs=[
            pb.LegTrend(
                leg=leg.leg,
                talk_share=leg.talk_share,
                arousal=leg.arousal,
                valence=leg.valence,
                arousal_slope=leg.arousal_slope,
                urgency=leg.urgency,
                curtness=leg.curtness,
            )
            for leg in trend.legs
        ],
    )


def advice(address: Address, contact_id: str, advice: types.Advice) -> pb.Advice:
    return pb.Advice(
        call_id=address.call_id,
        sequence=advice.sequence,
        rule=advice.rule,
        phase=wire_enum(pb.AdvicePhase, advice.phase),
        action=wire_enum(pb.AdviceAction, advice.action),
        skill=advice.skill,
        offset=duration(advice.at),
        expires_offset=duration(advice.expires),
        reason=text(advice.reason),
        rules_sha256=advice.rules_sha256,
        contact_id=contact_id,
        tenant=address.tenant,
        queue=address.queue,
    )


def feedback(call_id: str, feedback: types.Feedback) -> pb.Feedback:
    return pb.Feedback(
        call_id=call_id,
        cue_sequence=feedback.cue_sequence,
        verdict=wire_enum(pb.Verdict, feedback.verdict),
    )
