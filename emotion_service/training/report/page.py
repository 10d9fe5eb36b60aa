"""A report as one HTML page: no script, nothing fetched, readable by day, by night and aloud."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from emotion_service.training.judging.notation import Sheet
from emotion_service.training.report.panel import Kind, Panel, Section, Tile

STYLE = files("emotion_service.training.report") / "page.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # a browser then fetches nothing


def page(
    title: str,
    subject: Sequence[str],
    sections: Sequence[Section],
    repeat: str,
    made: str,
) -> str:
    """`subject`: paragraphs on what is reported on. `repeat`: the command that makes all of it
    again, if there is one. `made`: when and where."""
    parts = [
        f"<header><h1>{escape(title)}</h1>{_paragraphs(subject)}{_contents(sections)}</header>",
        _tiles([tile for section in sections for tile in section.tiles]),
        *(_section(number, section) for number, section in enumerate(sections)),
        _repeat(repeat),
        f"<footer><p>{escape(made)}</p></footer>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n"
        f"</head>\n<body>\n{chr(10).join(parts)}\n</body>\n</html>\n"
    )


def _paragraphs(sentences: Iterable[str]) -> str:
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _contents(sections: Sequence[Section]) -> str:
    targets = [(f"section-{number}", of.title) for number, of in enumerate(sections)]
    items = [f'<li><a href="#{id}">{escape(name)}</a></li>' for id, name in targets]
    return f'<nav aria-label="Contents"><ul>{"".join(items)}</ul></nav>'


def _tiles(tiles: Sequence[Tile]) -> str:
    """A figure's interval is set small behind it."""
    items = []
    for tile in tiles:
        figure, _, rest = tile.figure.partition(" ")
        small = f" <small>{escape(rest)}</small>" if rest else ""
        meaning = escape(tile.meaning)
        items.append(f"<div><dt>{meaning}</dt><dd>{escape(figure)}{small}</dd></div>")
    return f'<dl class="tiles">{"".join(items)}</dl>'


def _section(number: int, section: Section) -> str:
    title = f'<h2 id="section-{number}">{escape(section.title)}</h2>'
    sheets = "".join(map(_sheet, section.sheets))
    matrices = "".join(_panel(of) for of in section.panels if of.kind is Kind.CONFUSION)
    others = "".join(_panel(of) for of in section.panels if of.kind is not Kind.CONFUSION)
    return (
        f"<section>{title}{_paragraphs([section.introduction])}{sheets}"
        f'<div class="panels matrices">{matrices}</div><div class="panels">{others}</div></section>'
    )


def _panel(panel: Panel) -> str:
    return (
        f"<figure><h3>{escape(panel.title)}</h3>{panel.drawing}"
        f"<figcaption>{escape(panel.caption)}</figcaption>"
        f"<details><summary>The numbers</summary>{_sheet(panel.sheet)}</details></figure>\n"
    )


def _repeat(command: str) -> str:
    if not command:
        return ""
    return f'<section><h2>Repeat it</h2><pre tabindex="0">{escape(command)}</pre></section>'


def _sheet(sheet: Sheet) -> str:
    """Scrolls sideways where it is wider than the screen, with the keyboard too."""
    title = escape(sheet.title)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in sheet.columns)
    rows = []
    for first, *others in sheet.rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
        rows.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="sheet" role="region" aria-label="{title}" tabindex="0"><table>'
        f"<caption>{title}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )
