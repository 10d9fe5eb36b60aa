"""When advice is given, given again and ended."""

from __future__ import annotations

import pytest

from emotion_service.routing.ruleset import NO_RULES
from emotion_service.types import (
    AdviceAction,
    AdvicePhase,
    CueKind,
    CuePhase,
    NotScored,
    Party,
    Sound,
    SpeechActivity,
    Text,
)
from tests.routing.script import advisor, config, cue, given, rules, samples, told, trend

AGITATED = 'state == "agitated"'
OFF = CuePhase.OFFSET


def test_advice_is_given_once_its_condition_has_held() -> None:
    made = advisor(rules(AGITATED, hold=5), config())
    assert made.observe(cue(2, CueKind.AGITATED)) == []
    assert made.advance(samples(7)) == []  # what happens at 7 s is not yet known
    (advice,) = made.advance(samples(7) + 1)
    assert (advice.at, advice.expires) == (samples(7), samples(27))
    assert (advice.sequence, advice.rule, advice.phase) == (0, "rule-0", AdvicePhase.GIVEN)
    assert (advice.action, advice.skill) == (AdviceAction.RAISE_PRIORITY, "")
    assert advice.reason == Text("why", "warum")
    assert len(advice.rules_sha256) == 64
    assert made.standing == (advice,)


def test_a_condition_that_does_not_hold_gives_nothing() -> None:
    made = advisor(rules(AGITATED, hold=5), config())
    made.observe(cue(2, CueKind.AGITATED))
    said = made.observe(cue(7, CueKind.AGITATED, OFF))  # on the very sample
    assert said + made.advance(samples(60)) == []


def test_two_states_without_a_gap_are_one_episode() -> None:
    made = advisor(rules('state in ["agitated", "distressed"]', hold=5), config())
    said = made.observe(cue(2, CueKind.AGITATED))
    said += made.observe(cue(4, CueKind.AGITATED, OFF))
    said += made.observe(cue(4, CueKind.DISTRESSED))
    assert given(said + made.advance(samples(8))) == [7.0]


def test_it_is_given_again_half_way_to_its_expiry_while_the_condition_is_true() -> None:
    made = advisor(rules(AGITATED), config())
    said = made.observe(cue(0, CueKind.AGITATED)) + made.advance(samples(35))
    assert given(said) == [0.0, 10.0, 20.0, 30.0]
    assert [each.expires for each in said] == [samples(at) for at in (20, 30, 40, 50)]
    assert [each.sequence for each in said] == [0, 1, 2, 3]
    assert len(made.standing) == 1


def test_it_stands_until_it_expires_and_is_then_quiet_for_a_while() -> None:
    made = advisor(rules(AGITATED, quiet=30), config())
    said = made.observe(cue(1, CueKind.AGITATED))
    said += made.observe(cue(3, CueKind.AGITATED, OFF))
    said += made.observe(cue(25, CueKind.AGITATED))
    said += made.advance(samples(60))
    assert told(said) == [
        (1.0, "rule-0", "given"),
        (21.0, "rule-0", "ended"),
        (51.0, "rule-0", "given"),
    ]


def test_a_condition_that_returns_before_expiry_extends_the_advice() -> None:
    made = advisor(rules(AGITATED, hold=2), config())
    said = made.observe(cue(1, CueKind.AGITATED))  # given at 3
    said += made.observe(cue(4, CueKind.AGITATED, OFF))
    said += made.observe(cue(8, CueKind.AGITATED))  # held at 10, but half-way is at 13
    said += made.observe(cue(14, CueKind.AGITATED, OFF))
    said += made.advance(samples(60))
    assert told(said) == [
        (3.0, "rule-0", "given"),
        (13.0, "rule-0", "given"),
        (33.0, "rule-0", "ended"),
    ]


def test_the_end_of_the_call_ends_all_advice() -> None:
    made = advisor(rules(AGITATED, 'phase != "agent"'), config())
    made.observe(cue(1, CueKind.AGITATED))
    made.advance(samples(2))
    assert told(made.end(samples(3))) == [(3.0, "rule-0", "ended"), (3.0, "rule-1", "ended")]
    assert made.standing == ()
    assert made.advance(samples(99)) == []


def test_time_alone_makes_a_condition_true_at_a_full_second() -> None:
    made = advisor(rules("waiting_seconds >= 2.5"), config())
    assert given(made.advance(samples(4))) == [3.0]


# --- who is scored ------------------------------------------------------------------------------


def test_what_was_inferred_ends_at_once_when_the_leg_is_no_longer_scored() -> None:
    made = advisor(rules(AGITATED, 'phase != "agent"', expires=600), config())
    made.observe(cue(1, CueKind.AGITATED))
    made.advance(samples(2))
    said = made.scored(samples(5), "customer", NotScored.CONSENT_WITHDRAWN)
    assert told(said) == [(5.0, "rule-0", "ended")]
    assert [each.rule for each in made.standing] == ["rule-1"]
    assert made.advance(samples(60)) == []


def test_nothing_inferred_is_advised_while_nobody_is_scored() -> None:
    made = advisor(rules('state != "happy"', "!scored"), config())
    said = made.advance(samples(1))
    made.scored(samples(2), "customer", NotScored.CONSENT_REFUSED)
    said += made.advance(samples(90))
    assert told(said)[:2] == [(0.0, "rule-0", "given"), (2.0, "rule-1", "given")]
    assert [name for at, name, _ in told(said) if at > 2] == ["rule-1"] * 8


def test_rules_speak_again_once_the_leg_is_scored_again() -> None:
    made = advisor(rules(AGITATED, quiet=0), config())
    made.observe(cue(1, CueKind.AGITATED))
    made.advance(samples(2))
    made.scored(samples(3), "customer", NotScored.CONSENT_WITHDRAWN)
    made.scored(samples(5), "customer", None)
    assert made.advance(samples(6)) == []  # the old state is forgotten
    said = made.observe(cue(7, CueKind.AGITATED)) + made.advance(samples(8))
    assert given(said) == [7.0]


def test_a_permission_that_is_taken_back_before_its_turn_never_takes_effect() -> None:
    made = advisor(rules("scored", 'state == ""'), config())
    made.scored(0, "customer", NotScored.CONSENT_REFUSED)
    made.scored(samples(2), "customer", None)
    made.scored(samples(3), "customer", NotScored.CONSENT_WITHDRAWN)
    assert made.advance(samples(20)) == []


def test_the_first_scored_leg_is_the_customer() -> None:
    call = config(Party.BOT, Party.CUSTOMER, Party.SUPERVISOR)
    made = advisor(rules(AGITATED, quiet=0), call)
    made.scored(0, "supervisor", None)  # a second one, as far as rules can tell
    said = made.observe(cue(1, CueKind.AGITATED, leg="supervisor"))
    assert said + made.advance(samples(3)) == []
    assert made.scored(samples(4), "customer", NotScored.CONSENT_WITHDRAWN) == []
    assert given(made.advance(samples(5))) == [4.0]


# --- what is told ahead of its turn -------------------------------------------------------------


def test_an_attribute_is_seen_only_from_its_time_on() -> None:
    made = advisor(rules(f'{AGITATED} && queue == "retention"'), config(queue="support"))
    made.attribute(samples(5), "queue", "retention")
    said = made.observe(cue(3, CueKind.AGITATED))
    said += made.observe(cue(4, CueKind.AGITATED, OFF))
    said += made.observe(cue(5, CueKind.AGITATED))
    assert given(said + made.advance(samples(6))) == [5.0]


def test_attributes_may_be_told_out_of_order() -> None:
    made = advisor(rules('queue == "b" && ivr_step == "x"', quiet=0), config())
    made.attribute(samples(3), "queue", "b")
    made.attribute(samples(1), "ivr_step", "x")
    made.attribute(samples(3), "queue", "b")
    assert given(made.advance(samples(4))) == [3.0]


def test_an_agent_is_there_once_one_speaks() -> None:
    made = advisor(rules('phase == "agent"'), config())
    made.hear(SpeechActivity("customer", 0, Sound.SPEECH, 0, samples(1)))
    made.hear(SpeechActivity("agent", 0, Sound.MUSIC, 0, samples(2)))
    made.hear(SpeechActivity("agent", 1, Sound.SPEECH, 0, samples(3)))
    assert given(made.advance(samples(9))) == [3.0]


def test_a_leg_that_another_party_takes_over_counts_as_theirs_from_then_on() -> None:
    made = advisor(rules("talk_overs_by_agent == 1", 'phase == "agent"'), config(Party.BOT))
    made.hear(SpeechActivity("bot", 0, Sound.SPEECH, 0, samples(1)))
    made.party(samples(4), "bot", Party.AGENT)
    made.hear(SpeechActivity("bot", 1, Sound.SPEECH, 0, samples(6)))
    said = made.observe(cue(3, CueKind.TALK_OVER, leg="bot"))
    said += made.observe(cue(5, CueKind.TALK_OVER, leg="bot"))
    assert told(said + made.advance(samples(9))) == [
        (5.0, "rule-0", "given"),
        (6.0, "rule-1", "given"),
    ]


# --- what cannot be answered --------------------------------------------------------------------


@pytest.mark.parametrize(
    "condition",
    ["arousal < 0.9", 'attributes.tier == "gold"', "dead_airs / talk_overs_by_agent == 0"],
)
def test_a_condition_that_cannot_be_answered_is_not_true(condition: str) -> None:
    made = advisor(rules(condition), config())
    assert made.advance(samples(3)) == []


def test_one_that_can_be_answered_in_part_is() -> None:
    made = advisor(rules('arousal > 0.9 || phase != "agent"'), config())
    assert given(made.advance(samples(1))) == [0.0]


def test_it_is_true_once_it_can_be_answered() -> None:
    made = advisor(rules("arousal > 0.9"), config())
    said = made.observe(trend(5, arousal=0.95)) + made.observe(trend(10))
    assert given(said + made.advance(samples(11))) == [5.0]


def test_without_rules_nothing_is_said_or_kept() -> None:
    made = advisor(NO_RULES, config())
    made.attribute(0, "queue", "a")
    said = made.observe(cue(1, CueKind.AGITATED)) + made.advance(samples(9))
    assert said + made.end(samples(9)) == []
