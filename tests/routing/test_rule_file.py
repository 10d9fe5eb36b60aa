"""Each kind of mistake in a file of rules gives the file, the line and a remedy."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from emotion_service.errors import BadInput
from emotion_service.routing.facts import FACTS
from emotion_service.routing.rule_file import LARGEST, MOST_RULES, SHIPPED, load, parse
from emotion_service.types import AdviceAction, Text

RULE = """\
rules:
  - name: upset
    when: state == "agitated"
    hold_seconds: 5
    advise: raise_priority
    expires_seconds: 120
    reason:
      en: They sound upset.
      de: Sie klingen aufgebracht.
"""
FIGURES = [name for name, fact in FACTS.items() if isinstance(fact.example, float)]
SECOND = RULE.removeprefix("rules:\n")


def changed(before: str, after: str) -> str:
    assert before in RULE
    return RULE.replace(before, after)


def when(condition: str) -> str:
    return changed('state == "agitated"', condition)


# name: (the file, the line of the mistake, what is said of it)
MISTAKES: dict[str, tuple[str, int, str]] = {
    "not YAML": ("rules:\n  - name: [", 2, "no YAML"),
    "a tab": ("rules:\n\t- name: x", 2, "no YAML"),
    "a control character": ("rules: \x00", 1, "no YAML"),
    "two documents": (RULE + "---\n" + RULE, 10, "no YAML"),
    "brackets without end": ("[" * 999, 1, "no YAML"),
    "empty": ("", 1, "rules is missing: add it"),
    "a list at the top": ("- name: x", 1, "no mapping"),
    "unknown key at the top": ("rules: []\nrule: []", 2, "'rule' is no key here"),
    "rules is no list": ("rules: 3", 1, "rules is no list"),
    "a rule is no mapping": ("rules:\n  - x", 2, "no mapping: it needs the keys name, when"),
    "unknown key": (RULE + "    lower_priority: 3\n", 10, "'lower_priority' is no key here"),
    "a list as key": (RULE + "    [a, b]: 3\n", 10, "'this' is no key here"),
    "a key twice": (RULE + "    name: other\n", 10, "name is given twice"),
    "missing key": (changed("    hold_seconds: 5\n", ""), 2, "hold_seconds is missing: add it"),
    "missing name": (changed("name: upset\n    when", "when"), 2, "name is missing"),
    "name is a number": (changed("upset\n", "3\n"), 2, "name is no text"),
    "name is empty": (changed("upset\n", "''\n"), 2, "name is no text"),
    "name of several words": (changed("upset\n", "very upset\n"), 2, "name is not one word"),
    "name twice": (RULE + SECOND, 10, "there is a rule upset already"),
    "unknown action": (changed("raise_priority", "lower_priority"), 5, "'lower_priority' is no"),
    "action is a number": (changed("raise_priority", "3"), 5, "advise is no text"),
    "skill missing": (changed("raise_priority", "require_skill"), 5, "needs a skill"),
    "skill empty": (changed("raise_priority", "{require_skill: ''}"), 5, "require_skill is no"),
    "skill is null": (changed("raise_priority", "{prefer_skill: }"), 5, "prefer_skill is no text"),
    "skill for nothing": (changed("raise_priority", "{offer_callback: x}"), 5, "takes no value"),
    "unknown action with skill": (changed("raise_priority", "{fire: x}"), 5, "'fire' is no action"),
    "two actions": (
        changed("raise_priority", "{require_skill: a, prefer_skill: b}"),
        5,
        "advise is one action",
    ),
    "seconds are text": (changed("hold_seconds: 5", "hold_seconds: long"), 4, "no number from 0"),
    "seconds are a truth": (changed("hold_seconds: 5", "hold_seconds: true"), 4, "no number"),
    "negative": (changed("hold_seconds: 5", "hold_seconds: -1"), 4, "hold_seconds is no number"),
    "absurd": (changed("seconds: 120", "seconds: 86400"), 6, "no number from 10 to 3600"),
    "too short": (changed("seconds: 120", "seconds: 1"), 6, "no number from 10 to 3600"),
    "infinite": (changed("seconds: 120", "seconds: .inf"), 6, "no number from 10 to 3600"),
    "not a number": (changed("seconds: 120", "seconds: .nan"), 6, "no number from 10 to 3600"),
    "quiet, negative": (RULE + "    quiet_seconds: -1\n", 10, "quiet_seconds is no number"),
    "reason is a text": (
        changed(
            "reason:\n      en: They sound upset.\n      de: Sie klingen aufgebracht.", "reason: x"
        ),
        7,
        "no mapping: it needs the keys en, de",
    ),
    "reason in one language": (
        changed("      de: Sie klingen aufgebracht.\n", ""),
        8,
        "de is missing",
    ),
    "reason too long": (changed("They", "They " * 99), 8, "say it in 300"),
    "condition is a number": (when("3"), 3, "when is no text"),
    "condition is a YAML tag": (when("!scored"), 3, "when is no text"),
    "condition too long": (when("scored || " * 120 + "scored"), 3, "or two rules"),
    "CEL syntax": (when("state =="), 3, "condition of upset is no CEL (line 1, column 9"),
    "CEL syntax in a block": (when("|\n      state\n      == =="), 3, "line 2, column 4"),
    "unknown variable": (when('mood == "x"'), 3, "names mood, which is no fact"),
    "unknown variable behind ||": (when("scored || mood"), 3, "names mood, which is no fact"),
    "a name of a macro": (when('queue in ["a"].map(q, q)'), 3, "calls map; only contains"),
    "unknown function": (when('state.matches("a.*")'), 3, "calls matches; only contains"),
    "no fact": (when("1 < 2"), 3, "names no fact"),
    "no truth": (when("state_seconds + 1.0"), 3, "gives float where true or false is expected"),
    "text": (when("state"), 3, "gives str where true or false"),
    "misspelt state": (when('state == "agitatd"'), 3, "compares state with 'agitatd'"),
    "misspelt state, turned round": (when("scored && 'agitatd' != state"), 3, "with 'agitatd'"),
    "misspelt state in a list": (when('state in ["happy", "sad"]'), 3, "with 'sad', which it"),
    "misspelt phase": (when('phase == "IVR"'), 3, "take one of ivr, queue, agent"),
    "text with a number": (when("state > 3"), 3, "cannot be evaluated"),
    "text with a number, deep": (
        when('phase != "ivr" || state != "happy" || queue + 1 > 2'),
        3,
        "cannot be evaluated",
    ),
    "attribute with a number": (when("attributes.age > 3"), 3, "cannot be evaluated"),
    **{
        f"text with a number, behind {condition}": (when(condition), 3, "cannot be evaluated")
        for condition in (
            "waiting_seconds >= 60 && attributes.age > 60",
            "waiting_seconds > 60 && waiting_seconds - 60 < 30",
            "urgent || queue > 3",
            "scored && !urgent && dead_airs >= 3 && state > 3",
            'scored && "age" in attributes && attributes.age > 60',
        )
    },
    "text with a number, behind many facts": (
        when(" && ".join(f"{name} >= 0.0" for name in FIGURES) + " && (urgent || queue > 3)"),
        3,
        "cannot be evaluated",
    ),
    "a list that is walked through": (
        when('scored && ["a"].exists(queue, queue == "a")'),
        3,
        "calls exists",
    ),
    "half a character": (changed("They sound upset.", '"\\ud83d"'), 8, "en has half a character"),
    "seconds that YAML fails on": (
        changed("hold_seconds: 5", 'hold_seconds: !!int ""'),
        4,
        "is no number",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_each_mistake_gives_file_line_and_remedy(kind: str, tmp_path: Path) -> None:
    text, line, what = MISTAKES[kind]
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as refused:
        load(file)
    assert refused.value.reason == "RULES_INVALID"
    assert str(refused.value).startswith(f"{file}, line {line}: ")
    assert what in str(refused.value)
    assert len(str(refused.value)) < 900
    assert re.search("[:;] [a-z]", str(refused.value).removeprefix(f"{file}, line {line}: "))


def test_too_many_rules_are_refused() -> None:
    many = "rules:\n" + "".join(SECOND.replace("upset\n", f"r{n}\n") for n in range(MOST_RULES))
    assert len(parse(many.encode()).rules) == MOST_RULES
    with pytest.raises(Exception, match="there are 65 rules: at most 64"):
        parse((many + SECOND).encode())


def test_too_large_a_file_is_refused() -> None:
    with pytest.raises(Exception, match="are enough for any rules"):
        parse(b"#" * (LARGEST + 1))


def test_what_is_not_utf_8_is_refused_with_its_line() -> None:
    with pytest.raises(Exception, match="no UTF-8") as mistake:
        parse(RULE.replace("upset.", "aufgebr\xe4cht").encode("latin-1"))
    assert getattr(mistake.value, "line", None) == 8


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file") as refused:
        load(tmp_path / "rules.yaml")
    assert refused.value.reason == "RULES_UNREADABLE"


def test_json_is_yaml_and_writes_an_emoji_in_two_halves() -> None:
    (rule,) = parse(changed("They sound upset.", '"\\ud83d\\ude20 upset"').encode()).rules
    assert rule.reason.english == "\U0001f620 upset"


@pytest.mark.parametrize(
    "condition",
    [
        'attributes.state == "CA" && attributes.phase != "trial"',
        "[1,2][dead_airs] == 2",
        'scored && {"a":1}["b"] == 1',
    ],
)
def test_what_may_be_true_of_some_call_is_taken(condition: str) -> None:
    assert len(parse(when(f"scored && {condition}").encode()).rules) == 1


def test_a_rule_is_read_in_samples() -> None:
    text = RULE.replace("hold_seconds: 5", "hold_seconds: 0.5") + "    quiet_seconds: 30\n"
    rules = parse(text.encode())
    (rule,) = rules.rules
    assert (rule.name, rule.hold, rule.expires, rule.quiet) == ("upset", 4000, 960_000, 240_000)
    assert (rule.action, rule.skill) == (AdviceAction.RAISE_PRIORITY, "")
    assert rule.reason == Text("They sound upset.", "Sie klingen aufgebracht.")
    assert rule.facts == {"state"}
    assert rule.inferred
    assert rules.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_quiet_is_a_minute_where_the_rule_does_not_say() -> None:
    assert parse(RULE.encode()).rules[0].quiet == 480_000


@pytest.mark.parametrize("action", AdviceAction)
def test_every_action_can_be_advised(action: AdviceAction) -> None:
    word = action.name.lower()
    with_skill = action in (AdviceAction.REQUIRE_SKILL, AdviceAction.PREFER_SKILL)
    text = changed("raise_priority", f"{{{word}: retention}}" if with_skill else word)
    (rule,) = parse(text.encode()).rules
    assert (rule.action, rule.skill) == (action, "retention" if with_skill else "")


def test_no_rules_are_fine() -> None:
    assert parse(b"rules: []").rules == ()


def test_whether_a_rule_is_inferred_follows_from_its_facts() -> None:
    for name, inferred in {"urgent": True, "scored": False, "agent_id_set": False}.items():
        assert parse(when(name).encode()).rules[0].inferred is inferred


def test_the_eight_shipped_rules_use_every_action() -> None:
    rules = load()
    assert len(rules.rules) == 8
    assert {rule.action for rule in rules.rules} == set(AdviceAction)
    assert rules.sha256 == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def test_some_shipped_rules_help_those_who_are_not_scored() -> None:
    helpful = {rule.name for rule in load().rules if not rule.inferred}
    assert helpful == {"talks-over-the-bot", "long-wait", "speaks-german"}
