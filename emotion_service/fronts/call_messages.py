"""One function a message: what a call says of itself, as the API writes it.

Each fills in the message it is given, as in `messages`.
"""

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


def activity(said: pb.SpeechActivity, call_id: str, activity: types.SpeechActivity) -> None:
    said.call_id = call_id
    said.leg = activity.leg
    said.sequence = activity.sequence
    said.sound = wire_enum(pb.Sound, activity.sound)
    duration(said.start_offset, activity.start)
    duration(said.decided_offset, activity.decided)


def status(
    said: pb.Status,
    call_id: str,
    status: types.ScoringStatus | Ready | Reconnect | Acknowledged,
) -> None:
    said.call_id = call_id
    match status:
        case types.ScoringStatus():
            said.not_scored.leg = status.leg
            said.not_scored.reason = wire_enum(pb.NotScoredReason, status.reason)
        case Ready():
            said.ready.model_version = status.model_version
            said.ready.model_licence = status.model_licence
            said.ready.latency_budget_ms = status.latency_budget_ms
        case Reconnect():
            reconnect(said.reconnect, status)
        case Acknowledged():
            said.acknowledged.leg = status.leg
            said.acknowledged.sequence = status.sequence


def reconnect(said: pb.Reconnect, reconnect: Reconnect) -> None:
    duration(said.grace, round(reconnect.grace_seconds * types.SAMPLE_RATE_HERTZ))


def summary(
    said: pb.CallSummary, call_id: str, contact_id: str, summary: types.CallSummary
) -> None:
    said.call_id = call_id
    said.contact_id = contact_id
    duration(said.duration, summary.duration)
    said.end_reason = wire_enum(pb.EndReason, summary.end_reason)
    for leg in summary.legs:
        _leg_summary(said.legs.add(), leg)
    for state in summary.states:
        _state_time(said.states.add(), state)
    said.talk_overs = summary.talk_overs
    said.model_version = summary.model_version
    for turn in summary.turns:
        _state_time(said.turns.add(), turn)
    for point in summary.turning_points:
        _turning_point(said.turning_points.add(), point)
    if summary.hand_over.english:
        text(said.hand_over, summary.hand_over)


def _turning_point(said: pb.TurningPoint, point: types.TurningPoint) -> None:
    said.leg = point.leg
    duration(said.offset, point.at)
    said.before = wire_enum(pb.CueKind, point.before)
    said.after = wire_enum(pb.CueKind, point.after)


def text(said: pb.Text, text: types.Text) -> None:
    said.english = text.english
    said.german = text.german


def _leg_summary(said: pb.LegSummary, leg: types.LegSummary) -> None:
    said.leg = leg.leg
    said.party = wire_enum(pb.Party, leg.party)
    duration(said.speech, leg.speech)
    said.talk_share = leg.talk_share
    said.scores = leg.scores
    said.abstained = leg.abstained
    said.skipped_windows = leg.skipped_windows
    said.not_scored_reason = wire_enum(pb.NotScoredReason, leg.not_scored)
    _placement(said.placement, leg.placement)


def _state_time(said: pb.StateTime, time: types.StateTime) -> None:
    said.leg = time.leg
    said.kind = wire_enum(pb.CueKind, time.kind)
    said.episodes = time.episodes
    duration(said.total, time.total)


def leg_state(said: pb.LegState, call_id: str, leg: LegStatus) -> None:
    said.leg = leg.leg
    said.party = wire_enum(pb.Party, leg.party)
    said.sound = wire_enum(pb.Sound, leg.sound)
    said.not_scored_reason = wire_enum(pb.NotScoredReason, leg.not_scored)
    if leg.cue is not None:
        cue(said.cue, call_id, leg.cue, None, 0)
    _placement(said.placement, leg.placement)
    for lasting in leg.further:
        cue(said.further.add(), call_id, lasting, None, 0)


def _placement(said: pb.Placement, placement: types.Placement) -> None:
    duration(said.received, placement.received)
    said.gaps = placement.gaps
    duration(said.lost, placement.lost)
    said.overlaps = placement.overlaps
    said.duplicates = placement.duplicates
    said.reordered = placement.reordered
    said.late = placement.late


# --- where it stands --------------------------------------------------------------------------


def call(said: pb.CallState, state: CallState) -> None:
    """A call as GetCall and a snapshot show it."""
    address = state.address
    call_id = address.call_id
    said.call_id = call_id
    said.contact_id = state.contact_id
    said.tenant = address.tenant
    said.queue = address.queue
    said.agent_id = address.agent_id
    said.live = state.live
    duration(said.elapsed, state.elapsed)
    for leg in state.legs:
        leg_state(said.legs.add(), call_id, leg)
    if state.summary is not None:
        summary(said.summary, call_id, state.contact_id, state.summary)
    if state.trend is not None:
        trend(said.trend, call_id, state.trend)
    for given in state.advice:
        advice(said.advice.add(), address, state.contact_id, given)
    if state.hand_over.english:
        text(said.hand_over, state.hand_over)
    for earlier in state.earlier:
        said_earlier = said.earlier.add(call_id=earlier.call_id)
        text(said_earlier.text, earlier.text)
    for judged in state.feedback:
        feedback(said.feedback.add(), call_id, judged)


def trend(said: pb.Trend, call_id: str, trend: types.Trend) -> None:
    said.call_id = call_id
    duration(said.offset, trend.at)
    for leg in trend.legs:
        said.legs.add(
            leg=leg.leg,
            talk_share=leg.talk_share,
            arousal=leg.arousal,
            valence=leg.valence,
            arousal_slope=leg.arousal_slope,
            urgency=leg.urgency,
            curtness=leg.curtness,
        )


def advice(said: pb.Advice, address: Address, contact_id: str, advice: types.Advice) -> None:
    said.call_id = address.call_id
    said.sequence = advice.sequence
    said.rule = advice.rule
    said.phase = wire_enum(pb.AdvicePhase, advice.phase)
    said.action = wire_enum(pb.AdviceAction, advice.action)
    said.skill = advice.skill
    duration(said.offset, advice.at)
    duration(said.expires_offset, advice.expires)
    text(said.reason, advice.reason)
    said.rules_sha256 = advice.rules_sha256
    said.contact_id = contact_id
    said.tenant = address.tenant
    said.queue = address.queue


def feedback(said: pb.Feedback, call_id: str, feedback: types.Feedback) -> None:
    said.call_id = call_id
    said.cue_sequence = feedback.cue_sequence
    said.verdict = wire_enum(pb.Verdict, feedback.verdict)
