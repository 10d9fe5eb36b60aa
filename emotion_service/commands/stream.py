"""`stream`: sends a call to a server and shows what it says."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, NoReturn, TypeAlias

from rich.console import Console

from emotion_service.client import ClientTls, EmotionClient, OpenCall, Refused
from emotion_service.console.call_view import CallView, new_view
from emotion_service.console.display import Display, JsonLines, LiveDisplay, TextLines
from emotion_service.console.lines import nothing_scored
from emotion_service.console.truth import Truth
from emotion_service.playback import RecordedCall, play
from emotion_service.v1 import emotion_service_pb2 as pb

Send: TypeAlias = Callable[[OpenCall], Coroutine[Any, Any, None]]


def stream(
    recorded: RecordedCall, server: str, tls: ClientTls | None, truth: Truth | None, json: bool
) -> None:
    """Plays the recorded call to its end.

    Raises:
        ServerUnreachable, Refused: from the server.
    """
    view = new_view(recorded.config, recorded.duration_seconds, truth)
    display = display_of(view, json)
    with display:
        sent = sent_call(
            recorded.config, server, tls, display, lambda call: play(call, recorded, display.at)
        )
        summary = asyncio.run(sent)
    say_if_nothing_was_scored(summary, json)


def say_if_nothing_was_scored(summary: pb.CallSummary, json: bool) -> None:
    """And why, and what to do. Beside JSON it goes to stderr."""
    sentence = nothing_scored(summary)
    if sentence:
        print(sentence, file=sys.stderr if json else sys.stdout)


def display_of(view: CallView, json: bool) -> Display:
    """Where the call is shown: as JSON, live in a terminal, or as lines of text."""
    if json:
        return JsonLines()
    console = Console()
    if not console.is_terminal or console.is_dumb_terminal:
        return TextLines(view.remark)
    signal.signal(signal.SIGTERM, _leave)
    return LiveDisplay(view, console)


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    """Ends as a signal would, but for the cursor, which is shown again."""
    raise SystemExit(128 + signum)


async def sent_call(
    config: pb.CallConfig, server: str, tls: ClientTls | None, display: Display, send: Send
) -> pb.CallSummary:
    """Opens the call; `send` sends it and closes it, while `display` shows what is heard."""
    summary: pb.CallSummary | None = None
    async with EmotionClient(server, tls) as client, client.open_call(config) as call:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(send(call))
                async for response in call.events():
                    display.take(response)
                    if response.HasField("summary"):
                        summary = response.summary
        except ExceptionGroup as both:  # sender and listener hear of the same end
            raise both.exceptions[0] from None
    if summary is None:
        raise Refused("OK", "", f"The server at {server} ended the call without a summary.")
    return summary
