"""Takes the pictures of the panel's pages: made-up calls in a real Chromium.

usage: python docs/screenshots.py FOLDER [SCENE...]      without scenes: those of the README
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.panel_calls import EARLIER, advice, cue, ended, live, trend  # noqa: E402
from benchmarks.panel_crowd import Crowd  # noqa: E402
from benchmarks.panel_stage import Stage  # noqa: E402
from emotion_service.v1 import emotion_service_pb2 as pb  # noqa: E402

Scene: TypeAlias = Callable[[Stage, Page], None]

CALL = "c-4711"
PANEL = {"width": 400, "height": 1180}
SCALE = 1.25  # sharp enough, and below 200 KB
WALL = {"width": 1280, "height": 720}
AROUSAL = (0.3, 0.34, 0.31, 0.36, 0.4, 0.33, 0.42, 0.5, 0.47, 0.58, 0.66, 0.63, 0.74, 0.8, 0.78)
STORY = pb.Text(
    english="The customer sounded annoyed. They were interrupted twice by the agent.",
    german="Der Kunde klang verärgert. Er wurde vom Agenten zweimal unterbrochen.",
)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name in sys.argv[2:] or README:
            scene, size = SCENES[name]
            for theme in ("light", "dark"):
                for language in ("en", "de"):
                    out = folder / f"{name}-{theme}-{language}.png"
                    take(browser, scene, size, theme, language, out)
                    print(out, f"{out.stat().st_size // 1024} KB")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def take(
    browser: Browser, scene: Scene, size: dict[str, int], theme: str, language: str, out: Path
) -> None:
    with Stage() as stage:
        page = browser.new_page(viewport=size, color_scheme=theme, device_scale_factor=SCALE)
        page.goto(f"{stage.url}/?lang={language}")
        scene(stage, page)
        page.wait_for_timeout(600)
        page.mouse.move(0, 0)
        page.screenshot(path=out)
        page.close()


# --- the agent's panel ---


def agent(page: Page, stage: Stage) -> None:
    language = page.url.rpartition("=")[2]
    page.goto(f"{stage.url}/agent?call_id={CALL}&lang={language}")
    page.wait_for_selector('emotion-panel [data-link="live"]')


def call(reason: str = "") -> pb.CallState:
    state = live(CALL, 40.0, "billing", "a-07", reason)
    state.hand_over.CopyFrom(STORY)
    state.earlier.append(pb.HandOver(call_id="c-4580", text=EARLIER))
    return state


def talk(stage: Stage) -> None:
    for i, arousal in enumerate(AROUSAL):
        stage.tell(trend(CALL, 5.0 * (i + 1), arousal, 0.58, slope=0.4))
    for at, leg in ((22.0, "customer"), (48.0, "agent"), (61.0, "agent")):
        stage.tell(cue(CALL, "TALK_OVER", at, leg=leg))
        stage.tell(cue(CALL, "TALK_OVER", at + 1, leg=leg, phase="OFFSET"))


def upset(stage: Stage, page: Page) -> None:
    stage.open(call())
    agent(page, stage)
    talk(stage)
    stage.tell(
        cue(
            CALL,
            "AGITATED",
            76.0,
            start=51.0,
            sequence=9,
            confidence=0.82,
            evidence=6.5,
            reasons=("pitch", "pace", "brightness"),
        ),
        cue(CALL, "CURT", 75.0, start=66.0, index=0.64, reasons=("reply_length", "brightness")),
        advice(CALL, 70.0, 118.0),
    )


def neutral(stage: Stage, page: Page) -> None:
    stage.open(call())
    agent(page, stage)
    talk(stage)
    stage.tell(cue(CALL, "NEUTRAL", 76.0, start=12.0, confidence=0.66, evidence=4.0))


def unsure(stage: Stage, page: Page) -> None:
    stage.open(call())
    agent(page, stage)
    stage.tell(cue(CALL, "DISTRESSED", 41.0, confidence=0.56, evidence=2.0, reasons=("pitch",)))


def insufficient(stage: Stage, page: Page) -> None:
    stage.open(call())
    agent(page, stage)
    stage.tell(cue(CALL, "INSUFFICIENT_EVIDENCE", 41.0, abstain="TOO_LITTLE_SPEECH"))


def happy(stage: Stage, page: Page) -> None:
    upset_then = cue(CALL, "HAPPY", 76.0, start=30.0, confidence=0.77, reasons=("pitch",))
    stage.open(call())
    agent(page, stage)
    talk(stage)
    stage.tell(upset_then, cue(CALL, "URGENT", 75.0, index=0.7, reasons=("pace", "reply_delay")))


def not_scored(stage: Stage, page: Page) -> None:
    stage.open(call("CONSENT_PENDING"))
    agent(page, stage)


def dismissed(stage: Stage, page: Page) -> None:
    upset(stage, page)
    page.locator("emotion-panel .ask button").nth(1).click()


def asked(stage: Stage, page: Page) -> None:
    upset(stage, page)
    page.locator("emotion-panel .objection > button").click()
    page.locator("emotion-panel summary").click()
    page.set_viewport_size({"width": 400, "height": 1500})


def objected(stage: Stage, page: Page) -> None:
    asked(stage, page)
    page.locator("emotion-panel .objection .firm").click()


def over(stage: Stage, page: Page) -> None:
    upset(stage, page)
    stage.tell(ended(CALL, 92.0, STORY, {"TALK_OVER": 3, "DEAD_AIR": 1}))


def narrow(stage: Stage, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 1150})
    upset(stage, page)


# --- the supervisor's wall ---


def wall_of(count: int) -> Scene:
    def scene(stage: Stage, page: Page) -> None:
        crowd = Crowd(stage, count, seed=8)
        page.wait_for_selector('[data-link="live"]')
        crowd.open()
        for _ in range(3):
            crowd.second()
        page.wait_for_timeout(12_000)  # until all is told, and put in order

    return scene


def wall_open(stage: Stage, page: Page) -> None:
    wall_of(40)(stage, page)
    page.locator(".rows a").nth(1).click()


def wall_narrow(stage: Stage, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 900})
    wall_of(12)(stage, page)


def nobody(stage: Stage, page: Page) -> None:
    page.wait_for_selector('[data-link="live"]')


SCENES: dict[str, tuple[Scene, dict[str, int]]] = {
    "panel": (upset, PANEL),
    "neutral": (neutral, PANEL),
    "unsure": (unsure, PANEL),
    "insufficient": (insufficient, PANEL),
    "happy": (happy, PANEL),
    "not-scored": (not_scored, PANEL),
    "dismissed": (dismissed, PANEL),
    "asked": (asked, PANEL),
    "objected": (objected, PANEL),
    "ended": (over, PANEL),
    "narrow": (narrow, PANEL),
    "wall": (wall_of(40), WALL),
    "wall-3": (wall_of(3), WALL),
    "wall-500": (wall_of(500), WALL),
    "wall-open": (wall_open, WALL),
    "wall-narrow": (wall_narrow, WALL),
    "wall-empty": (nobody, WALL),
}
README = ("panel", "wall")

if __name__ == "__main__":
    main()
