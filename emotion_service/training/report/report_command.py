"""The command that shows what is known of a model: `emotion-service report`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from emotion_service.errors import CorpusError, EmotionServiceError


def report_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="The page to write.")],
    crossval: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="A folder that crossval wrote; may be repeated."),
    ] = None,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="What evaluate --json printed; may be repeated."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The model folder that it is of.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option(metavar="FILE.md", help="Write the model's card as well.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE.md", help="What it learned from, under which licences."),
    ] = None,
    limits: Annotated[
        Path | None, typer.Option(metavar="FILE.md", help="What not to expect of it.")
    ] = None,
    repeat: Annotated[
        str, typer.Option(metavar="COMMAND", help="What makes all of it again, to be shown.")
    ] = "",
) -> None:
    """Make one HTML page with plots of what is known of a model, and its card."""
    if find_spec("matplotlib") is None:
        raise EmotionServiceError(
            "the report needs matplotlib, which the service does without: run "
            "`make train-environment` in a checkout, or pip install 'emotion-service[train]'"
        )
    if card is None and (data or limits):
        raise CorpusError("--data and --limits are for the card: add --card FILE.md")
    from emotion_service.training.report.report import read_report  # noqa: PLC0415

    report = read_report(crossval or [], evaluation or [], model, repeat)
    written = {out: report.page()}
    if card is not None:
        written[card] = report.card(_words(data), _words(limits))
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
        print(f"{path} is written.")


def _words(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not text in UTF-8 ({error}): save it as such") from error
