"""Conditions in CEL: compiled and tried out once, as a rule set is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator

import cel

from emotion_service.routing.facts import FACTS, PHASES, STATE_NAMES, Value

LONGEST = 1000  # characters
# Beside the operators and has(), whose names are no identifiers to the library.
FUNCTIONS = ("contains", "double", "endsWith", "int", "size", "startsWith")
WORDS = {"state": STATE_NAMES, "phase": PHASES}
TEXT = r"\"([^\"]*)\"|'([^']*)'"
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
    _know_names(program)
    _know_words(source)
    for probe in _probes():
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


def _know_names(program: cel.Program) -> None:
    for name in program.functions():
        if name.isidentifier() and name not in FUNCTIONS:
            raise Unusable(f"calls {name}; only {', '.join(FUNCTIONS)} and has can be called")
    names = program.variables()
    if not names:
        raise Unusable("names no fact, so that it never changes: say what it depends on")
    for name in names:  # those that a macro binds too: write it out instead
        if name not in FACTS:
            raise Unusable(f"names {name}, which is no fact; take one of {', '.join(FACTS)}")


def _know_words(source: str) -> None:
    """Refuses a state or phase that does not exist, where it is compared as people write it."""
    for fact, words in WORDS.items():
        compared = rf"\b{fact}\s*[!=]=\s*(?:{TEXT})|(?:{TEXT})\s*[!=]=\s*{fact}\b"
        texts = [text for found in re.findall(compared, source) for text in found if text]
        for listed in re.findall(rf"\b{fact}\s+in\s*\[([^\]]*)\]", source):
            texts += [text for found in re.findall(TEXT, listed) for text in found if text]
        for text in texts:
            if text not in words:
                raise Unusable(
                    f"compares {fact} with {text!r}, which it never is; "
                    f"take one of {', '.join(words)}"
                )


def _probes() -> Iterator[dict[str, Value]]:
    """Facts of the right types: in every state and phase, so that each part is reached."""
    facts = {name: fact.example for name, fact in FACTS.items()}
    for state in STATE_NAMES:
        for phase in PHASES:
            yield {**facts, "state": state, "phase": phase, "attributes": {}}


def _try(program: cel.Program, facts: dict[str, Value]) -> None:
    attributes: dict[str, str] = {}
    for _ in range(LONGEST):  # more attributes than a condition can name
        try:
            answer = program.execute({**facts, "attributes": attributes})
        except KeyError as missing:
            attributes[missing.args[0]] = "1"  # reads as a number too
            continue
        except ArithmeticError:
            return  # of these figures; others may do
        except (TypeError, ValueError, RuntimeError) as error:
            what = str(error).split(":")[0].split(". ")[0][:100]
            raise Unusable(
                f"cannot be evaluated ({what}): compare numbers with numbers and texts with texts"
            ) from None
        if not isinstance(answer, bool):
            raise Unusable(
                f"gives {type(answer).__name__} where true or false is expected: compare it with "
                "something"
            )
        return
