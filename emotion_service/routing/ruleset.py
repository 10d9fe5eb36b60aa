"""The rule set: what is advised when, read from one file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Shared by all calls and immutable. `sha256` of the file it was read from."""

    sha256: str = ""


NO_RULES = RuleSet()
