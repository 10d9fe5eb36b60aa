"""The supervisor's wall in a real browser: who comes first, and many calls at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.panel_calls import advice, cue, ended, live, trend
from benchmarks.panel_stage import Stage
from benchmarks.wall import watched
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.panel.browser import wall

ROWS_A_FRAME = 15  # that wall.js may touch in one frame
WATCH_WALL = """() => {
  window.most = 0;
  const rowOf = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest("li");
  new MutationObserver((records) => {
    const rows = new Set(records.map(({ target }) => rowOf(target)).filter(Boolean));
    window.most = Math.max(window.most, rows.size);
  }).observe(document.querySelector(".rows"),
    { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def shown(page: Page) -> list[str]:
    """The calls on the wall, from top to bottom."""
    hrefs = page.locator(".rows li a").evaluate_all("all => all.map(a => a.href)")
    return [href.rpartition("=")[2] for href in hrefs]


def first_is(page: Page, call_id: str) -> None:
    expect(page.locator(".rows a").first).to_have_attribute("href", re.compile(f"{call_id}$"))


def state(call_id: str, kind: str, start: float, **sides: float) -> pb.CallState:
    """A call in this state since `start`, now 100 s old."""
    call = live(call_id, 100.0, queue="billing" if call_id < "c-4" else "sales")
    call.legs[0].cue.CopyFrom(cue(call_id, kind, 100.0, start=start, confidence=0.8))
    for beside, index in sides.items():
        call.legs[0].further.append(cue(call_id, beside.upper(), 100.0, start=90.0, index=index))
    return call


def six(stage: Stage) -> None:
    stage.open(state("c-1", "NEUTRAL", 5.0))
    stage.open(state("c-2", "AGITATED", 60.0))
    stage.open(state("c-3", "DISTRESSED", 10.0))
    stage.open(state("c-4", "HAPPY", 5.0, urgent=0.7))
    stage.open(state("c-5", "AGITATED", 20.0))
    stage.open(state("c-6", "NEUTRAL", 5.0, curt=0.7))


def test_who_needs_somebody_comes_first_and_the_longest_before_the_others(
    stage: Stage, page: Page
) -> None:
    six(stage)
    wall(page, stage)
    expect(page.locator(".rows li").first).to_contain_text("Sounds upset")
    expect(page.locator(".rows li")).to_have_count(6)
    first_is(page, "c-5")
    assert shown(page) == ["c-5", "c-2", "c-6", "c-4", "c-3", "c-1"]


def test_a_row_says_in_words_what_matters(stage: Stage, page: Page) -> None:
    stage.open(state("c-1", "AGITATED", 70.0, urgent=0.7))
    wall(page, stage)
    stage.tell(
        trend("c-1", 95.0, 0.4),
        trend("c-1", 100.0, 0.8),
        cue("c-1", "DEAD_AIR", 101.0, leg="agent"),
        advice("c-1", 100.0, 200.0),
    )
    row = page.locator(".rows li")
    expect(row.locator(".mood")).to_have_text("Sounds upset30 s")
    expect(row.locator(".open .chip")).to_have_text(["In a hurry", "Silence"])
    expect(row.locator(".advice")).to_have_text("Bring in a supervisor")
    expect(row.locator(".queue")).to_have_text("billing")
    expect(row.locator(".line")).to_have_attribute("d", "M117.0 14.2h1L120.0 5.4")
    expect(page.locator(".counts li")).to_have_text(["1 upset"])


def test_a_row_keeps_the_focus_when_it_moves(stage: Stage, page: Page) -> None:
    page.clock.install()
    six(stage)
    wall(page, stage)
    first_is(page, "c-5")
    last = page.locator('.rows a[href$="c-1"]')
    last.focus()
    stage.tell(cue("c-1", "AGITATED", 101.0, start=1.0, confidence=0.9))
    expect(last).to_contain_text("Sounds upset")
    page.clock.fast_forward(4000)
    first_is(page, "c-1")
    expect(last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator('.rows a[href$="c-5"]')).to_be_focused()


def test_the_queue_stands_in_the_address(stage: Stage, page: Page) -> None:
    six(stage)
    wall(page, stage, "lang=en&queue=sales")
    expect(page.locator(".total")).to_have_text("3")
    expect(page.locator(".rows li")).to_have_count(3)
    assert set(shown(page)) == {"c-4", "c-5", "c-6"}
    page.get_by_label("Queue").select_option("billing")
    expect(page.locator('.rows a[href$="c-4"]')).to_have_count(0)
    expect(page.locator(".rows li")).to_have_count(3)
    assert set(shown(page)) == {"c-1", "c-2", "c-3"}
    expect(page.locator(".total")).to_have_text("3")
    assert page.url.endswith("queue=billing")
    page.get_by_label("Queue").select_option("")
    expect(page.locator(".total")).to_have_text("6")
    assert "queue" not in page.url


def test_a_call_opens_at_the_side_and_closes_again(stage: Stage, page: Page) -> None:
    six(stage)
    wall(page, stage)
    row = page.locator('.rows a[href$="c-2"]')
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator("aside emotion-panel h2")).to_have_text("Sounds upset")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("aside")).to_be_hidden()
    expect(row).to_be_focused()


def test_what_ended_leaves_and_a_snapshot_replaces_what_was_known(stage: Stage, page: Page) -> None:
    page.clock.install()
    six(stage)
    wall(page, stage)
    expect(page.locator(".rows li")).to_have_count(6)
    stage.tell(ended("c-3", 101.0, pb.Text(english="Done.", german="Fertig."), {}))
    expect(page.locator('.rows li:has(a[href$="c-3"])')).to_contain_text("Call ended")
    page.clock.fast_forward(8000)
    page.clock.fast_forward(4000)
    expect(page.locator(".rows li")).to_have_count(5)
    stage.forget("c-6")
    stage.cut()
    expect(page.locator(".rows li")).to_have_count(4)


def test_what_cannot_be_heard_is_said(stage: Stage, page: Page) -> None:
    wall(page, stage, "lang=de")
    expect(page.locator("main > .none")).to_have_text("Zurzeit laufen keine Gespräche.")
    stage.cut()
    expect(page.locator("header .link")).to_contain_text("Verbindung unterbrochen · Stand")


@pytest.mark.parametrize(
    ("current", "wanted", "fewest"),
    [
        ("abcdef", "fabcde", 1),
        ("abcdef", "bcdefa", 1),
        ("abcdef", "abcdef", 0),
        ("abcdef", "abxcdefy", 2),
        ("", "abc", 3),
        ("cab", "xabcy", 3),
    ],
)
def test_the_fewest_rows_move(
    stage: Stage, page: Page, current: str, wanted: str, fewest: int
) -> None:
    page.goto(stage.url)
    moved = page.evaluate(
        """async ([current, wanted]) => {
          const { moves } = await import("/static/wall-order.js");
          const found = moves([...current], [...wanted]);
          const order = [...current];
          for (const [id, behind] of found) {
            if (order.includes(id)) order.splice(order.indexOf(id), 1);
            order.splice(behind === null ? 0 : order.indexOf(behind) + 1, 0, id);
          }
          return [found.length, order.join("")];
        }""",
        [current, wanted],
    )
    assert moved == [fewest, wanted]


def test_only_the_chosen_queue_is_ever_shown(stage: Stage, page: Page) -> None:
    stage.open(live("c-0", 10.0, queue="sales"))
    wall(page, stage, "lang=en&queue=sales")
    expect(page.locator(".rows li")).to_have_count(1)
    page.evaluate(
        """() => {
          window.most = 0;
          const look = () => {
            const rows = document.querySelectorAll(".rows li");
            window.most = Math.max(window.most, rows.length);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    for number in range(1, 101):
        stage.open(live(f"c-{number}", 10.0, queue="billing"))
    stage.open(live("c-101", 10.0, queue="sales"))
    expect(page.locator(".rows li")).to_have_count(2)
    page.wait_for_function("window.most >= 2")
    assert page.evaluate("window.most") == 2


def test_the_focus_goes_on_when_its_row_leaves_the_queue(stage: Stage, page: Page) -> None:
    for number in range(3):
        stage.open(live(f"c-{number}", 10.0, queue="sales"))
    wall(page, stage, "lang=en&queue=sales")
    expect(page.locator(".rows li")).to_have_count(3)
    page.locator('.rows a[href$="c-1"]').focus()
    stage.open(live("c-1", 11.0, queue="billing"))
    expect(page.locator(".rows li")).to_have_count(2)
    expect(page.locator('.rows a[href$="c-2"]')).to_be_focused()


def test_a_call_that_begins_anew_with_the_service_is_another_call(stage: Stage, page: Page) -> None:
    stage.open(live("c-1", 3000.0))
    wall(page, stage)
    stage.tell(trend("c-1", 3000.0, 0.9))
    expect(page.locator(".rows .clock")).to_have_text("50:00")
    stage.forget("c-1")
    stage.open(live("c-1", 0.0))
    stage.cut()
    expect(page.locator(".rows .clock")).to_have_text("0:00")
    stage.tell(trend("c-1", 5.0, 0.5))
    expect(page.locator(".rows .line")).to_have_attribute("d", re.compile(r"^M[^ML]*$"))


def test_the_course_of_who_objected_does_not_come_back_at_the_end(stage: Stage, page: Page) -> None:
    stage.open(live("c-1"))
    wall(page, stage)
    stage.tell(*(trend("c-1", 5.0 * step, 0.8) for step in range(1, 5)))
    line = page.locator(".rows .line")
    expect(line).to_have_attribute("d", re.compile("L"))
    stage.open(live("c-1", 21.0, reason="CONSENT_WITHDRAWN"))
    expect(line).to_have_attribute("d", "")
    stage.tell(ended("c-1", 25.0, pb.Text(english="Done.", german="Fertig."), {}))
    expect(page.locator(".rows .word")).to_have_text("Call ended")
    expect(line).to_have_attribute("d", "")


@pytest.mark.parametrize("again", ["button.language", ".rows a"])
def test_the_panel_at_the_side_keeps_its_course(stage: Stage, page: Page, again: str) -> None:
    stage.open(live("c-1", 100.0))
    wall(page, stage)
    page.locator(".rows a").click()
    counts = page.locator("emotion-panel .counts dd").first
    expect(page.locator("emotion-panel .link")).to_have_attribute("data-link", "live")
    stage.tell(*(cue("c-1", "TALK_OVER", 110.0 + each, leg="agent") for each in range(3)))
    expect(counts).to_contain_text("Agent 3")
    page.locator(again).click()
    expect(page.locator("aside h2").first).to_be_visible()
    stage.tell(cue("c-1", "TALK_OVER", 120.0, leg="agent"))
    expect(counts).to_contain_text("Agent 4")


def test_rows_out_of_sight_are_kept_up_to_date_too(stage: Stage, page: Page) -> None:
    for number in range(40):
        stage.open(state(f"c-{number:02d}", "NEUTRAL", 5.0))
    wall(page, stage)
    words = page.locator(".rows li .word")
    expect(words).to_have_text(["Sounds matter-of-fact"] * 40)
    stage.tell(cue("c-39", "HAPPY", 101.0, start=100.0, confidence=0.9))
    expect(words.last).to_have_text("Sounds pleased")
    expect(words.last).not_to_be_in_viewport()


def test_the_wall_reaches_down_as_far_as_somebody_looks(stage: Stage, page: Page) -> None:
    for number in range(100):
        stage.open(state(f"c-{number:02d}", "NEUTRAL", 5.0))
    wall(page, stage)
    rows, more = page.locator(".rows li"), page.locator("main > .more")
    expect(more).to_have_text("Show more (60 further calls)")
    expect(rows).to_have_count(40)
    expect(page.locator(".total")).to_have_text("100")
    rows.last.scroll_into_view_if_needed()
    page.mouse.wheel(0, 5000)
    expect(rows).to_have_count(80)
    more.click()
    expect(rows).to_have_count(100)
    expect(more).to_be_hidden()
    assert shown(page) == [f"c-{number:02d}" for number in range(100)]


def test_whoever_the_wall_does_not_reach_comes_up_when_in_need(stage: Stage, page: Page) -> None:
    page.clock.install()
    for number in range(60):
        stage.open(state(f"c-{number:02d}", "NEUTRAL", 5.0))
    wall(page, stage)
    rows = page.locator(".rows li")
    expect(rows).to_have_count(40)
    stage.tell(cue("c-59", "AGITATED", 101.0, start=100.0, confidence=0.9))
    expect(page.locator(".counts .agitated")).to_have_text("1 upset")
    page.clock.fast_forward(4000)
    first_is(page, "c-59")
    expect(rows).to_have_count(40)
    assert shown(page) == ["c-59", *(f"c-{number:02d}" for number in range(39))]
    stage.tell(cue("c-59", "NEUTRAL", 102.0, start=101.0, confidence=0.9))
    page.clock.fast_forward(4000)
    expect(page.locator('.rows a[href$="c-59"]')).to_have_count(0)
    expect(rows.last).to_contain_text("c-39")


def crowded(stage: Stage, page: Page, count: int = 60) -> None:
    """A wall of c-00, c-01, … whom nothing presses, and with a page's clock that stands."""
    page.clock.install()
    for number in range(count):
        stage.open(state(f"c-{number:02d}", "NEUTRAL", 5.0))
    wall(page, stage)
    expect(page.locator("main > .more")).to_have_text(f"Show more ({count - 40} further calls)")
    expect(page.locator(".rows li")).to_have_count(40)


def push_down(stage: Stage, page: Page) -> None:
    """A call from below needs somebody: who was the last that the wall reached is so no more."""
    stage.tell(cue("c-59", "AGITATED", 101.0, start=100.0, confidence=0.9))
    expect(page.locator(".counts .agitated")).to_have_text("1 upset")
    page.clock.fast_forward(4000)
    first_is(page, "c-59")


def test_the_focused_and_the_open_call_stay_where_the_wall_reaches_no_more(
    stage: Stage, page: Page
) -> None:
    crowded(stage, page)
    last = page.locator('.rows a[href$="c-39"]')
    last.evaluate("(link) => link.focus({ preventScroll: true })")
    push_down(stage, page)
    expect(last).to_be_focused()
    last.evaluate("(link) => link.click()")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.clock.fast_forward(4000)
    expect(last).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(last).to_be_focused()


def test_what_ended_stays_a_while_though_nothing_presses_any_more(stage: Stage, page: Page) -> None:
    crowded(stage, page)
    push_down(stage, page)
    stage.tell(ended("c-59", 102.0, pb.Text(english="Done.", german="Fertig."), {}))
    row = page.locator('.rows li:has(a[href$="c-59"])')
    expect(row).to_contain_text("Call ended")
    page.clock.fast_forward(4000)
    first_is(page, "c-00")
    expect(row).to_have_count(1)
    page.clock.fast_forward(4000)
    page.clock.fast_forward(4000)
    expect(row).to_have_count(0)


def test_under_a_moving_pointer_new_calls_come_at_the_end(stage: Stage, page: Page) -> None:
    six(stage)
    wall(page, stage)
    first_is(page, "c-5")
    expect(page.locator(".rows li")).to_have_count(6)  # all are there: a new one is the only one
    page.evaluate(
        """() => {
          const rows = document.querySelector(".rows");
          const move = () => rows.dispatchEvent(new PointerEvent("pointermove"));
          move();
          window.pointing = setInterval(move, 50);
        }"""
    )
    stage.open(state("c-7", "AGITATED", 1.0))
    expect(page.locator(".rows li")).to_have_count(7)
    assert shown(page)[-1] == "c-7"
    page.evaluate("clearInterval(window.pointing)")
    first_is(page, "c-7")


def test_the_focus_does_not_go_with_the_button(stage: Stage, page: Page) -> None:
    crowded(stage, page)
    page.locator("main > .more").focus()
    expect(page.locator(".rows li")).to_have_count(60)
    expect(page.locator('.rows a[href$="c-59"]')).to_be_focused()


def test_another_queue_begins_at_its_top(stage: Stage, page: Page) -> None:
    for number in range(100):
        stage.open(live(f"c-{number}", 10.0, queue="sales" if number < 90 else "billing"))
    wall(page, stage)
    rows = page.locator(".rows li")
    expect(rows).to_have_count(40)
    page.get_by_label("Queue").select_option("sales")
    expect(page.locator("main > .more")).to_have_text("Show more (50 further calls)")
    expect(rows).to_have_count(40)


def test_the_border_is_no_call(stage: Stage, page: Page) -> None:
    crowded(stage, page)
    page.locator(".rows").dispatch_event("click")
    expect(page.locator("aside")).to_be_hidden()
    page.locator(".rows a").first.click()
    expect(page.locator("aside")).to_be_visible()


def test_500_calls_are_shown_a_few_rows_a_frame(
    stage: Stage, page: Page, chromium: Browser
) -> None:
    """How long a frame takes then is `benchmarks/wall.py`'s to say: a host that does other things
    too adds up to a second to any task."""
    wall(page, stage)
    page.evaluate(WATCH_WALL)
    tasks, events = watched(chromium, page, stage, calls=500, seconds=8)
    expect(page.locator(".total")).to_have_text("500")
    expect(page.locator(".rows li")).to_have_count(40)
    assert 0 < page.evaluate("window.most") <= ROWS_A_FRAME
    assert len(tasks) > 0 < events


def test_escape_in_a_question_leaves_the_panel_open(stage: Stage, page: Page) -> None:
    stage.open(live("c-1"))
    wall(page, stage)
    page.locator(".rows a").click()
    ask = page.get_by_role("button", name="Customer objects")
    ask.click()
    page.keyboard.press("Escape")
    expect(ask).to_be_focused()
    expect(page.locator("aside")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("aside")).to_be_hidden()
