"""Structured logs on stderr, without anything a caller said, sent or is called.

Our own events carry figures and words of this package only. What libraries log, and every
exception nobody caught, is reduced to a type and a place: its text might quote a caller.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from emotion_service.config import LogFormat


def configure(log_format: LogFormat) -> None:
    """From here on all logs of the process, those of its libraries too, are written this way."""
    text = log_format is LogFormat.TEXT or (log_format is LogFormat.AUTO and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if text
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_wordless)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_without_text, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = lambda it: _log_uncaught(it.exc_type, it.exc_value, it.exc_traceback)
    threading.excepthook = lambda it: _log_uncaught(it.exc_type, it.exc_value, it.exc_traceback)


def watch_loop() -> None:
    """Has the running loop log what goes wrong in its tasks and callbacks by type and place."""
    asyncio.get_running_loop().set_exception_handler(_log_loop_error)


def place_of(error: BaseException) -> dict[str, str]:
    """Type, file and line of an error, for a log: its message might quote a caller."""
    return _place(type(error), error.__traceback__)


def _place(kind: type[BaseException], trace: TracebackType | None) -> dict[str, str]:
    frames = traceback.extract_tb(trace)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
    return {"error": kind.__name__, "place": place}


def _wordless(record: logging.LogRecord) -> bool:
    """Takes a library's words out of its record: they may not even fit each other, and then the
    standard library would print them as they are. Our own are no text yet."""
    if not isinstance(record.msg, dict):
        record.msg, record.args = "", None
    return True


def _without_text(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A library's record: its logger's name, and where it failed."""
    record: logging.LogRecord = event["_record"]
    reduced: dict[str, Any] = {"_record": record, "_from_structlog": False}
    reduced |= {"event": "a library logged", "logger": record.name, "line": record.lineno}
    if record.exc_info and record.exc_info[0] is not None:
        reduced |= _place(record.exc_info[0], record.exc_info[2])
        record.exc_info = record.exc_text = None
    return reduced


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    structlog.get_logger().critical("nobody caught this", **_place(kind, trace))


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log = structlog.get_logger()
    log.error("a task failed", **(place_of(error) if isinstance(error, BaseException) else {}))
