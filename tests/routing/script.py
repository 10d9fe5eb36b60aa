"""Rules and events by script, in seconds."""

from __future__ import annotations

from dataclasses import replace

from emotion_service.routing.advisor import Advisor
from emotion_service.routing.rule_file import parse
from emotion_service.routing.ruleset import RuleSet
from emotion_service.types import (
    Advice,
    AdvicePhase,
    CallConfig,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    LegConfig,
    LegTrend,
    Party,
    Trend,
    seconds,
)

RULE = """\
  - name: {name}
    when: '{when}'
    hold_seconds: {hold}
    advise: raise_priority
    expires_seconds: {expires}
    quiet_seconds: {quiet}
    reason: {{en: why, de: warum}}
"""


def samples(at: float) -> int:
    return round(at * 8000)


def rules(
    *conditions: str, hold: float = 0, expires: float = 20, quiet: float = 10, name: str = "rule"
) -> RuleSet:
    """A rule for each condition, called rule-0, rule-1 …"""
    text = "".join(
        RULE.format(name=f"{name}-{n}", when=when, hold=hold, expires=expires, quiet=quiet)
        for n, when in enumerate(conditions)
    )
    return parse(f"rules:\n{text}".encode())


def config(*parties: Party, **changes: str) -> CallConfig:
    """A call; its legs are called after their parties."""
    legs = tuple(
        LegConfig(party.name.lower(), party, "audio/PCMU", 8000)
        for party in parties or (Party.CUSTOMER, Party.AGENT)
    )
    call = CallConfig("call", legs, disclosure_given=True, consent=Consent.GRANTED)
    return replace(call, **changes)  # type: ignore[arg-type]


def advisor(of: RuleSet, call: CallConfig) -> Advisor:
    """With its customers scored from the beginning."""
    made = Advisor(of, call)
    for leg in call.legs:
        if leg.party is Party.CUSTOMER:
            assert made.scored(0, leg.leg, None) == []
    return made


def cue(at: float, kind: CueKind, phase: CuePhase = CuePhase.ONSET, leg: str = "customer") -> Cue:
    """Decided at the second at which it begins or ends."""
    return Cue(leg, 0, kind, phase, samples(at), samples(at), samples(at), 0.8, 8000)


def trend(at: float, **figures: float) -> Trend:
    """`figures` of the customer, who has spoken as much as the agent."""
    return Trend(samples(at), (LegTrend("customer", 0.5, **figures), LegTrend("agent", 0.5)))


def told(advice: list[Advice]) -> list[tuple[float, str, str]]:
    """(second, rule, given or ended)."""
    return [(seconds(each.at), each.rule, each.phase.name.lower()) for each in advice]


def given(advice: list[Advice]) -> list[float]:
    """Seconds at which it was."""
    return [seconds(each.at) for each in advice if each.phase is AdvicePhase.GIVEN]
