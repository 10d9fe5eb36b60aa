"""Both pages for everyone: nothing that axe calls serious, at any width, in both languages."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from benchmarks.panel_calls import EARLIER, advice, cue, live, trend
from benchmarks.panel_stage import Stage
from emotion_service.v1 import emotion_service_pb2 as pb

CALLS = ("AGITATED", "DISTRESSED", "NEUTRAL", "HAPPY", "INSUFFICIENT_EVIDENCE")


def populate(stage: Stage) -> None:
    """One call of each state, a refusal, and all there can be on the first."""
    for number, kind in enumerate(CALLS):
        state = live(f"c-{number}", 40.0, "billing", "a-07")
        state.earlier.append(pb.HandOver(call_id="c-x", text=EARLIER))
        state.hand_over.CopyFrom(EARLIER)
        stage.open(state)
        stage.tell(cue(f"c-{number}", kind, 41.0, confidence=0.56 + number / 10))
    stage.open(live("c-9", 40.0, reason="CONSENT_REFUSED"))
    stage.tell(
        cue("c-0", "URGENT", 41.0, index=0.7, reasons=("pace", "reply_delay")),
        cue("c-0", "CURT", 41.0, index=0.6, reasons=("reply_length",)),
        cue("c-0", "TALK_OVER", 41.0, leg="agent"),
        trend("c-0", 40.0, 0.5),
        trend("c-0", 45.0, 0.7),
        advice("c-0", 42.0, 90.0),
    )


def both(page: Page, stage: Stage, language: str) -> None:
    """The wall, with a call's panel open at its side."""
    populate(stage)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{stage.url}/?lang={language}")
    expect(page.locator(".rows li")).to_have_count(6)
    page.locator('.rows a[href$="c-0"]').click()
    page.locator("emotion-panel summary").click()
    expect(page.locator("emotion-panel .action")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_axe_finds_nothing_serious(stage: Stage, page: Page, theme: str, language: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    both(page, stage, language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert serious(page) == []
    page.goto(f"{stage.url}/agent?call_id=c-0&lang={language}")
    for number in range(1, len(CALLS)):  # five states on one page: they look different, no more
        page.evaluate(
            """([id, lang]) => {
              const panel = document.createElement("emotion-panel");
              panel.setAttribute("call-id", id);
              panel.setAttribute("lang", lang);
              document.querySelector("main").append(panel);
            }""",
            [f"c-{number}", language],
        )
    for panel in page.locator("emotion-panel .state").all():
        expect(panel).not_to_have_attribute("data-mood", "waiting")
    assert serious(page) == []


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    bad = [each for each in found if each["impact"] in ("serious", "critical")]
    return [json.dumps([each["id"], [node["html"] for node in each["nodes"]]]) for each in bad]


@pytest.mark.parametrize("path", ["/agent?call_id=c-0&lang=de", "/?lang=de"])
@pytest.mark.parametrize(("width", "size"), [(320, "16px"), (640, "32px")])
def test_nothing_is_cut_off_where_it_is_narrow_or_the_text_large(
    stage: Stage, page: Page, path: str, width: int, size: str
) -> None:
    """640 px at 200 % are 320 CSS pixels."""
    populate(stage)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(stage.url + path)
    page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
    expect(page.get_by_text("Klingt verärgert").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_and_the_language_stay_chosen(stage: Stage, page: Page) -> None:
    populate(stage)
    page.emulate_media(color_scheme="light")
    page.goto(stage.url)
    page.get_by_role("button", name="Dark").click()
    page.get_by_role("button", name="Deutsch").click()
    page.goto(f"{stage.url}/agent?call_id=c-0")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    expect(page.get_by_role("button", name="Hell")).to_be_visible()


def test_both_languages_have_the_same_words(stage: Stage, page: Page) -> None:
    page.goto(stage.url)
    paths = page.evaluate(
        """async () => {
          const { textsFor } = await import("/static/texts.js");
          const paths = (value, path) => typeof value === "object"
            ? Object.entries(value).flatMap(([key, each]) => paths(each, `${path}.${key}`))
            : [path + ":" + typeof value];
          return ["de-AT", "en"].map((tag) => paths(textsFor(tag), ""));
        }"""
    )
    assert paths[0] == paths[1]


def test_nothing_moves_where_motion_is_not_wanted(chromium: Browser, stage: Stage) -> None:
    """Nothing moves anywhere: no animation and no transition is defined at all."""
    page = chromium.new_page(locale="en-GB")
    both(page, stage, "en")
    moving = page.evaluate("document.getAnimations().length")
    page.close()
    assert moving == 0
