"""Conditions in CEL: compiled and tried out once, as a rule set is loaded."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from math import prod

import cel

from emotion_service.routing.facts import FACTS, PHASES, STATE_NAMES, Value

LONGEST = 1000  # characters
PROBES = 200  # sets of facts that a condition is tried on, at most,
STRIDE = 1_000_000_007  # so far apart: a prime, so that none comes twice and every fact changes
NUMERAL = "1"  # a text that reads as a number too
# Beside the operators and has(), whose names are no identifiers to the library.
FUNCTIONS = ("contains", "double", "endsWith", "int", "size", "startsWith")
WORDS = {"state": STATE_NAMES, "phase": PHASES}
TEXT = r"\"([^\"]*)\"|'([^']*)'"
MACRO = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\s*\(")  # no functions to the library
# What the library raises for a fact that is null, an attribute that is not there, a division by 0.
UNANSWERABLE = (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError)


class Unusable(Exception):
    """Why a condition cannot be used, and what to do."""


def holds(program: cel.Program, context: cel.Context) -> bool:
    """Whether the condition is true; one that cannot be answered is not."""
    try:
        return program.execute(context) is True
    except UNANSWERABLE:
        return False


def compiled(source: str) -> cel.Program:
    """The condition, ready to be evaluated.

    Raises:
        Unusable: it is no CEL, names something unknown, or is not true or false.
    """
    if len(source) > LONGEST:
        raise Unusable(f"has {len(source)} characters: write at most {LONGEST}, or two rules")
    try:
        program = cel.compile(source)
    except ValueError as error:
        raise Unusable(f"is no CEL ({_syntax(str(error))}): correct it there") from None
    _know_names(program, source)
    _know_words(source)
    for probe in _probes(program.variables(), source):
        _try(program, probe)
    return program


def _syntax(message: str) -> str:
    """`column 9: mismatched input '<EOF>'` of the library's several lines."""
    found = re.search(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)", message)
    if found is None:
        return message.splitlines()[0][:200]
    line, column, what = found.groups()
    what = what.split(" expecting ")[0][:100]
    return f"line {line}, column {column} of the condition: {what}"


def _know_names(program: cel.Program, source: str) -> None:
    for name in (*program.functions(), *MACRO.findall(source)):
        if name.isidentifier() and name not in FUNCTIONS:
            raise Unusable(f"calls {name}; only {', '.join(FUNCTIONS)} and has can be called")
    names = program.variables()
    if not names:
        raise Unusable("names no fact, so that it never changes: say what it depends on")
    for name in names:
        if name not in FACTS:
            raise Unusable(f"names {name}, which is no fact; take one of {', '.join(FACTS)}")


def _know_words(source: str) -> None:
    """Refuses a state or phase that does not exist, where it is compared as people write it."""
    for fact, words in WORDS.items():
        compared = rf"(?<![\w.]){fact}\s*[!=]=\s*(?:{TEXT})|(?:{TEXT})\s*[!=]=\s*{fact}\b"
        texts = [text for found in re.findall(compared, source) for text in found if text]
        for listed in re.findall(rf"(?<![\w.]){fact}\s+in\s*\[([^\]]*)\]", source):
            texts += [text for found in re.findall(TEXT, listed) for text in found if text]
        for text in texts:
            if text not in words:
                raise Unusable(
                    f"compares {fact} with {text!r}, which it never is; "
                    f"take one of {', '.join(words)}"
                )


def _probes(names: Collection[str], source: str) -> Iterator[dict[str, Value]]:
    """Values of the facts that are named, each of its type, so that what stands behind an `&&` or
    an `||` is reached too: all their combinations, or where there are many, PROBES of them."""
    texts = ("", *(text for found in re.findall(TEXT, source) for text in found if text))
    named = re.findall(r"\battributes\s*(?:\.\s*(\w+)|\[\s*[\"'](.*?)[\"']\s*\])", source)
    attributes = dict.fromkeys((dotted or quoted for dotted, quoted in named), NUMERAL)
    values = {name: _values(name, texts, attributes) for name in names}
    combinations = prod(map(len, values.values()))
    for number in range(0, min(combinations, PROBES) * STRIDE, STRIDE):
        rest, facts = number % combinations, {}
        for name, of in values.items():
            rest, place = divmod(rest, len(of))
            facts[name] = of[place]
        yield facts


def _values(name: str, texts: tuple[str, ...], attributes: dict[str, str]) -> tuple[Value, ...]:
    if name in WORDS:
        return WORDS[name]
    match FACTS[name].example:
        case bool():
            return (True, False)
        case int():
            return (0, 1, 10**6)
        case float():
            return (0.0, 0.5, 1.0, 1e6)
        case str():
            return texts
    return ({}, attributes)


def _try(program: cel.Program, facts: dict[str, Value]) -> None:
    attributes = facts.get("attributes")
    if isinstance(attributes, dict):
        facts = {**facts, "attributes": (attributes := dict(attributes))}
    while True:
        try:
            answer = program.execute(facts)
        except KeyError as missing:
            (key,) = missing.args
            if not isinstance(attributes, dict) or key in attributes:
                return  # it is another map's
            attributes[key] = NUMERAL
            continue
        except (ArithmeticError, IndexError):
            return  # of these figures; others may do
        except (TypeError, ValueError, RuntimeError) as error:
            what = str(error).split(":")[0].split(". ")[0][:100]
            raise Unusable(
                f"cannot be evaluated ({what}): compare numbers with numbers and texts with texts, "
                "and calculate with 60.0 rather than 60, and with double(a count)"
            ) from None
        if not isinstance(answer, bool):
            raise Unusable(
                f"gives {type(answer).__name__} where true or false is expected: compare it with "
                "something"
            )
        return
