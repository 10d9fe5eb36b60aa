"""A file of rules: read, checked line by line, compiled."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NoReturn, TypeAlias

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from emotion_service.errors import BadInput
from emotion_service.routing.condition import Unusable, compiled
from emotion_service.routing.facts import FACTS
from emotion_service.routing.ruleset import Rule, RuleSet
from emotion_service.types import SAMPLE_RATE_HERTZ, AdviceAction, Text

SHIPPED = Path(__file__).with_name("default_rules.yaml")
LARGEST = 1 << 18  # bytes of a file
MOST_RULES = 64
LONGEST_NAME = 64  # characters of a rule's name and of a skill
LONGEST_REASON = 300
REQUIRED = ("name", "when", "hold_seconds", "advise", "expires_seconds", "reason")
OPTIONAL = ("quiet_seconds",)
# Lowest and highest. Advice is renewed half-way to its end: a shorter one would be noise.
SECONDS = {
    "hold_seconds": (0.0, 3600.0),
    "expires_seconds": (10.0, 3600.0),
    "quiet_seconds": (0.0, 3600.0),
}
QUIET = 60 * SAMPLE_RATE_HERTZ  # where a rule does not say
ACTIONS = {action.name.lower(): action for action in AdviceAction}
WITH_SKILL = ("require_skill", "prefer_skill")

Fields: TypeAlias = dict[str, Node]


class Mistake(Exception):
    """What is wrong in a line of the file, counted from 1, and what to do."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def load(path: Path | None = None) -> RuleSet:
    """The rules of a file, by default of the shipped one.

    Raises:
        BadInput: RULES_UNREADABLE, or RULES_INVALID with the first mistake and its line.
    """
    file = path or SHIPPED
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(
            "RULES_UNREADABLE",
            f"the rules in {file} cannot be read ({error.strerror}): give a YAML file of rules",
        ) from None
    try:
        return parse(data)
    except Mistake as mistake:
        raise BadInput("RULES_INVALID", f"{file}, line {mistake.line}: {mistake}") from None


def parse(data: bytes) -> RuleSet:
    """The rules in a file's bytes.

    Raises:
        Mistake: the first.
    """
    top = _fields(_composed(data), ("rules",))
    listed = top["rules"]
    if not isinstance(listed, SequenceNode):
        _wrong(listed, "rules is no list: begin each rule with '- name:'")
    if len(listed.value) > MOST_RULES:
        _wrong(listed, f"there are {len(listed.value)} rules: at most {MOST_RULES} are looked at")
    rules: dict[str, Rule] = {}
    for node in listed.value:
        rule = _rule(node)
        if rule.name in rules:
            _wrong(node, f"there is a rule {rule.name} already: give each a name of its own")
        rules[rule.name] = rule
    return RuleSet(hashlib.sha256(data).hexdigest(), tuple(rules.values()))


def _composed(data: bytes) -> Node:
    if len(data) > LARGEST:
        raise Mistake(1, f"the file has {len(data)} bytes: {LARGEST} are enough for any rules")
    try:
        node = yaml.compose(data.decode(), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Mistake(line, "this is no UTF-8: save the file as such") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Mistake(line, f"this is no YAML ({error.problem}): correct it there") from None
    except (yaml.YAMLError, RecursionError):
        raise Mistake(1, "this is no YAML: save plain text without control characters") from None
    return node if node is not None else MappingNode("tag:yaml.org,2002:map", [])


def _rule(node: Node) -> Rule:
    fields = _fields(node, REQUIRED, OPTIONAL)
    name, when = _name(fields["name"], "name"), fields["when"]
    try:
        program = compiled(_text(when, "when"))
    except Unusable as why:
        _wrong(when, f"the condition of {name} {why}")
    action, skill = _advice(fields["advise"])
    reason = _fields(fields["reason"], ("en", "de"))
    quiet = fields.get("quiet_seconds")
    return Rule(
        name=name,
        when=program,
        facts=frozenset(program.variables()),
        inferred=any(FACTS[name].inferred for name in program.variables()),
        hold=_samples(fields["hold_seconds"], "hold_seconds"),
        expires=_samples(fields["expires_seconds"], "expires_seconds"),
        quiet=_samples(quiet, "quiet_seconds") if quiet else QUIET,
        action=action,
        skill=skill,
        reason=Text(_sentence(reason["en"], "en"), _sentence(reason["de"], "de")),
    )


def _advice(node: Node) -> tuple[AdviceAction, str]:
    """`raise_priority`, or `{require_skill: SKILL}`."""
    if isinstance(node, ScalarNode):
        word = _text(node, "advise")
        if word in WITH_SKILL:
            _wrong(node, f"{word} needs a skill: write advise: {{{word}: SKILL}}")
        return _action(node, word), ""
    pairs = node.value if isinstance(node, MappingNode) else []
    if len(pairs) != 1:
        _wrong(node, "advise is one action: write two rules for two")
    word = _text(pairs[0][0], "advise")
    action = _action(pairs[0][0], word)
    if word not in WITH_SKILL:
        _wrong(node, f"{word} takes no value: write advise: {word}")
    return action, _name(pairs[0][1], word)


def _action(node: Node, word: str) -> AdviceAction:
    if word not in ACTIONS:
        _wrong(node, f"{word!r} is no action; take one of {', '.join(ACTIONS)}")
    return ACTIONS[word]


# --- nodes of YAML ----------------------------------------------------------------------------


def _fields(node: Node, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Fields:
    """The values of a mapping that has these keys and no others."""
    known = ", ".join((*required, *optional))
    if not isinstance(node, MappingNode):
        _wrong(node, f"this is no mapping: it needs the keys {known}")
    fields: Fields = {}
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else "this"
        if name not in (*required, *optional):
            _wrong(key, f"{name!r} is no key here; take one of {known}")
        if name in fields:
            _wrong(key, f"{name} is given twice: leave one of them")
        fields[name] = value
    for name in required:
        if name not in fields:
            _wrong(node, f"{name} is missing: add it")
    return fields


def _text(node: Node, name: str) -> str:
    value = _value(node)
    if not isinstance(value, str) or not value.strip():
        _wrong(
            node, f"{name} is no text, or empty: write some, in quotes if it looks like a number"
        )
    try:  # JSON, which YAML reads too, writes an emoji as two halves
        text = value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        _wrong(node, f"{name} has half a character (\\ud800 to \\udfff): write the whole one")
    return text.strip()


def _sentence(node: Node, name: str) -> str:
    text = " ".join(_text(node, name).split())
    if len(text) > LONGEST_REASON:
        _wrong(node, f"the reason has {len(text)} characters: say it in {LONGEST_REASON}")
    return text


def _name(node: Node, name: str) -> str:
    text = _text(node, name)
    if len(text) > LONGEST_NAME or any(not (c.isalnum() or c in "-_.") for c in text):
        _wrong(
            node,
            f"{name} is not one word of at most {LONGEST_NAME} letters, digits, -, _ and .: "
            "write it like-this",
        )
    return text


def _samples(node: Node, name: str) -> int:
    value, (least, most) = _value(node), SECONDS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        _wrong(node, f"{name} is no number from {least:g} to {most:g}: give it in seconds")
    return round(value * SAMPLE_RATE_HERTZ)


def _value(node: Node) -> object:
    """What a plain value stands for in YAML; None for anything else."""
    if not isinstance(node, ScalarNode):
        return None
    try:
        value: object = yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError):  # of `!!int ""` and the like
        return None
    return value


def _wrong(node: Node, what: str) -> NoReturn:
    mark = node.start_mark
    raise Mistake(mark.line + 1 if mark else 1, what)
