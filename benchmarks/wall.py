"""How long the supervisor wall keeps a browser's main thread busy with many calls.

usage: python -m benchmarks.wall [--calls 500] [--seconds 20] [--out FILE.json]

A task that takes longer than 50 ms is felt: a click waits for it. Chromium's own trace says of
every task how long it took, and how much of that the processor worked on it: on a machine that
does other things too, only the second is the page's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.command import command
from benchmarks.machine import this_machine
from benchmarks.panel_crowd import Crowd
from benchmarks.panel_stage import Stage
from benchmarks.report import write

FELT_MS = 50.0
CATEGORIES = ["toplevel"]
TASK = "ThreadControllerImpl::RunTask"
MAIN_THREAD = "CrRendererMain"


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a page's main thread, in milliseconds by the clock and of the processor."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class WallFigures:
    """One measurement; `events`: what the calls told meanwhile."""

    calls: int
    seconds: int
    events: int
    tasks: int
    longest_cpu_ms: float
    felt_cpu: int  # tasks over 50 ms
    longest_wall_ms: float
    felt_wall: int
    busy_cpu: float  # of the main thread's time
    load_average: float  # of the machine, at the end


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with sync_playwright() as playwright, Stage() as stage:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(stage.url)
        page.wait_for_selector('[data-link="live"]')
        tasks, events = watched(browser, page, stage, given.calls, given.seconds)
        browser.close()
    found = figures(tasks, given.calls, given.seconds, events)
    for name, value in asdict(found).items():
        print(f"{name:18} {value:10.1f}" if isinstance(value, float) else f"{name:18} {value:8}")
    if given.out:
        write(given.out, {"machine": asdict(this_machine()), "wall": asdict(found)})


def watched(
    browser: Browser, page: Page, stage: Stage, calls: int, seconds: int
) -> tuple[list[Task], int]:
    """The tasks of a wall on which so many calls arrive, with a minute behind them, and go on for
    so many seconds; and how many events they told."""
    browser.start_tracing(page=page, categories=CATEGORIES)
    crowd = Crowd(stage, calls)
    crowd.open(history=60)
    events = 0
    for _ in range(seconds):
        events += crowd.second()
        page.wait_for_timeout(1000)
    return main_thread_tasks(browser.stop_tracing()), events


def main_thread_tasks(trace: bytes) -> list[Task]:
    """The tasks in a trace of Chromium, of all pages' main threads."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == MAIN_THREAD
    }
    return [
        Task(event["dur"] / 1000, event.get("tdur", 0) / 1000)
        for event in events
        if event["name"] == TASK and "dur" in event and (event["pid"], event["tid"]) in threads
    ]


def figures(tasks: Sequence[Task], calls: int, seconds: int, events: int) -> WallFigures:
    return WallFigures(
        calls=calls,
        seconds=seconds,
        events=events,
        tasks=len(tasks),
        longest_cpu_ms=max(task.cpu_ms for task in tasks),
        felt_cpu=sum(task.cpu_ms > FELT_MS for task in tasks),
        longest_wall_ms=max(task.wall_ms for task in tasks),
        felt_wall=sum(task.wall_ms > FELT_MS for task in tasks),
        busy_cpu=sum(task.cpu_ms for task in tasks) / (1000 * seconds),
        load_average=os.getloadavg()[0],
    )


if __name__ == "__main__":
    command(main)
