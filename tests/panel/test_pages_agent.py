"""The agent's panel in a real browser: what it shows when, and what a person can do."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from benchmarks.panel_calls import EARLIER, advice, cue, ended, live, trend
from benchmarks.panel_stage import Stage
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.panel.browser import agent

CALL = "c-1"
STORY = pb.Text(english="Upset since minute 1.", german="Seit Minute 1 verärgert.")
COUNT_EVENTS = """
  window.arrived = 0;
  window.EventSource = class extends EventSource {
    addEventListener(kind, act) {
      super.addEventListener(kind, (event) => { act(event); window.arrived += 1; });
    }
  };
"""
WATCH_HEADLINE = """() => {
  const word = document.querySelector("emotion-panel").shadowRoot.querySelector("h2");
  window.told = [];
  const note = () => window.told.push([word.textContent, Date.now()]);
  new MutationObserver(note).observe(word, { childList: true, characterData: true, subtree: true });
}"""


def upset(seconds: float = 3.0, sequence: int = 0, phase: str = "ONSET") -> pb.Cue:
    return cue(
        CALL,
        "AGITATED",
        seconds,
        start=1.0,
        sequence=sequence,
        phase=phase,
        confidence=0.82,
        evidence=6.5,
        reasons=("pitch", "pace"),
    )


def test_a_state_is_there_300_ms_after_it_was_told(
    stage: Stage, page: Page, record_property: Callable[[str, object], None]
) -> None:
    """Of three times five, the median of the best five: a busy machine adds what it likes."""
    numbers, medians = count(), list[float]()
    while not medians or (min(medians) > 300 and len(medians) < 3):
        waited = [shown_after_ms(stage, page, f"c-{next(numbers)}") for _ in range(5)]
        medians.append(statistics.median(waited))
    record_property("milliseconds", medians)
    assert min(medians) <= 300, medians


def shown_after_ms(stage: Stage, page: Page, call_id: str) -> float:
    """How long a state of this call took from where it was told to the page."""
    stage.open(live(call_id))
    agent(page, stage, call_id)
    page.evaluate(WATCH_HEADLINE)
    stage.tell(cue(call_id, "AGITATED", 3.0, confidence=0.8))
    expect(page.locator("emotion-panel h2")).to_have_text("Sounds upset")
    ((word, seen),) = page.evaluate("window.told")
    assert word == "Sounds upset"
    return float(seen - 1000 * stage.service.sent[-1])


def test_a_state_says_how_sure_it_is_on_what_it_rests_and_why(stage: Stage, page: Page) -> None:
    stage.open(live(CALL, 2.0))
    agent(page, stage, CALL)
    stage.tell(upset())
    card = page.locator("emotion-panel .state")
    expect(card.locator("h2")).to_have_text("Sounds upset")
    expect(card.locator(".evidence")).to_have_text("fairly sure (82 %) · from 6.5 s of speech")
    expect(card.locator(".reasons li")).to_have_text(
        ["Pitch 22 % above their usual", "Pace 30 % above their usual"]
    )
    page.locator("button.language").click()
    expect(card.locator("h2")).to_have_text("Klingt verärgert")
    expect(card.locator(".evidence")).to_have_text("recht sicher (82 %) · aus 6,5 s Sprache")
    expect(card.locator(".reasons li")).to_have_text(
        ["Stimme 22 % höher als sonst", "Spricht 30 % schneller als sonst"]
    )


@pytest.mark.parametrize(
    ("confidence", "sure", "words"),
    [(0.8, "sure", "fairly sure"), (0.65, "fairly", "rather sure"), (0.55, "unsure", "unsure")],
)
def test_uncertainty_looks_uncertain(
    stage: Stage, page: Page, confidence: float, sure: str, words: str
) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(cue(CALL, "DISTRESSED", 3.0, confidence=confidence))
    card = page.locator("emotion-panel .state")
    expect(card).to_have_attribute("data-sure", sure)
    expect(card.locator(".evidence")).to_contain_text(words)
    edge = card.evaluate("node => getComputedStyle(node).borderTopStyle")
    assert edge == ("dashed" if sure == "unsure" else "solid")


@pytest.mark.parametrize(
    ("state", "word", "note"),
    [
        (live(CALL, reason="CONSENT_PENDING"), "Not assessed", "has not agreed yet"),
        (live(CALL, reason="NOT_DISCLOSED"), "Not assessed", "has not been told"),
        (live(CALL), "Nothing heard yet", "As soon as the customer has spoken"),
    ],
)
def test_why_nothing_is_claimed_stands_there(
    stage: Stage, page: Page, state: pb.CallState, word: str, note: str
) -> None:
    stage.open(state)
    agent(page, stage, CALL)
    expect(page.locator("emotion-panel h2")).to_have_text(word)
    expect(page.locator("emotion-panel .note")).to_contain_text(note)


def test_the_headline_changes_once_in_5_s_and_only_to_the_newest(stage: Stage, page: Page) -> None:
    page.clock.install()
    page.add_init_script(COUNT_EVENTS)
    stage.open(live(CALL))
    agent(page, stage, CALL)
    page.evaluate(WATCH_HEADLINE)
    arrived = page.evaluate("window.arrived")
    page.clock.pause_at(page.evaluate("Date.now() + 20_000"))
    kinds = ("NEUTRAL", "AGITATED", "INSUFFICIENT_EVIDENCE", "HAPPY")
    for number, (before, kind) in enumerate(zip(("", *kinds), kinds, strict=False)):
        if before:
            stage.tell(cue(CALL, before, number + 1.0, phase="OFFSET"))
        stage.tell(cue(CALL, kind, number + 1.0, sequence=number, confidence=0.8))
        arrived += 2 if before else 1
        while page.evaluate("window.arrived") < arrived:  # no made-up clock hastens that
            page.wait_for_timeout(10)
        page.clock.run_for(1000)
    page.clock.run_for(900)
    assert words(page) == ["Sounds matter-of-fact"]
    page.clock.run_for(200)
    assert words(page) == ["Sounds matter-of-fact", "Sounds pleased"]


def words(page: Page) -> list[str]:
    return [word for word, _ in page.evaluate("window.told")]


def test_a_dropped_connection_loses_nothing(stage: Stage, page: Page) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset(), trend(CALL, 5.0, 0.5), cue(CALL, "TALK_OVER", 5.5, leg="agent"))
    expect(page.locator("emotion-panel h2")).to_have_text("Sounds upset")
    stage.cut()
    lost = page.locator('emotion-panel .link[data-link="lost"]')
    expect(lost).to_contain_text("Connection lost · as of")
    stage.tell(*(trend(CALL, 10.0 + 5 * i, 0.6) for i in range(20)))
    stage.tell(*(cue(CALL, "TALK_OVER", 11.0 + i, leg="agent") for i in range(7)))
    stage.tell(advice(CALL, 20.0, 400.0))
    expect(page.locator("emotion-panel .link")).to_have_attribute("data-link", "live")
    expect(page.locator("emotion-panel .counts dd").first).to_have_text("Customer 0 · Agent 8")
    expect(page.locator("emotion-panel .action")).to_have_text("Bring in a supervisor")
    line = page.locator("emotion-panel .trend .line").get_attribute("d")
    assert line is not None
    assert line.count("L") == 20  # 21 points, joined


@pytest.mark.parametrize(
    ("label", "verdict", "answer"),
    [
        ("Dismiss", "VERDICT_DISMISSED", "Dismissed until something changes."),
        ("That’s wrong", "VERDICT_WRONG", "Marked as wrong. Thank you."),
    ],
)
def test_feedback_arrives_and_lasts_as_long_as_the_state(
    stage: Stage, page: Page, label: str, verdict: str, answer: str
) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset(3.0, sequence=7))
    page.get_by_role("button", name=label).click()
    said = page.locator("emotion-panel .verdict .answer")
    expect(said).to_have_text(answer)
    assert stage.service.heard == [("feedback", CALL, "7", verdict)]
    stage.tell(upset(5.0, sequence=8, phase="UPDATE"), trend(CALL, 5.0, 0.7))
    expect(page.locator("emotion-panel .figure")).to_contain_text("0.7")
    expect(said).to_have_text(answer)
    agent(page, stage, CALL)  # and whoever comes later sees it too
    stage.tell(cue(CALL, "NEUTRAL", 9.0, sequence=9, confidence=0.8))
    expect(page.get_by_role("button", name=label)).to_be_visible()


def test_the_customer_objects_and_nothing_is_inferred_any_more(stage: Stage, page: Page) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset(), advice(CALL, 3.0, 60.0), cue(CALL, "CURT", 3.0, index=0.6))
    ask = page.get_by_role("button", name="Customer objects")
    ask.click()
    page.keyboard.press("Escape")
    expect(ask).to_be_focused()
    assert stage.service.heard == []
    ask.click()
    page.get_by_role("button", name="Yes, stop").click()
    expect(page.locator("emotion-panel h2")).to_have_text("Not assessed")
    expect(page.locator("emotion-panel .note")).to_contain_text("has objected")
    expect(page.locator("emotion-panel .objection .answer")).to_contain_text("from now on nothing")
    expect(page.locator("emotion-panel .advice .none")).to_have_text("None at the moment")
    expect(page.locator('emotion-panel [data-stands-out="yes"]')).to_have_count(0)
    assert stage.service.heard == [("objection", CALL)]


def test_the_next_agent_reads_what_need_not_be_asked_again(stage: Stage, page: Page) -> None:
    state = live(CALL, 30.0)
    state.earlier.append(pb.HandOver(call_id="c-0", text=EARLIER))
    state.hand_over.CopyFrom(STORY)
    stage.open(state)
    agent(page, stage, CALL, language="de")
    story = page.locator("emotion-panel .story .told")
    expect(story).to_have_text(
        [
            "Der Kunde klang ab Minute 2 verärgert. Er wartete 40 Sekunden auf eine Antwort.",
            STORY.german,
        ]
    )


def test_an_ended_call_keeps_its_summary(stage: Stage, page: Page) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset(), ended(CALL, 92.0, STORY, {"TALK_OVER": 3}))
    for _ in range(2):  # as it ends, and for whoever comes later
        expect(page.locator("emotion-panel h2")).to_have_text("Call ended")
        expect(page.locator("emotion-panel .story .told")).to_have_text(STORY.english)
        expect(page.locator("emotion-panel .counts dd").first).to_contain_text("Customer 3")
        page.reload()


def test_an_answer_from_before_the_end_does_not_undo_the_summary(stage: Stage, page: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/calls/*", lambda route: held.append((route, route.fetch())))
    stage.open(live(CALL))
    agent(page, stage, CALL)
    while not held:
        page.wait_for_timeout(10)
    stage.tell(ended(CALL, 92.0, STORY, {}))
    story = page.locator("emotion-panel .story .told")
    expect(story).to_have_text(STORY.english)
    ((route, answer),) = held
    with page.expect_response("**/api/calls/*") as arrived:
        route.fulfill(response=answer)
    arrived.value.finished()
    page.wait_for_timeout(200)
    expect(story).to_have_text(STORY.english)


def test_nothing_jumps_when_cues_and_advice_come(stage: Stage, page: Page) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    page.evaluate(
        """() => {
          window.shift = 0;
          const add = (list) => list.getEntries().forEach((each) => (window.shift += each.value));
          new PerformanceObserver(add).observe({ type: "layout-shift" });
        }"""
    )
    stage.tell(upset(), cue(CALL, "CURT", 3.0, index=0.6, reasons=("reply_length", "brightness")))
    stage.tell(advice(CALL, 3.0, 60.0), trend(CALL, 5.0, 0.7), cue(CALL, "DEAD_AIR", 6.0))
    expect(page.locator("emotion-panel .lasting li")).to_have_count(1)
    page.wait_for_timeout(200)
    assert page.evaluate("window.shift") < 0.02


def test_everything_is_reached_by_keyboard(stage: Stage, page: Page) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset())
    expect(page.get_by_role("button", name="Dismiss")).to_be_visible()
    walked = []
    for _ in range(6):
        page.keyboard.press("Tab")
        walked.append(
            page.evaluate(
                "() => { let at = document.activeElement;"
                " while (at.shadowRoot) at = at.shadowRoot.activeElement;"
                " return [at.textContent, getComputedStyle(at).outlineStyle]; }"
            )
        )
    assert walked == [
        [text, "solid"]
        for text in (
            "Deutsch",
            "Dark",
            "Dismiss",
            "That’s wrong",
            "Customer objects",
            "What is measured, and what is not",
        )
    ]
    page.keyboard.press("Enter")
    expect(page.get_by_text("nothing is recorded")).to_be_visible()


def test_another_page_embeds_it_in_its_own_colours(page: Page) -> None:
    """Chromium asks whether a page from elsewhere may reach this machine: here it may."""
    desk = "https://desk.example.com"
    page.context.grant_permissions(["local-network-access"], origin=desk)
    with Stage(desk) as stage:
        html = f"""<!doctype html><title>Desk</title>
          <style>emotion-panel {{ --accent: rgb(0, 79, 159) }}</style>
          <script type="module" src="{stage.url}/static/emotion-panel.js"></script>
          <emotion-panel lang="de" call-id="{CALL}"></emotion-panel>"""
        page.route(f"{desk}/", lambda route: route.fulfill(body=html, content_type="text/html"))
        stage.open(live(CALL))
        page.goto(desk)
        stage.tell(upset(3.0, sequence=4), trend(CALL, 5.0, 0.5))
        expect(page.locator("emotion-panel h2")).to_have_text("Klingt verärgert")
        line = page.locator("emotion-panel .trend path.line")
        expect(line).to_have_css("stroke", "rgb(0, 79, 159)")
        page.get_by_role("button", name="Stimmt nicht").click()
        expect(page.locator("emotion-panel .verdict .answer")).to_have_text(
            "Als falsch gemeldet. Danke!"
        )
        assert stage.service.heard == [("feedback", CALL, "4", "VERDICT_WRONG")]
        page.goto("about:blank")


def test_a_call_without_a_customer_says_so(stage: Stage, page: Page) -> None:
    state = live(CALL)
    del state.legs[0]
    stage.open(state)
    agent(page, stage, CALL)
    expect(page.locator("emotion-panel h2")).to_have_text("Not assessed")
    expect(page.locator("emotion-panel .note")).to_contain_text("no customer on the line")


def test_without_a_call_the_page_asks_for_one_and_offers_nothing(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/agent?lang=en")
    expect(page.locator("main")).to_have_text(re.compile("lacks the call"))
    expect(page.locator("emotion-panel")).to_have_count(0)
    page.locator("button.language").click()
    expect(page.locator("main")).to_have_text(re.compile("fehlt das Gespräch"))


@pytest.mark.parametrize(
    ("story", "note"), [(STORY, "The summary is below."), (pb.Text(), "")], ids=["told", "nothing"]
)
def test_a_summary_is_promised_where_there_is_one(
    stage: Stage, page: Page, story: pb.Text, note: str
) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(ended(CALL, 92.0, story, {}))
    expect(page.locator("emotion-panel h2")).to_have_text("Call ended")
    expect(page.locator("emotion-panel .note")).to_have_text(note)


def test_the_customer_who_needs_somebody_most_is_shown(stage: Stage, page: Page) -> None:
    """And each keeps a course of their own."""
    state = live(CALL)
    state.legs.add(leg="second", party=pb.PARTY_CUSTOMER)
    stage.open(state)
    agent(page, stage, CALL)
    word = page.locator("emotion-panel h2")
    figure = page.locator("emotion-panel .trend .figure")
    stage.tell(cue(CALL, "NEUTRAL", 3.0, sequence=0, confidence=0.8), both_trend(5.0, 0.2, 0.9))
    expect(word).to_have_text("Sounds matter-of-fact")
    expect(figure).to_contain_text("0.2")
    stage.tell(cue(CALL, "AGITATED", 6.0, sequence=1, leg="second", confidence=0.8))
    expect(word).to_have_text("Sounds upset")
    expect(figure).to_contain_text("0.9")
    line = page.locator("emotion-panel .trend .line").get_attribute("d")
    assert line is not None
    assert "L" not in line  # one point: the other customer's is not joined to it
    stage.tell(cue(CALL, "AGITATED", 7.0, sequence=2, confidence=0.8))
    expect(figure).to_contain_text("0.2")  # who was declared first, of two alike


def both_trend(seconds: float, first: float, second: float) -> pb.Trend:
    told = trend(CALL, seconds, first)
    told.legs.add(leg="second", talk_share=0.1, arousal=second)
    return told


@pytest.mark.parametrize("skill", ["constructor", "team_gold"])
def test_a_skill_has_the_name_that_the_rules_give_it(stage: Stage, page: Page, skill: str) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    told = advice(CALL, 3.0, 60.0)
    told.action, told.skill = pb.ADVICE_ACTION_REQUIRE_SKILL, skill
    stage.tell(told)
    expected = f"Pass on to: {skill.replace('_', ' ')}"
    expect(page.locator("emotion-panel .action")).to_have_text(expected)
