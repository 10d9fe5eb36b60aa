"""Logs: one JSON object a line, and nothing in it that a caller said, sent or is called."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import warnings
from typing import Any

import pytest
import structlog

from emotion_service import logs
from emotion_service.config import LogFormat

SECRET = "what a caller said"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Any:
    """What was logged, parsed; nothing else may have been written."""

    def lines() -> list[dict[str, Any]]:
        out, err = capsys.readouterr()
        assert out == ""
        assert SECRET not in err
        return [json.loads(line) for line in err.splitlines()]

    return lines


def fail() -> None:
    raise ValueError(SECRET)


def test_our_events_are_json_with_their_level_and_time(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    structlog.get_logger().info("ready", port=50051)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "ready", "level": "info", "port": 50051}


def test_auto_is_json_where_there_is_no_terminal(lines: Any) -> None:
    logs.configure(LogFormat.AUTO)
    structlog.get_logger().info("ready")
    assert [line["event"] for line in lines()] == ["ready"]


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogFormat.TEXT)
    structlog.get_logger().warning("tls files unusable", error="OSError")
    logging.getLogger("grpc").error(SECRET)
    error = capsys.readouterr().err
    assert "tls files unusable" in error
    assert "error=OSError" in error
    assert SECRET not in error
    assert len(error.splitlines()) == 2
    assert "\x1b" not in error


def test_auto_is_text_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    logs.configure(LogFormat.AUTO)
    structlog.get_logger().info("ready")
    error = capsys.readouterr().err
    assert "ready" in error
    assert not error.startswith("{")


def test_a_librarys_record_is_reduced_to_its_logger_and_line(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    logging.getLogger("grpc._cython").error("call %s by %s", SECRET, SECRET, stack_info=True)
    logging.getLogger("grpc._cython").warning(SECRET, extra={"call_id": SECRET})
    logging.getLogger("grpc._cython").warning("%d", SECRET)  # is no number
    one, two, three = lines()
    for line, level in ((one, "error"), (two, "warning"), (three, "warning")):
        assert isinstance(line.pop("line"), int)
        line.pop("timestamp")
        assert line == {"event": "a library logged", "level": level, "logger": "grpc._cython"}


def test_a_librarys_exception_is_reduced_to_type_and_place(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    try:
        fail()
    except ValueError:
        logging.getLogger("asyncio").exception(SECRET)
        logging.getLogger("asyncio").error(SECRET, exc_info=True)
    for line in lines():
        assert line["error"] == "ValueError"
        assert line["place"] == f"{__file__}:{fail.__code__.co_firstlineno + 1}"
        assert "exc_info" not in line
        assert "exception" not in line


def test_exception_info_without_an_exception_is_no_error(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    logging.getLogger("grpc").error(SECRET, exc_info=True)
    (line,) = lines()
    assert "error" not in line


def test_debug_chatter_is_not_logged(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    logging.getLogger("asyncio").debug(SECRET)
    assert lines() == []


async def test_a_failed_task_is_logged_by_type_and_place(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    logs.watch_loop()

    async def task() -> None:
        fail()

    asyncio.get_running_loop().call_soon(fail)
    failing = asyncio.create_task(task(), name=SECRET)
    await asyncio.wait([failing])
    del failing
    await asyncio.sleep(0)
    place = f"{__file__}:{fail.__code__.co_firstlineno + 1}"
    for line in lines():
        line.pop("timestamp")
        assert line == {
            "event": "a task failed",
            "level": "error",
            "error": "ValueError",
            "place": place,
        }


async def test_a_loop_error_without_an_exception_is_logged_too(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    logs.watch_loop()
    asyncio.get_running_loop().call_exception_handler({"message": SECRET})
    assert [line["event"] for line in lines()] == ["a task failed"]


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert logs.place_of(ValueError(SECRET)) == {"error": "ValueError", "place": "unknown"}


def test_warnings_do_not_get_past_the_logs(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(SECRET, stacklevel=1)
    assert [line["event"] for line in lines()] == ["a library logged"]


def test_what_nobody_caught_is_logged_by_type_and_place(lines: Any) -> None:
    logs.configure(LogFormat.JSON)
    thread = threading.Thread(target=fail, name=SECRET)
    thread.start()
    thread.join()

    class Unfinished:
        def __del__(self) -> None:
            fail()

    Unfinished()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    three = lines()
    assert [line["event"] for line in three] == 3 * ["nobody caught this"]
    place = f"{__file__}:{fail.__code__.co_firstlineno + 1}"
    assert [(line["error"], line["place"]) for line in three] == 3 * [("ValueError", place)]
