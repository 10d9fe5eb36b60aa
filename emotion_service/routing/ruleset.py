"""The rule set: what is advised when, read from one file. Shared by all calls and immutable."""

from __future__ import annotations

from dataclasses import dataclass

import cel

from emotion_service.types import AdviceAction, Text


@dataclass(frozen=True, slots=True)
class Rule:
    """One piece of advice and its condition. Times in samples.

    `hold`: so long the condition must have been true. `expires`: so long the advice stands once
    the condition is false. `quiet`: so long after its end it is not given anew. `facts` are those
    that the condition names; `inferred`: one of them is, from the customer's voice.
    """

    name: str
    when: cel.Program
    facts: frozenset[str]
    inferred: bool
    hold: int
    expires: int
    quiet: int
    action: AdviceAction
    skill: str
    reason: Text


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of a file, in its order. `sha256` is the file's."""

    sha256: str = ""
    rules: tuple[Rule, ...] = ()

    @property
    def facts(self) -> frozenset[str]:
        """Those that any condition names."""
        return frozenset().union(*(rule.facts for rule in self.rules))


NO_RULES = RuleSet()
