"""Where a command shows what it hears: JSON lines, lines of text, or the live view."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console

from emotion_service.console.call_view import CallView
from emotion_service.console.lines import response_lines, summary_lines
from emotion_service.console.terminal import live_view
from emotion_service.fronts.wire import to_json_line
from emotion_service.v1 import emotion_service_pb2 as pb

REFRESH_SECONDS = 0.125


class Display(Protocol):
    """Shows one call while it is sent."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def at(self, seconds: float) -> None:
        """So much audio has been sent."""

    def take(self, response: pb.StreamingAnalyzeResponse) -> None:
        """The service said this."""


class _Lines:
    """What JSON and text have in common: nothing to open, close or animate."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.stdout.flush()

    def at(self, seconds: float) -> None:
        pass


class JsonLines(_Lines):
    """Every message, as proto-JSON."""

    def take(self, response: pb.StreamingAnalyzeResponse) -> None:
        print(to_json_line(response), flush=True)


class TextLines(_Lines):
    """What a person wants to read of them; `remark` comes first."""

    def __init__(self, remark: str = "") -> None:
        if remark:
            print(remark)

    def take(self, response: pb.StreamingAnalyzeResponse) -> None:
        for line in response_lines(response):
            print(line, flush=True)


class LiveDisplay:
    """The live view; the summary stands below its last picture."""

    def __init__(self, view: CallView, console: Console) -> None:
        self._view = view
        self._console = console
        self._live = live_view(view, console)
        self._refreshed = 0.0
        self._summary: pb.CallSummary | None = None

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)
        for line in summary_lines(self._summary) if self._summary is not None else ():
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def at(self, seconds: float) -> None:
        self._view.elapsed = seconds
        if time.monotonic() - self._refreshed >= REFRESH_SECONDS:
            self._refreshed = time.monotonic()
            self._live.refresh()

    def take(self, response: pb.StreamingAnalyzeResponse) -> None:
        self._view.take(response)
        if response.HasField("summary"):
            self._summary = response.summary
