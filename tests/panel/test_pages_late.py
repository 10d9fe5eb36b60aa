"""The agent's panel, when something comes late, twice, anew or not at all."""

from __future__ import annotations

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from benchmarks.panel_calls import EARLIER, cue, ended, live, trend
from benchmarks.panel_stage import Stage
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.panel.browser import agent

CALL = "c-1"
STORY = pb.Text(english="Upset since minute 1.", german="Seit Minute 1 verärgert.")


class Held:
    """Holds the first answer to `what` back until it is let go; the service has given it."""

    def __init__(self, page: Page, what: str) -> None:
        self._page = page
        self._held: list[tuple[Route, APIResponse]] = []
        page.route(what, self._take)

    def wait(self) -> None:
        while not self._held:
            self._page.wait_for_timeout(10)

    def let_go(self) -> None:
        ((route, answer),) = self._held
        route.fulfill(response=answer)
        self._page.wait_for_timeout(500)  # long enough for what must not happen

    def _take(self, route: Route) -> None:
        if self._held:
            route.continue_()
        else:
            self._held.append((route, route.fetch()))


def upset(seconds: float, sequence: int, phase: str = "ONSET", start: float = 1.0) -> pb.Cue:
    return cue(
        CALL, "AGITATED", seconds, start=start, sequence=sequence, phase=phase, confidence=0.8
    )


def wrong(sequence: int) -> pb.Feedback:
    return pb.Feedback(call_id=CALL, cue_sequence=sequence, verdict=pb.VERDICT_WRONG)


def object_to_it(page: Page) -> None:
    page.get_by_role("button", name="Customer objects").click()
    page.get_by_role("button", name="Yes, stop").click()


def test_an_objection_is_shown_on_the_call_that_it_was_made_on(stage: Stage, page: Page) -> None:
    held = Held(page, "**/objection")
    stage.open(live(CALL))
    stage.open(live("c-2"))
    agent(page, stage, CALL)
    object_to_it(page)
    held.wait()
    page.evaluate("document.querySelector('emotion-panel').setAttribute('call-id', 'c-2')")
    expect(page.locator("emotion-panel .link")).to_have_attribute("data-link", "live")
    stage.tell(cue("c-2", "NEUTRAL", 3.0, confidence=0.8))
    expect(page.locator("emotion-panel h2")).to_have_text("Sounds matter-of-fact")
    held.let_go()
    expect(page.locator("emotion-panel h2")).to_have_text("Sounds matter-of-fact")
    expect(page.get_by_role("button", name="Customer objects")).to_be_visible()


def test_an_answer_from_before_the_objection_brings_nothing_back(stage: Stage, page: Page) -> None:
    state = live(CALL, 30.0)
    state.hand_over.CopyFrom(STORY)
    state.earlier.append(pb.HandOver(call_id="c-0", text=EARLIER))
    stage.open(state)
    agent(page, stage, CALL)
    told = page.locator("emotion-panel .story .told")
    expect(told).to_have_text([EARLIER.english, STORY.english])
    held = Held(page, "**/api/calls/*")
    stage.tell(upset(31.0, 1))
    held.wait()
    state.ClearField("hand_over")
    state.ClearField("earlier")
    object_to_it(page)
    expect(told).to_have_text(["Nothing yet"])
    held.let_go()
    expect(told).to_have_text(["Nothing yet"])


@pytest.mark.parametrize("how", ["broke off", "service restarted"])
def test_a_call_that_begins_anew_under_its_id_is_another_call(
    stage: Stage, page: Page, how: str
) -> None:
    stage.open(live(CALL, 300.0))
    agent(page, stage, CALL)
    stage.tell(
        cue(CALL, "TALK_OVER", 300.0, leg="agent"),
        upset(300.0, 7, start=290.0),
        wrong(7),
        trend(CALL, 300.0, 0.9),
    )
    panel = page.locator("emotion-panel")
    expect(panel.locator(".verdict .answer")).to_contain_text("Marked as wrong")
    if how == "broke off":
        gone = live(CALL, 305.0)
        gone.live = False
        stage.open(gone)
        expect(panel.locator("h2")).to_have_text("Call ended")
        stage.open(live(CALL, 0.0))
    else:
        stage.forget(CALL)
        stage.open(live(CALL, 0.0))
        stage.cut()
    expect(panel.locator(".at")).to_have_text("0:00")
    stage.tell(upset(3.0, 7), trend(CALL, 5.0, 0.5))
    expect(panel.locator("h2")).to_have_text("Sounds upset")
    expect(panel.locator(".link")).to_have_attribute("data-link", "live")
    expect(panel.locator(".trend .figure")).to_contain_text("0.5")
    expect(panel.locator(".counts dd").first).to_have_text("Customer 0 · Agent 0")
    expect(page.get_by_role("button", name="Dismiss")).to_be_visible()
    expect(page.get_by_role("button", name="Customer objects")).to_be_visible()


def test_a_verdict_is_on_the_state_whatever_update_it_was_given_on(
    stage: Stage, page: Page
) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset(3.0, 7), upset(5.0, 8, "UPDATE"), wrong(7))
    state = page.locator("emotion-panel .state")
    expect(state).to_have_attribute("data-verdict", "WRONG")
    stage.tell(upset(7.0, 9, "UPDATE"), trend(CALL, 8.0, 0.5))
    page.locator("button.language").click()
    expect(state.locator(".answer")).to_have_text("Als falsch gemeldet. Danke!")


def test_feedback_that_did_not_arrive_is_said_of_its_state_only(stage: Stage, page: Page) -> None:
    page.route("**/feedback", lambda route: route.abort())
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset(3.0, 7))
    page.get_by_role("button", name="Dismiss").click()
    answer = page.locator("emotion-panel .verdict .answer")
    expect(answer).to_contain_text("did not get through")
    stage.tell(cue(CALL, "NEUTRAL", 9.0, sequence=9, confidence=0.8))
    expect(page.locator("emotion-panel h2")).to_have_text("Sounds matter-of-fact")
    expect(answer).to_have_text("")


def test_two_earlier_calls_of_one_id_are_told_once_each(stage: Stage, page: Page) -> None:
    state = live(CALL, 10.0)
    for text in ("First.", "Second."):
        state.earlier.append(pb.HandOver(call_id=CALL, text=pb.Text(english=text, german="x")))
    stage.open(state)
    agent(page, stage, CALL)
    for step in range(3):
        stage.tell(trend(CALL, 10.0 + 5 * step, 0.1 * step))
        expect(page.locator("emotion-panel .trend .figure")).to_contain_text(f"0.{step}")
    expect(page.locator("emotion-panel li.told")).to_have_text(["Second.", "First."])


def test_a_connection_that_stands_still_is_opened_anew_where_it_stopped(
    stage: Stage, page: Page
) -> None:
    """The made-up service sends no heartbeats."""
    page.clock.install()
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(cue(CALL, "TALK_OVER", 1.0, leg="agent"))
    counts = page.locator("emotion-panel .counts dd").first
    expect(counts).to_have_text("Customer 0 · Agent 1")
    page.clock.fast_forward(10_000)
    stage.tell(cue(CALL, "TALK_OVER", 10.0, leg="agent"))
    expect(counts).to_have_text("Customer 0 · Agent 2")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(11_000)  # not yet: something came meanwhile
    page.wait_for_timeout(200)
    assert not [url for url in asked if "/events" in url]
    with page.expect_request("**/events?*") as again:
        page.clock.fast_forward(10_000)
    assert "last_event_id=1%3A3" in again.value.url
    expect(page.locator("emotion-panel .link")).to_have_attribute("data-link", "live")
    stage.tell(cue(CALL, "TALK_OVER", 31.0, leg="agent"))
    expect(counts).to_have_text("Customer 0 · Agent 3")


def test_an_objection_that_nobody_answers_did_not_get_through(stage: Stage, page: Page) -> None:
    """As with six open streams: the browser has no connection left for it."""
    page.add_init_script(
        "AbortSignal.timeout = ((of) => () => of.call(AbortSignal, 300))(AbortSignal.timeout)"
    )
    page.route("**/objection", lambda route: None)
    stage.open(live(CALL))
    agent(page, stage, CALL)
    object_to_it(page)
    expect(page.locator("emotion-panel .objection .answer")).to_contain_text("did not get through")


def test_an_objection_just_after_the_end_takes_what_was_told_away(stage: Stage, page: Page) -> None:
    """The service says nothing more of a call that has ended."""
    page.route("**/objection", lambda route: route.fulfill(status=204))
    state = live(CALL)
    state.earlier.append(pb.HandOver(call_id="c-0", text=EARLIER))
    stage.open(state)
    agent(page, stage, CALL)
    stage.tell(upset(3.0, 0), trend(CALL, 5.0, 0.7), ended(CALL, 92.0, STORY, {"TALK_OVER": 3}))
    told = page.locator("emotion-panel .story .told")
    expect(told).to_have_text([EARLIER.english, STORY.english])
    expect(page.locator("emotion-panel .trend .figure")).to_contain_text("0.7")
    object_to_it(page)
    expect(page.locator("emotion-panel .objection .answer")).to_contain_text("from now on nothing")
    expect(told).to_have_text(["Nothing yet"])
    expect(page.locator("emotion-panel .trend .figure")).to_have_text("")
    expect(page.locator("emotion-panel .note")).to_have_text("")
    expect(page.locator("emotion-panel .counts dd").first).to_contain_text("Customer 3")


def test_nobody_can_object_on_a_call_of_which_nothing_is_kept(stage: Stage, page: Page) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    gone = live(CALL, 5.0)
    gone.live = False
    stage.open(gone)
    expect(page.locator("emotion-panel h2")).to_have_text("Call ended")
    expect(page.get_by_role("button", name="Customer objects")).to_be_hidden()


def test_the_focus_stays_where_the_verdict_was_asked_for(stage: Stage, page: Page) -> None:
    stage.open(live(CALL))
    agent(page, stage, CALL)
    stage.tell(upset(3.0, 7))
    page.get_by_role("button", name="Dismiss").focus()
    stage.tell(wrong(7))  # by somebody else
    answer = page.locator("emotion-panel .verdict .answer")
    expect(answer).to_contain_text("Marked as wrong")
    expect(answer).to_be_focused()
