"""A model's card: the README.md of its folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emotion_service.training.judging.notation import Sheet
from emotion_service.training.report.origin import Origin, described
from emotion_service.training.report.panel import Kind, Section

IN_FULL = (Kind.SEXES, Kind.LOSSES, Kind.SECONDS, Kind.WARMTH)  # with their tables; others in words


def card(
    origin: Origin,
    sections: Sequence[Section],
    data: str,
    limits: str,
    repeat: str,
    made: str,
) -> str:
    """Markdown. `data` and `limits` are the author's own words, `repeat` the command that makes all
    of it again; empty, their chapters are left out."""
    licence = f"**Licence: {origin.card.licence}.**"
    parts = [f"# {origin.name}", licence, *described(origin)]
    if data:
        parts += ["## Data", data.strip()]
    for section in sections:
        parts += [f"## {section.title}", section.introduction, *_figures(section)]
    if limits:
        parts += ["## Limits", limits.strip()]
    if repeat:
        parts.append(f"## Repeat it\n\n```\n{repeat}\n```")
    parts.append(made)
    return "\n\n".join(parts) + "\n"


def _figures(section: Section) -> Iterator[str]:
    yield from map(markdown, section.sheets)
    for panel in section.panels:
        if panel.kind in IN_FULL:
            yield f"**{panel.title}.** {panel.caption}"
            yield markdown(panel.sheet)
    said = [panel.caption for panel in section.panels if panel.kind not in IN_FULL]
    if said:
        yield "\n".join(f"- {sentence}" for sentence in said)


def markdown(sheet: Sheet) -> str:
    """A table; what Markdown would take for its own is escaped."""
    rows = [sheet.columns, ("---",) * len(sheet.columns), *sheet.rows]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
