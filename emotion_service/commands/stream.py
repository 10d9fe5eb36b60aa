"""`stream`: plays a recorded call into a server and shows what it says."""

from __future__ import annotations

import asyncio
import sys

from rich.console import Console

from emotion_service.client import EmotionClient, Refused
from emotion_service.console.call_view import new_view
from emotion_service.console.display import Display, JsonLines, LiveDisplay, TextLines
from emotion_service.console.lines import nothing_scored
from emotion_service.console.truth import Truth
from emotion_service.playback import RecordedCall, play
from emotion_service.v1 import emotion_service_pb2 as pb


def stream(recorded: RecordedCall, server: str, truth: Truth | None, json: bool) -> None:
    """Streams the call to its end.

    Raises:
        ServerUnreachable, Refused: from the server.
    """
    display = _display(recorded, truth, json)
    with display:
        summary = asyncio.run(_stream(recorded, server, display))
    say_if_nothing_was_scored(summary, json)


def say_if_nothing_was_scored(summary: pb.CallSummary, json: bool) -> None:
    """And why, and what to do. Beside JSON it goes to stderr."""
    sentence = nothing_scored(summary)
    if sentence:
        print(sentence, file=sys.stderr if json else sys.stdout)


def _display(recorded: RecordedCall, truth: Truth | None, json: bool) -> Display:
    if json:
        return JsonLines()
    console = Console()
    if not console.is_terminal:
        return TextLines(truth.remark() if truth is not None else "")
    view = new_view(recorded.config, recorded.duration_seconds, truth)
    return LiveDisplay(view, console)


async def _stream(recorded: RecordedCall, server: str, display: Display) -> pb.CallSummary:
    summary: pb.CallSummary | None = None
    async with EmotionClient(server) as client, client.open_call(recorded.config) as call:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(play(call, recorded, display.at))
                async for response in call.events():
                    display.take(response)
                    if response.HasField("summary"):
                        summary = response.summary
        except ExceptionGroup as both:  # sender and listener hear of the same end
            raise both.exceptions[0] from None
    if summary is None:
        raise Refused("OK", "", f"The server at {server} ended the call without a summary.")
    return summary
