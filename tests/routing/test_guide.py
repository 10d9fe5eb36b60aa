"""docs/routing.md says what there is."""

from __future__ import annotations

import re
from pathlib import Path

from emotion_service.routing.condition import FUNCTIONS
from emotion_service.routing.facts import FACTS
from emotion_service.routing.rule_file import ACTIONS, WITH_SKILL, load, parse

GUIDE = (Path(__file__).parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")
TYPES = {
    str: "text",
    float: "number",
    int: "count",
    bool: "truth",
    dict: "map of texts",
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    section = GUIDE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [line.strip("| ").split(" | ") for line in lines]


def test_the_guide_lists_every_fact() -> None:
    expected = [
        [
            f"`{name}`",
            TYPES[type(fact.example)],
            f"{'**inferred**: ' * fact.inferred}{fact.meaning}",
        ]
        for name, fact in FACTS.items()
    ]
    assert rows("What conditions see") == expected


def test_the_guide_lists_every_action() -> None:
    words = [f"{{{word}: SKILL}}" if word in WITH_SKILL else word for word in ACTIONS]
    assert [row[0] for row in rows("What can be advised")] == [f"`{word}`" for word in words]


def test_the_guide_argues_every_rule_that_ships() -> None:
    argued = [row[0].strip("`") for row in rows("The eight that ship")]
    assert argued == [rule.name for rule in load().rules]


def test_the_guide_lists_every_function() -> None:
    listed = GUIDE.split("`? :`, and\n")[1].split(". Any other")[0]
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted((*FUNCTIONS, "has"))


def test_the_guide_s_example_is_fine() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert [rule.name for rule in parse(example.encode()).rules] == ["upset-in-queue"]
