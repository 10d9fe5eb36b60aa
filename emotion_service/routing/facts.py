"""What the conditions of rules can name: facts, each with its type and unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from emotion_service.routing.call_facts import CallFacts
from emotion_service.types import STATES, Cue, CueKind, Party, seconds

Value: TypeAlias = str | float | int | bool | dict[str, str] | None

STATE_NAMES = tuple(state.name.lower() for state in STATES)
PHASES = ("ivr", "queue", "agent")


@dataclass(frozen=True, slots=True)
class Fact:
    """How a fact is read `at` a time, and what it is.

    `example` has its type. `inferred`: from the customer's voice, known only while a leg is
    scored. `grows`: its value changes with time alone.
    """

    read: Callable[[CallFacts, int], Value]
    example: Value
    meaning: str
    inferred: bool = False
    grows: bool = False


def _since(cue: Cue | None, at: int) -> float:
    """Seconds since a cue's start; 0.0 where there is none."""
    return 0.0 if cue is None else seconds(max(0, at - cue.start))


def _inferred(read: Callable[[CallFacts, int], Value], example: Value, meaning: str) -> Fact:
    return Fact(read, example, meaning, inferred=True)


FACTS: dict[str, Fact] = {
    # --- inferred from the customer's voice; rules that name one are silent without consent ---
    "state": _inferred(
        lambda call, at: call.state.kind.name.lower() if call.state else "",
        "agitated",
        f"headline state: {', '.join(STATE_NAMES)}; empty before the first",
    ),
    "state_seconds": Fact(
        lambda call, at: _since(call.state, at),
        1.0,
        "seconds since the state began",
        inferred=True,
        grows=True,
    ),
    "confidence": _inferred(
        lambda call, at: call.state.confidence if call.state else 0.0,
        0.5,
        "of the state, 0 to 1",
    ),
    "arousal": _inferred(
        lambda call, at: call.trend.arousal,
        0.5,
        "0 calm to 1 excited; every 5 s, null while unknown",
    ),
    "valence": _inferred(
        lambda call, at: call.trend.valence,
        0.5,
        "0 unpleasant to 1 pleasant; every 5 s, null while unknown",
    ),
    "arousal_slope": _inferred(
        lambda call, at: call.trend.arousal_slope,
        0.1,
        "change of arousal a minute, over the last minute; every 5 s, null while unknown",
    ),
    "urgency": _inferred(
        lambda call, at: call.trend.urgency, 0.5, "index, 0 to 1; every 5 s, null while unknown"
    ),
    "curtness": _inferred(
        lambda call, at: call.trend.curtness, 0.5, "index, 0 to 1; every 5 s, null while unknown"
    ),
    "urgent": _inferred(
        lambda call, at: call.customers(CueKind.URGENT) is not None,
        True,
        "whether the cue lasts: they want a quick answer",
    ),
    "curt": _inferred(
        lambda call, at: call.customers(CueKind.CURT) is not None,
        True,
        "whether the cue lasts: they are turning harsh",
    ),
    # --- turn-taking, of everybody ---
    "talk_overs_by_customer": Fact(
        lambda call, at: call.counts[CueKind.TALK_OVER, Party.CUSTOMER],
        1,
        "how often the customer has broken in on somebody",
    ),
    "talk_overs_on_bot": Fact(
        lambda call, at: call.talk_overs_on_bot,
        1,
        "how often the customer has broken in while phase was ivr",
    ),
    "talk_overs_by_agent": Fact(
        lambda call, at: call.counts[CueKind.TALK_OVER, Party.AGENT],
        1,
        "how often the agent has broken in on somebody",
    ),
    "slow_replies_by_agent": Fact(
        lambda call, at: call.counts[CueKind.SLOW_REPLY, Party.AGENT],
        1,
        "how often the agent has been slow to answer",
    ),
    "dead_airs": Fact(
        lambda call, at: sum(n for (kind, _), n in call.counts.items() if kind is CueKind.DEAD_AIR),
        1,
        "how often nobody has spoken for long",
    ),
    "dead_air_seconds": Fact(
        lambda call, at: _since(call.lasting(CueKind.DEAD_AIR), at),
        1.0,
        "seconds for which nobody has spoken; 0 while somebody does, or it is no dead air yet",
        grows=True,
    ),
    "customer_monologue_seconds": Fact(
        lambda call, at: _since(call.lasting(CueKind.MONOLOGUE, Party.CUSTOMER), at),
        1.0,
        "seconds the customer's monologue has lasted; 0 without one",
        grows=True,
    ),
    "agent_monologue_seconds": Fact(
        lambda call, at: _since(call.lasting(CueKind.MONOLOGUE, Party.AGENT), at),
        1.0,
        "seconds the agent's monologue has lasted; 0 without one",
        grows=True,
    ),
    "customer_speaks_fast": Fact(
        lambda call, at: call.lasting(CueKind.FAST_PACE, Party.CUSTOMER) is not None,
        True,
        "whether the cue lasts, of which the customer's usual pace is the measure",
    ),
    "customer_talk_share": Fact(
        lambda call, at: call.talk_share(Party.CUSTOMER),
        0.5,
        "of all speech so far, 0 to 1; every 5 s",
    ),
    "agent_talk_share": Fact(
        lambda call, at: call.talk_share(Party.AGENT),
        0.5,
        "of all speech so far, 0 to 1; every 5 s",
    ),
    # --- the call ---
    "elapsed_seconds": Fact(
        lambda call, at: seconds(at), 1.0, "seconds since the call began", grows=True
    ),
    "waiting_seconds": Fact(
        lambda call, at: seconds(call.waited(at)),
        1.0,
        "seconds without an agent since the call began; stands still while one is there",
        grows=True,
    ),
    "phase": Fact(
        lambda call, at: call.phase,
        "queue",
        "agent once there is an agent_id or an agent's leg speaks; before that queue once a queue "
        "is set; ivr before that, with a bot's leg, or since an ivr_step was told; empty while "
        "nothing is known",
    ),
    "queue": Fact(lambda call, at: call.queue, "", "as the platform says; empty if it does not"),
    "tenant": Fact(lambda call, at: call.tenant, "", "as the platform says"),
    "ivr_step": Fact(lambda call, at: call.ivr_step, "", "the latest that the platform told"),
    "agent_id_set": Fact(
        lambda call, at: bool(call.agent_id), True, "whether the platform has named an agent"
    ),
    "attributes": Fact(
        lambda call, at: call.attributes,
        {},
        "of the call's config, text by name: skill, language …",
    ),
    "scored": Fact(lambda call, at: call.scored, True, "whether the customer is scored"),
}
