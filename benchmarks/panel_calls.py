"""What a service could say of calls: messages made up for the panel's pages."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.duration_pb2 import Duration

from emotion_service.v1 import emotion_service_pb2 as pb

MODEL = "made-up-1"


def at(seconds: float) -> Duration:
    """A position in a call, or a length."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return Duration(seconds=whole, nanos=milliseconds * 1_000_000)


def live(
    call_id: str, seconds: float = 0.0, queue: str = "", agent_id: str = "", reason: str = ""
) -> pb.CallState:
    """A call of a customer and an agent; the customer is not scored where there is a `reason`."""
    why = pb.NotScoredReason.Value(f"NOT_SCORED_REASON_{reason or 'UNSPECIFIED'}")
    return pb.CallState(
        call_id=call_id,
        contact_id=f"contact-of-{call_id}",
        queue=queue,
        agent_id=agent_id,
        live=True,
        elapsed=at(seconds),
        legs=[
            pb.LegState(leg="customer", party=pb.PARTY_CUSTOMER, not_scored_reason=why),
            pb.LegState(
                leg="agent",
                party=pb.PARTY_AGENT,
                not_scored_reason=pb.NOT_SCORED_REASON_NOT_A_CUSTOMER,
            ),
        ],
    )


def cue(  # noqa: PLR0913 a cue has that many sides
    call_id: str,
    kind: str,
    seconds: float,
    *,
    sequence: int = 0,
    phase: str = "ONSET",
    start: float | None = None,
    leg: str = "customer",
    confidence: float = 0.0,
    evidence: float = 4.0,
    abstain: str = "UNSPECIFIED",
    reasons: tuple[str, ...] = (),
    index: float | None = None,
) -> pb.Cue:
    """A cue told `seconds` into the call; `start`: where it began, if before."""
    return pb.Cue(
        call_id=call_id,
        leg=leg,
        sequence=sequence,
        kind=pb.CueKind.Value(f"CUE_KIND_{kind}"),
        phase=pb.CuePhase.Value(f"CUE_PHASE_{phase}"),
        start_offset=at(seconds if start is None else start),
        end_offset=at(seconds),
        decided_offset=at(seconds),
        confidence=confidence,
        evidence_seconds=evidence,
        abstain_reason=pb.AbstainReason.Value(f"ABSTAIN_REASON_{abstain}"),
        reasons=[REASONS[name] for name in reasons],
        model_version=MODEL,
        index=index,
    )


def trend(
    call_id: str,
    seconds: float,
    arousal: float | None,
    share: float = 0.5,
    slope: float | None = None,
) -> pb.Trend:
    """Where the call stands; `share` is the customer's, who is as urgent as aroused."""
    customer = pb.LegTrend(leg="customer", talk_share=share, arousal=arousal, arousal_slope=slope)
    if arousal is not None:
        customer.urgency, customer.curtness = arousal / 2, arousal / 3
    agent = pb.LegTrend(leg="agent", talk_share=1 - share)
    return pb.Trend(call_id=call_id, offset=at(seconds), legs=[customer, agent])


def advice(
    call_id: str, seconds: float, expires: float, rule: str = "calm-an-upset-caller"
) -> pb.Advice:
    """Advice that a supervisor should join."""
    return pb.Advice(
        call_id=call_id,
        rule=rule,
        phase=pb.ADVICE_PHASE_GIVEN,
        action=pb.ADVICE_ACTION_ALERT_SUPERVISOR,
        offset=at(seconds),
        expires_offset=at(expires),
        reason=pb.Text(
            english="The customer has sounded upset for more than 20 s, and was interrupted twice.",
            german="Der Kunde klingt seit über 20 s verärgert und wurde zweimal unterbrochen.",
        ),
    )


def ended(
    call_id: str, seconds: float, hand_over: pb.Text, turns: Mapping[str, int]
) -> pb.CallSummary:
    """The summary of a call; `turns`: how often the customer did what."""
    return pb.CallSummary(
        call_id=call_id,
        duration=at(seconds),
        end_reason=pb.END_REASON_COMPLETED,
        legs=[
            pb.LegSummary(leg="customer", party=pb.PARTY_CUSTOMER, talk_share=0.58),
            pb.LegSummary(leg="agent", party=pb.PARTY_AGENT, talk_share=0.42),
        ],
        turns=[
            pb.StateTime(leg="customer", kind=pb.CueKind.Value(f"CUE_KIND_{kind}"), episodes=n)
            for kind, n in turns.items()
        ],
        hand_over=hand_over,
    )


def _reason(feature: str, value: float, baseline: float, shift: float, text: str) -> pb.Reason:
    return pb.Reason(
        feature=feature,
        value=value,
        baseline=baseline,
        shift=shift,
        own_baseline=True,
        text=text,
    )


REASONS = {
    reason.feature: reason
    for reason in (
        _reason("pitch", 232.0, 190.0, 1.9, "pitch 22 % above their usual"),
        _reason("pace", 5.6, 4.3, 1.4, "pace 30 % above their usual"),
        _reason("brightness", -7.1, -9.0, 1.2, "voice brighter, harder than their usual"),
        _reason("reply_length", 1.1, 3.4, -1.6, "answers last 1.1 s, before 3.4 s"),
        _reason("reply_delay", 0.2, 0.7, -1.3, "answers after 0.2 s, before after 0.7 s"),
        _reason("arousal", 0.7, 0.45, 1.25, "sounds more aroused than their usual"),
    )
}
EARLIER = pb.Text(
    english="The customer sounded annoyed from minute 2. They waited 40 seconds for an answer.",
    german="Der Kunde klang ab Minute 2 verärgert. Er wartete 40 Sekunden auf eine Antwort.",
)
