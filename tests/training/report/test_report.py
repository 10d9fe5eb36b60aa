"""The page, whole: sound HTML that fetches nothing, and says what the figures are."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emotion_service.errors import CorpusError
from emotion_service.training.report.panel import Kind
from emotion_service.training.report.report import Report, read_report
from emotion_service.training.report.report_command import report_command
from tests.training.report.made_up import evaluation, swept, warm, write_run, written

pytest.importorskip("matplotlib")

VOID = {"meta", "path", "use", "link", "br"}


class Reader(HTMLParser):
    """Raises where a tag is not closed in its order; collects names, targets and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.targets.add(str(value))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def model(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "tiny-1"
    shutil.copytree(model_folder, folder)
    fields = json.loads((folder / "model.json").read_text())
    written(fields | {"data": ["north", "south"], "temperature": 0.8}, folder / "model.json")
    return folder


@pytest.fixture(scope="module")
def report(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("given")
    runs = [write_run(folder / "joint"), write_run(folder / "loco", "leave one corpus out")]
    files = [
        written(swept(), folder / "cold.json"),
        written(evaluation(0.62, codec="gsm"), folder / "gsm.json"),
        written(warm(), folder / "warm.json"),
    ]
    return read_report(runs, files, model)


def test_the_page_is_sound_and_fetches_nothing(report: Report) -> None:
    page = report.page()
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.tags.isdisjoint({"script", "img", "iframe", "link", "object"})
    assert "://" not in page
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.targets <= {f"#{name}" for name in reader.ids}
    assert "default-src 'none'" in page
    assert len(page) < 250_000


def test_the_page_shows_everything_that_was_given(report: Report) -> None:
    joint, loco, evaluated = report.sections
    assert joint.title == "Cross-validation: five joint folds without common speakers"
    assert loco.title == "Cross-validation: leave one corpus out"
    assert evaluated.title == "Evaluation on north"
    kinds = {panel.kind for section in report.sections for panel in section.panels}
    assert kinds == set(Kind)
    page = report.page()
    for section in report.sections:
        for panel in section.panels:
            assert panel.drawing in page
    assert page.count("<svg") == 2 * 4 + 3
    assert "Licence: CC0-1.0." in page


def test_a_run_says_what_is_confused_and_what_is_significant(report: Report) -> None:
    """Men's happiness is taken for anger: 4 of 8 clips in the north, 2 of 4 in the south."""
    captions = {panel.title: panel.caption for panel in report.sections[0].panels}
    assert captions["What is heard in north"] == (
        "The most frequent confusion in north: 50 % of happiness is taken for anger; 32 clips of "
        "4 speakers, UAR .88 (95 % .75–1.00)."
    )
    assert captions["Recall by sex"] == (
        "Significant at 95 %: happiness is recognised 100 points better in women than in men "
        "(95 % 100 to 100). Women: 24 clips of 3 speakers; men: 24 clips of 3 speakers."
    )
    assert captions["UAR of each speaker"].startswith(
        "From .75 for the worst speaker to 1.00 for the best"
    )


def test_names_from_a_corpus_are_text_not_tags(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "joint")
    text = (folder / "crossval.json").read_text()
    (folder / "crossval.json").write_text(text.replace("north", "<b>north&"))
    page = read_report([folder], [], None).page()
    assert "<b>" not in page
    assert "&lt;b&gt;north&amp;" in page


def test_one_model_a_report(tmp_path: Path, model: Path) -> None:
    other = written(evaluation() | {"model": "other-2"}, tmp_path / "other.json")
    with pytest.raises(CorpusError, match=r"other.json judges other-2, the others are of tiny-1"):
        read_report([], [other], model)


def ran(*arguments: object) -> object:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(report_command)
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False).output


def test_the_command_writes_page_and_card(tmp_path: Path, model: Path) -> None:
    run = write_run(tmp_path / "joint")
    limits = tmp_path / "limits.md"
    limits.write_text("Acted speech only.\n")
    page, card = tmp_path / "page.html", tmp_path / "card.md"
    given = ("--crossval", run, "--model", model, "--limits", limits)
    output = ran(*given, "--out", page, "--card", card)
    assert output == f"{page} is written.\n{card} is written.\n"
    assert page.read_text().startswith("<!doctype html>")
    assert "## Limits\n\nActed speech only.\n" in card.read_text()


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    out = ("--out", tmp_path / "page.html")
    with pytest.raises(CorpusError, match="nothing was given to report on: give --crossval"):
        ran(*out)
    with pytest.raises(CorpusError, match="--data and --limits are for the card: add --card"):
        ran(*out, "--limits", tmp_path / "limits.md")
    run = write_run(tmp_path / "joint")
    with pytest.raises(CorpusError, match="a card is of a model: give its folder with --model"):
        ran(*out, "--crossval", run, "--card", tmp_path / "card.md")
    assert not (tmp_path / "page.html").exists()
