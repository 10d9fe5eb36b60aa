"""What conditions see of a call: each fact, exactly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emotion_service.routing.call_facts import CallFacts
from emotion_service.routing.facts import FACTS, Value
from emotion_service.types import CueKind, CuePhase, LegTrend, Party, Trend
from tests.routing.script import config, cue, samples, trend

OFF = CuePhase.OFFSET


@pytest.fixture
def call() -> CallFacts:
    facts = CallFacts(config())
    facts.allow("customer")
    facts.recount()
    return facts


def read(call: CallFacts, name: str, at: float = 0.0) -> Value:
    return FACTS[name].read(call, samples(at))


def test_each_example_has_the_type_of_its_fact_in_a_call_that_is_known(call: CallFacts) -> None:
    call.note(cue(1, CueKind.AGITATED))
    figures = ("arousal", "valence", "arousal_slope", "urgency", "curtness")
    call.note(trend(5, **dict.fromkeys(figures, 0.5)))
    for name, fact in FACTS.items():
        assert type(read(call, name, 6)) is type(fact.example), name


def test_a_state_lasts_from_its_start(call: CallFacts) -> None:
    assert (read(call, "state"), read(call, "state_seconds", 3)) == ("", 0.0)
    call.note(cue(4, CueKind.INSUFFICIENT_EVIDENCE))
    assert read(call, "state") == "insufficient_evidence"
    assert read(call, "state_seconds", 6.5) == 2.5
    assert read(call, "confidence") == 0.8
    call.note(replace(cue(7, CueKind.INSUFFICIENT_EVIDENCE, CuePhase.UPDATE), confidence=0.6))
    assert read(call, "confidence") == 0.6
    call.note(cue(8, CueKind.INSUFFICIENT_EVIDENCE, OFF))
    assert (read(call, "state"), read(call, "confidence")) == ("", 0.0)


def test_figures_are_null_until_a_trend_says_them(call: CallFacts) -> None:
    names = ("arousal", "valence", "arousal_slope", "urgency", "curtness")
    assert [read(call, name) for name in names] == [None] * 5
    call.note(trend(5, **{name: n / 10 for n, name in enumerate(names)}))
    assert [read(call, name) for name in names] == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_manners_last(call: CallFacts) -> None:
    for name, kind in (("urgent", CueKind.URGENT), ("curt", CueKind.CURT)):
        assert read(call, name) is False
        call.note(cue(1, kind))
        assert read(call, name) is True
        call.note(cue(2, kind, OFF))
        assert read(call, name) is False


def test_forgetting_a_leg_leaves_its_turn_taking(call: CallFacts) -> None:
    for kind in (CueKind.AGITATED, CueKind.URGENT, CueKind.TALK_OVER, CueKind.FAST_PACE):
        call.note(cue(1, kind))
    call.note(trend(5, arousal=0.5))
    call.forget("customer")
    call.allow("customer")
    known = [read(call, name) for name in ("state", "urgent", "arousal")]
    assert known == ["", False, None]
    assert read(call, "talk_overs_by_customer") == 1
    assert read(call, "customer_speaks_fast") is True
    assert read(call, "customer_talk_share") == 0.5


def test_whether_somebody_is_scored_is_said_in_its_turn(call: CallFacts) -> None:
    call.forget("customer")
    assert read(call, "scored") is True
    call.recount()
    assert read(call, "scored") is False


def test_onsets_are_counted_by_who_they_are_of(call: CallFacts) -> None:
    for leg in ("agent", "customer", "agent"):
        for kind in (CueKind.TALK_OVER, CueKind.SLOW_REPLY, CueKind.DEAD_AIR):
            call.note(cue(1, kind, leg=leg))
            call.note(cue(2, kind, OFF, leg=leg))
    assert read(call, "talk_overs_by_agent") == 2
    assert read(call, "talk_overs_by_customer") == 1
    assert read(call, "slow_replies_by_agent") == 2
    assert read(call, "dead_airs") == 3
    call.become("agent", Party.SUPERVISOR)
    call.note(cue(3, CueKind.TALK_OVER, leg="agent"))
    assert read(call, "talk_overs_by_agent") == 2


def test_what_lasts_is_measured_from_its_start(call: CallFacts) -> None:
    call.note(cue(10, CueKind.DEAD_AIR, leg="agent"))
    call.note(cue(11, CueKind.MONOLOGUE, leg="agent"))
    call.note(cue(12, CueKind.MONOLOGUE))
    assert read(call, "dead_air_seconds", 15) == 5.0
    assert read(call, "agent_monologue_seconds", 15) == 4.0
    assert read(call, "customer_monologue_seconds", 15) == 3.0
    call.note(cue(16, CueKind.DEAD_AIR, OFF, leg="agent"))
    assert read(call, "dead_air_seconds", 17) == 0.0


def test_talk_shares_are_of_parties() -> None:
    call = CallFacts(config(Party.CUSTOMER, Party.AGENT, Party.SUPERVISOR))
    assert (read(call, "customer_talk_share"), read(call, "agent_talk_share")) == (0, 0)
    shares = (("customer", 0.25), ("agent", 0.5), ("supervisor", 0.25))
    call.note(Trend(0, tuple(LegTrend(leg, share) for leg, share in shares)))
    assert (read(call, "customer_talk_share"), read(call, "agent_talk_share")) == (0.25, 0.5)


def test_waiting_stands_still_while_an_agent_is_there(call: CallFacts) -> None:
    assert read(call, "waiting_seconds", 3) == 3.0
    call.change(samples(4), "agent_id", "ann")
    assert read(call, "waiting_seconds", 9) == 4.0
    call.meet(samples(10))  # is known already
    call.change(samples(11), "agent_id", "")  # has left
    assert read(call, "waiting_seconds", 13) == 6.0
    call.meet(samples(13))
    assert read(call, "waiting_seconds", 20) == 6.0
    assert read(call, "elapsed_seconds", 20) == 20.0


def test_phases() -> None:
    bot = CallFacts(config(Party.CUSTOMER, Party.BOT, queue="support"))
    assert bot.phase == "ivr"
    bot.change(1, "queue", "support")
    assert bot.phase == "queue"
    bot.change(2, "ivr_step", "survey")
    assert (bot.phase, read(bot, "ivr_step")) == ("ivr", "survey")
    bot.change(3, "queue", "care")
    bot.change(4, "ivr_step", "")
    assert (bot.phase, read(bot, "queue")) == ("queue", "care")
    bot.change(5, "agent_id", "ann")
    assert (bot.phase, read(bot, "agent_id_set")) == ("agent", True)
    bot.change(6, "agent_id", "")
    assert (bot.phase, read(bot, "agent_id_set")) == ("queue", False)
    bot.change(7, "queue", "")
    assert bot.phase == "ivr"
    assert CallFacts(config(queue="support")).phase == "queue"
    assert CallFacts(config()).phase == ""
    assert CallFacts(config(agent_id="ann")).phase == "agent"


def test_who_was_broken_in_on() -> None:
    """Nobody is held against a bot, in a survey after the call, what was said to the agent."""
    call = CallFacts(config(agent_id="ann"))
    call.note(cue(1, CueKind.TALK_OVER))
    call.change(samples(2), "agent_id", "")
    call.change(samples(2), "ivr_step", "survey")
    assert read(call, "talk_overs_on_bot") == 0
    call.note(cue(3, CueKind.TALK_OVER))
    call.note(cue(3, CueKind.TALK_OVER, leg="agent"))
    assert (read(call, "talk_overs_on_bot"), read(call, "talk_overs_by_customer")) == (1, 2)


def test_a_party_without_a_leg_has_a_share_that_can_be_calculated_with() -> None:
    share = read(CallFacts(config(Party.CUSTOMER)), "agent_talk_share")
    assert (share, type(share)) == (0.0, float)


def test_what_the_config_says() -> None:
    call = CallFacts(replace(config(tenant="t"), attributes=(("language", "de"),)))
    assert (read(call, "tenant"), read(call, "attributes")) == ("t", {"language": "de"})
