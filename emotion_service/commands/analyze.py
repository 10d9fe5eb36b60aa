"""`analyze`: a recording through the same pipeline, without a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from emotion_service import offline
from emotion_service.app import load_scorer
from emotion_service.commands.stream import say_if_nothing_was_scored
from emotion_service.console.display import JsonLines, TextLines
from emotion_service.delivery.notice import Address
from emotion_service.fronts.wire import config_from_proto, event_to_proto
from emotion_service.playback import RecordedCall
from emotion_service.routing import rule_file
from emotion_service.types import EncodedAudio


def analyze(recorded: RecordedCall, model: Path | None, json: bool) -> None:
    """Prints what a server would say of the call, but for latencies.

    Raises:
        BadInput: as a server would refuse it. ModelMismatch: no usable model.
    """
    config = config_from_proto(recorded.config)
    display = JsonLines() if json else TextLines()
    scorer, rules = load_scorer(model), rule_file.load()
    with _progress(json) as progress:
        chunks = _counted(recorded, progress)
        for event in offline.analyze(config, chunks, scorer, rules):
            response = event_to_proto(Address.of(config), config.contact_id, event, None, 0)
            display.take(response)
    say_if_nothing_was_scored(response.summary, json)


def _progress(json: bool) -> Progress:
    """On stderr, for people; not where JSON would run through it."""
    on_one_screen = sys.stdout.isatty()
    console = Console(stderr=True)
    return Progress(
        TextColumn("analysing"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal or (json and on_one_screen),
        redirect_stdout=on_one_screen,
        transient=True,
    )


def _counted(recorded: RecordedCall, progress: Progress) -> Iterator[EncodedAudio]:
    task = progress.add_task("", total=recorded.duration_seconds)
    for chunk in recorded.chunks():
        progress.update(task, completed=chunk.offset_seconds)
        yield chunk
