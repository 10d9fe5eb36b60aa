"""The card: short Markdown, figures as they are, the author's words as they are."""

from __future__ import annotations

from pathlib import Path

from emotion_service.training.judging.notation import Sheet
from emotion_service.training.report.card import card, markdown
from emotion_service.training.report.origin import read_origin
from emotion_service.training.report.panel import Kind, Panel, Section

SHEET = Sheet("By corpus", ("corpus", "UAR"), (("north", ".81"), ("a|b", "5 *")))
TABLE = "| corpus | UAR |\n| --- | --- |\n| north | .81 |\n| a\\|b | 5 \\* |"


def test_a_table_escapes_what_markdown_would_take_for_its_own() -> None:
    assert markdown(SHEET) == TABLE


def test_the_card_holds_the_figures_and_the_authors_words(model_folder: Path) -> None:
    panels = (
        Panel(Kind.COVERAGE, "What silence buys", "UAR gains 5.0 points.", "<svg>", SHEET),
        Panel(Kind.SEXES, "Recall by sex", "No gap is significant.", "<svg>", SHEET),
    )
    section = Section("Cross-validation", "Run “joint”.", (), (SHEET,), panels)
    text = card(
        read_origin(model_folder),
        [section],
        "CC0 only.\n",
        "",
        "make it",
        "Reported on 2026-11-22.",
    )
    assert text.startswith("# tiny-1\n\n**Licence: CC0-1.0.**\n\nTells anger, happiness, sadness")
    assert "Learned from 2 speakers, whom model.json lists" in text
    assert text.endswith(
        "## Data\n\nCC0 only.\n\n"
        f"## Cross-validation\n\nRun “joint”.\n\n{TABLE}\n\n"
        f"**Recall by sex.** No gap is significant.\n\n{TABLE}\n\n"
        "- UAR gains 5.0 points.\n\n"
        "## Repeat it\n\n```\nmake it\n```\n\n"
        "Reported on 2026-11-22.\n"
    )
    assert "## Limits" not in text
    assert "<svg" not in text
