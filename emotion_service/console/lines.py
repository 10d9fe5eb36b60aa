"""The service's messages as lines of text, for people without the live view."""

from __future__ import annotations

from collections.abc import Iterator

from emotion_service.console.wording import (
    ABSTAINING,
    NOT_SCORED,
    STATES,
    clock,
    percent,
    placement,
    seconds,
    word,
)
from emotion_service.v1 import emotion_service_pb2 as pb

PHASES = {
    pb.CUE_PHASE_ONSET: "begins",
    pb.CUE_PHASE_UPDATE: "goes on",
    pb.CUE_PHASE_OFFSET: "ends",
}

# The first that applies is said.
REMEDIES = (
    (
        pb.NOT_SCORED_REASON_NOT_DISCLOSED,
        "When they were told and agreed, say so with --disclosure-given --consent granted.",
    ),
    (
        pb.NOT_SCORED_REASON_CONSENT_PENDING,
        "When they have agreed, say so with --consent granted.",
    ),
    (
        pb.NOT_SCORED_REASON_PARTIES_MIXED,
        "Give one file for each party, or a stereo file, or --allow-mixed-for-testing in a test.",
    ),
    (pb.NOT_SCORED_REASON_CONSENT_REFUSED, ""),
    (pb.NOT_SCORED_REASON_CONSENT_WITHDRAWN, ""),
)


def response_lines(response: pb.StreamingAnalyzeResponse) -> Iterator[str]:
    """Cues that begin or end, advice, what is not scored and why, the summary; scores, activities
    and trends are left out."""
    match response.WhichOneof("response"):
        case "cue" if _is_told(response.cue):
            yield cue_line(response.cue)
        case "advice":
            yield advice_line(response.advice)
        case "status":
            yield from _status_lines(response.status)
        case "summary":
            yield from summary_lines(response.summary)


def _is_told(cue: pb.Cue) -> bool:
    """Updates are not; a slow reply is over as soon as it is known, and told once."""
    once = cue.kind == pb.CUE_KIND_SLOW_REPLY and cue.phase == pb.CUE_PHASE_OFFSET
    return cue.phase != pb.CUE_PHASE_UPDATE and not once


def cue_line(cue: pb.Cue) -> str:
    """`0:12.3  customer: agitated begins, since 0:10.8 (71 %, 4.2 s of speech, 38 ms): why`."""
    state = word(pb.CueKind, cue.kind)
    head = f"{clock(seconds(cue.end_offset)):>7}  {cue.leg}: {state} {PHASES.get(cue.phase, '')}"
    if cue.kind == pb.CUE_KIND_SLOW_REPLY:
        waited = seconds(cue.end_offset) - seconds(cue.start_offset)
        return f"{clock(seconds(cue.end_offset)):>7}  {cue.leg}: {state} after {waited:.1f} s"
    if cue.phase == pb.CUE_PHASE_OFFSET:
        lasted = seconds(cue.end_offset) - seconds(cue.start_offset)
        return f"{head} after {lasted:.1f} s"
    grounds = [reason.text for reason in cue.reasons]
    if cue.abstain_reason:
        grounds.insert(0, ABSTAINING.get(cue.abstain_reason, "unknown reason"))
    why = f": {'; '.join(grounds)}" if grounds else ""
    return f"{head}, since {clock(seconds(cue.start_offset))}{_figures(cue)}{why}"


def advice_line(advice: pb.Advice) -> str:
    """`0:12.3  advice: raise priority, until 2:12.3: why (rule upset-in-queue)`."""
    what = word(pb.AdviceAction, advice.action)
    if advice.skill:
        what = f"{what} {advice.skill}"
    head = f"{clock(seconds(advice.offset)):>7}  advice: {what}"
    if advice.phase == pb.ADVICE_PHASE_ENDED:
        return f"{head}, ended (rule {advice.rule})"
    until = clock(seconds(advice.expires_offset))
    return f"{head}, until {until}: {advice.reason.english} (rule {advice.rule})"


def routing_lines(response: pb.WatchRoutingResponse) -> Iterator[str]:
    """Advice, headed by its call and queue."""
    match response.WhichOneof("event"):
        case "advice":
            advice = response.advice
            queue = f" in {advice.queue}" if advice.queue else ""
            yield f"{advice.call_id}{queue}  {advice_line(advice)}"
        case "heartbeat" if response.heartbeat.dropped:
            yield f"{response.heartbeat.dropped} events were missed"
        case "reconnect":
            yield "the server is about to stop"


def _figures(cue: pb.Cue) -> str:
    figures = []
    if cue.confidence and cue.kind in STATES:
        figures.append(percent(cue.confidence))
    if cue.HasField("index"):
        figures.append(f"index {cue.index:.2f}")
    if cue.evidence_seconds:
        figures.append(f"{cue.evidence_seconds:.1f} s of speech")
    if cue.HasField("latency"):
        figures.append(f"{cue.latency.total_ms:.0f} ms")
    return f" ({', '.join(figures)})" if figures else ""


def _status_lines(status: pb.Status) -> Iterator[str]:
    match status.WhichOneof("status"):
        case "ready":
            yield f"ready: model {status.ready.model_version} ({status.ready.model_licence})"
        case "not_scored":
            yield not_scored_line(status.not_scored.leg, status.not_scored.reason)
        case "reconnect":
            yield "the server is about to stop"


def not_scored_line(leg: str, reason: int) -> str:
    if reason == pb.NOT_SCORED_REASON_UNSPECIFIED:
        return f"{leg}: scored"
    return f"{leg}: not scored, {NOT_SCORED.get(reason, 'unknown reason')}"


def summary_lines(summary: pb.CallSummary) -> Iterator[str]:
    """The call in a few lines."""
    ended = f", {word(pb.EndReason, summary.end_reason)}" if summary.end_reason else ""
    yield (
        f"Summary: {clock(seconds(summary.duration))}{ended}, "
        f"{summary.talk_overs} talk-overs, model {summary.model_version}"
    )
    for leg in summary.legs:
        yield f"  {leg.leg} ({word(pb.Party, leg.party)}): {_leg_text(leg)}"
        for times in (summary.states, summary.turns):
            texts = [_state_text(time) for time in times if time.leg == leg.leg]
            if texts:
                yield "    " + ", ".join(texts)
        troubles = placement(leg.placement)
        if troubles:
            yield f"    audio: {troubles}"
    for text in (summary.hand_over.english, summary.hand_over.german):
        if text:
            yield f"  {text}"


def nothing_scored(summary: pb.CallSummary) -> str:
    """A sentence for a call without scores, with the way out; empty for others."""
    if any(leg.scores for leg in summary.legs):
        return ""
    reasons = {leg.not_scored_reason for leg in summary.legs}
    for reason, remedy in REMEDIES:
        if reason in reasons:
            return f"Nothing was scored: {NOT_SCORED[reason]}. {remedy}".rstrip()
    return "Nothing was scored: too little speech of a customer who may be scored."


def _leg_text(leg: pb.LegSummary) -> str:
    spoke = f"spoke {seconds(leg.speech):.1f} s ({percent(leg.talk_share)})"
    if leg.not_scored_reason:
        return f"{spoke}; not scored, {NOT_SCORED.get(leg.not_scored_reason, 'unknown reason')}"
    skipped = f", {leg.skipped_windows} windows skipped" if leg.skipped_windows else ""
    return f"{spoke}; {leg.scores} scores, {leg.abstained} of them claim nothing{skipped}"


def _state_text(state: pb.StateTime) -> str:
    return f"{word(pb.CueKind, state.kind)} {seconds(state.total):.1f} s ({state.episodes} ×)"


def watched_lines(response: pb.WatchCuesResponse) -> Iterator[str]:
    """As `response_lines`, for any call, each line headed by its call."""
    match response.WhichOneof("event"):
        case "call":
            yield _call_line(response.call)
        case "cue" if _is_told(response.cue):
            yield f"{response.cue.call_id}  {cue_line(response.cue)}"
        case "advice":
            yield f"{response.advice.call_id}  {advice_line(response.advice)}"
        case "summary":
            for line in summary_lines(response.summary):
                yield f"{response.summary.call_id}  {line}"
        case "heartbeat" if response.heartbeat.dropped:
            yield f"{response.heartbeat.dropped} events were missed"
        case "reconnect":
            yield "the server is about to stop"


def _call_line(call: pb.CallState) -> str:
    state = "live" if call.live else "ended"
    told = (("queue", call.queue), ("agent", call.agent_id), ("tenant", call.tenant))
    parts = [f"{name} {value}" for name, value in told if value]
    parts += [
        f"{leg.leg} {word(pb.CueKind, leg.cue.kind)}" for leg in call.legs if leg.HasField("cue")
    ]
    at = clock(seconds(call.elapsed))
    return f"{call.call_id}  {at:>7}  {', '.join([state, *parts])}"
