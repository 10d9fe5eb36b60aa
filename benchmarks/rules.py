"""What the rules cost: microseconds a second of a busy call, with the shipped ones.

The call is scripted, and told to the advisor as a live call tells it: frontiers every 20 ms, trends
every 5 s, and 40 cues, 30 beginnings of speech and 2 changes of attributes a minute. One table is
printed and one JSON written.

    python -m benchmarks.rules [--rules FILE] [--minutes N] [--out JSON]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

from benchmarks.command import command
from benchmarks.machine import Machine, this_machine
from emotion_service.routing.advisor import Advisor
from emotion_service.routing.rule_file import load
from emotion_service.routing.ruleset import RuleSet
from emotion_service.types import (
    SAMPLE_RATE_HERTZ,
    STATES,
    CallConfig,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    LegConfig,
    LegTrend,
    Party,
    Sound,
    SpeechActivity,
    Trend,
)

OUT = Path(__file__).parent / "results" / "rules.json"
FRAME = SAMPLE_RATE_HERTZ // 50
PROMISED_MICROSECONDS = 50.0
ROUNDS = 5
LEGS = ("customer", "agent")
BESIDE = (CueKind.URGENT, CueKind.CURT, CueKind.TALK_OVER, CueKind.DEAD_AIR)

Told: TypeAlias = Cue | Trend | SpeechActivity | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a call with this rule set; `microseconds` of CPU a second of the call."""

    rules: int
    minutes: int
    advice: int
    microseconds: float
    promised_microseconds: float
    machine: Machine


def script(minutes: int) -> dict[int, list[Told]]:
    """What is told of the call, by the frontier after it; the same every time."""
    told: dict[int, list[Told]] = {}
    for at, event in _events(minutes * 60, Random(0)):
        told.setdefault((at // FRAME + 1) * FRAME, []).append(event)
    return told


def _events(seconds: int, chance: Random) -> Iterator[tuple[int, Told]]:
    state = CueKind.NEUTRAL
    for second in range(1, seconds):
        at = second * SAMPLE_RATE_HERTZ + chance.randrange(SAMPLE_RATE_HERTZ)
        if second % 5 == 0:
            yield at, Trend(at, tuple(LegTrend(leg, 0.5, 0.5, 0.5, 0.1, 0.4, 0.4) for leg in LEGS))
        if second % 2 == 0:
            yield at, SpeechActivity(chance.choice(LEGS), second, Sound.SPEECH, at, at)
            yield at, _cue(state, CuePhase.UPDATE, at)
        if second % 20 == 10:
            yield at, _cue(state, CuePhase.OFFSET, at)
            state = chance.choice(STATES)
            yield at, _cue(state, CuePhase.ONSET, at)
        if second % 30 == 15:
            yield at, ("queue" if second % 60 == 15 else "ivr_step", str(second))
        if second % 15 == 5:
            yield at, _cue(BESIDE[second // 15 % 4], CuePhase.ONSET, at)
        if second % 15 == 14:
            yield at, _cue(BESIDE[second // 15 % 4], CuePhase.OFFSET, at)


def _cue(kind: CueKind, phase: CuePhase, at: int) -> Cue:
    return Cue("customer", 0, kind, phase, at, at, at, 0.7, 16_000)


def played(rules: RuleSet, told: dict[int, list[Told]], minutes: int) -> int:
    """The call from its beginning to its end; how much was advised. No agent ever comes."""
    legs = tuple(
        LegConfig(leg, party, "audio/PCMU", 8000)
        for leg, party in zip(LEGS, (Party.CUSTOMER, Party.BOT), strict=True)
    )
    config = CallConfig("call", legs, disclosure_given=True, consent=Consent.GRANTED)
    advisor = Advisor(rules, config)
    advisor.scored(0, "customer", None)
    advised = 0
    for frontier in range(FRAME, minutes * 60 * SAMPLE_RATE_HERTZ + 1, FRAME):
        for event in told.get(frontier, ()):
            match event:
                case SpeechActivity():
                    advisor.hear(event)
                case (name, value):
                    advisor.attribute(frontier, name, value)
                case _:
                    advised += len(advisor.observe(event))
        advised += len(advisor.advance(frontier))
    return advised + len(advisor.end(minutes * 60 * SAMPLE_RATE_HERTZ))


def measured(rules: RuleSet, minutes: int) -> Cost:
    """The cheapest of several calls, in CPU time: what other processes cost does not count."""
    told, costs = script(minutes), []
    for _ in range(ROUNDS):
        began = time.process_time()
        advised = played(rules, told, minutes)
        costs.append((time.process_time() - began) / (minutes * 60) * 1e6)
    count, least = len(rules.rules), round(min(costs), 1)
    return Cost(count, minutes, advised, least, PROMISED_MICROSECONDS, this_machine())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=Path, metavar="FILE")
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--out", type=Path, default=OUT, metavar="JSON")
    given = parser.parse_args()
    cost = measured(load(given.rules), given.minutes)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(asdict(cost), indent=2) + "\n", encoding="utf-8")
    print(f"{'rules':>8}{'minutes':>9}{'advice':>8}{'µs a second':>13}{'promised':>10}")
    print(
        f"{cost.rules:8}{cost.minutes:9}{cost.advice:8}{cost.microseconds:13.1f}"
        f"{'≤ ' + format(cost.promised_microseconds, 'g'):>10}"
    )


if __name__ == "__main__":
    command(main)
