"""What is compared between evaluations, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from emotion_service.training.report.evaluation_section import evaluation_section
from emotion_service.training.report.panel import Kind, Panel
from emotion_service.training.report.results import Evaluation
from tests.training.report.made_up import evaluation, row, swept, warm


def panels(*figures: dict[str, Any]) -> dict[Kind, Panel]:
    given = [Evaluation(f"{number}.json", of) for number, of in enumerate(figures)]
    return {panel.kind: panel for panel in evaluation_section(given).panels}


def test_every_condition_is_held_against_the_plain_line() -> None:
    """Codecs come from evaluations of their own; "0" is no gain, but a noise of 0 dB."""
    panel = panels(swept(), evaluation(0.62, codec="gsm"))[Kind.LOSSES]
    assert panel.sheet.rows == (
        ("codec: gsm", ".62", ".52–.72", "−3.0", "", "80"),
        ("gain, dB: 12", ".65", ".55–.75", "0.0", "1.0 %", "80"),
        ("noise, dB below the speech: 10", ".60", ".50–.70", "−5.0", "", "80"),
        ("noise, dB below the speech: 0", ".45", ".35–.55", "−20.0", "", "80"),
    )
    assert panel.caption == (
        "Most is lost under “noise, dB below the speech: 0”: −20.0 points of UAR; plain µ-law has "
        ".65 (95 % .55–.75), 80 clips of 8 speakers, the same clips in every row."
    )


def test_a_sweep_of_a_later_version_is_shown_by_its_name() -> None:
    figures = swept()
    figures["by"] = {"loss_percent": {"0": row(0.65), "5": row(0.63)}}
    assert panels(figures)[Kind.LOSSES].sheet.rows == (
        ("loss percent: 5", ".63", ".53–.73", "−2.0", "", "80"),
    )


def test_seconds_say_how_much_of_the_gain_over_chance_is_there() -> None:
    """.61 after 1 s is 36 points over chance, .65 after 4 s are 40."""
    panel = panels(swept())[Kind.SECONDS]
    assert panel.caption == (
        "cold, pcmu: after 1 s UAR is .61 (95 % .51–.71), 90.0 % of what 4 s gain over chance. "
        "80 clips of 8 speakers."
    )
    assert panel.sheet.rows[0] == ("0.5 s", "cold, pcmu", "–", "", "–", "0.0 %", "0")
    assert panel.sheet.rows[1][4:] == ("90.0 %", "100.0 %", "80")


def test_warm_is_held_against_cold() -> None:
    """By corpus from the cold evaluation beside it."""
    panel = panels(evaluation(0.64), warm())[Kind.WARMTH]
    assert [(name, points) for name, _, _, points, _ in panel.sheet.rows] == [
        ("pooled", "+2.0"),
        ("north", "+3.0"),
        ("calls: calm", "+5.0"),
        ("calls: angry", "−2.0"),
    ]
    assert panel.caption.startswith("With 30 s of the speaker before it, UAR is .67 ")


def test_what_was_not_evaluated_is_left_out() -> None:
    assert panels(evaluation()) == {}


def test_the_sheets_count_clips_and_give_the_figures() -> None:
    section = evaluation_section([Evaluation("cold.json", evaluation())])
    clips, corpora, groups = section.sheets
    assert clips.rows == (("north", "100", "15", "0", "5", "98.0 %"),)
    shown = (".65", ".55–.75", ".65 .65 .65 .65", ".90", ".95", ".04", "80")
    assert corpora.rows == (
        ("cold, pcmu", "north", *shown),
        ("cold, pcmu", "pooled", *shown),
        ("cold, pcmu", "pooled, the surest 80 %", ".70 (+5.0)", "", "", "", "", "", "64"),
    )
    assert [of[1] for of in groups.rows] == ["women", "men", "de"]
    assert groups.rows[0][2:4] == (".65 (95 % .55–.75)", ".65 (.40–.80)")
    assert [tile.figure for tile in section.tiles] == [".65 (95 % .55–.75)"]


@pytest.mark.parametrize("codec", ["gsm", "opus"])
def test_without_an_evaluation_in_mu_law_nothing_is_lost_against_it(codec: str) -> None:
    assert panels(evaluation(codec=codec)) == {}
