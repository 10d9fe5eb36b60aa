"""Figures as inline SVG: text stays text, colours are the page's."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("matplotlib")

from matplotlib.axes import Axes

from emotion_service.training.report.drawing import SERIES, drawn


def line(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], "o-", color=SERIES[1])
    axes.set_xlabel("seconds heard")


def test_text_is_text_and_colours_are_the_pages() -> None:
    svg = drawn("line", 'UAR "over" seconds', 2.0, line)
    assert svg.startswith('<svg role="img" aria-label="UAR &quot;over&quot; seconds" viewBox="0 0 ')
    assert ">seconds heard</text>" in svg
    assert set(re.findall(r"var\(--[a-z0-9-]+\)", svg)) == {"var(--faint)", "var(--series-1)"}
    assert "currentColor" in svg
    assert re.findall(r"#0a0[bc]", svg) == []
    assert re.findall(r"xmlns|metadata|://|font-family|\d\.\d{3}", svg) == []


def test_the_same_figure_is_the_same_text_and_names_do_not_meet() -> None:
    def ids(svg: str) -> set[str]:
        return set(re.findall(r' id="([^"]+)"', svg))

    one, other = drawn("one", "a", 2.0, line), drawn("other", "a", 2.0, line)
    assert drawn("one", "a", 2.0, line) == one
    assert ids(one)
    assert ids(one).isdisjoint(ids(other))
