"""Start and stop of the service as a process, and what it refuses to start with."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emotion_service import app
from emotion_service.errors import BadInput, ModelMismatch

START = "import sys; from emotion_service.app import serve; serve(sys.argv[1])"


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("50051", "LISTEN_INVALID"),
        ("127.0.0.1", "LISTEN_INVALID"),
        ("127.0.0.1:http", "LISTEN_INVALID"),
        ("127.0.0.1:65536", "LISTEN_INVALID"),
        ("0.0.0.0:50051", "LISTEN_REMOTE"),
        ("[::]:50051", "LISTEN_REMOTE"),
        ("example.org:50051", "LISTEN_REMOTE"),
    ],
)
def test_addresses_that_are_refused(listen: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        app.serve(listen)
    assert refused.value.reason == reason


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.9.9.9:0", "[::1]:0", "localhost:0"])
def test_loopback_needs_no_flag_and_a_bad_model_stops_the_start(
    listen: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelMismatch):
        app.serve(listen, tmp_path)


def test_other_addresses_are_served_when_allowed(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch):
        app.serve("0.0.0.0:0", tmp_path, allow_remote=True)


@pytest.mark.parametrize("place", ["emotion_service/models", "models"])
def test_the_default_model_is_found_in_a_wheel_and_in_a_checkout(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "__file__", str(tmp_path / "emotion_service" / "app.py"))
    with pytest.raises(ModelMismatch):
        app.default_model_dir()
    folder = tmp_path / place / app.DEFAULT_MODEL
    folder.mkdir(parents=True)
    assert app.default_model_dir() == folder


@contextmanager
def process(listen: str) -> Iterator[subprocess.Popen[str]]:
    """A server process, and its end whatever happens."""
    command = [sys.executable, "-c", START, listen]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_says_when_it_is_ready_and_ends_well(number: signal.Signals) -> None:
    with process("127.0.0.1:0") as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert line.startswith("emotion-service 0.1.0 is ready on 127.0.0.1:"), line
        assert f"model {app.DEFAULT_MODEL}" in line
        assert "licence" in line
        began = time.monotonic()
        server.send_signal(number)
        _, rest = server.communicate(timeout=10)
        assert server.returncode == 0
        assert rest == ""
        assert time.monotonic() - began < app.GRACE_SECONDS


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(BadInput) as refused:
            app.serve(listen)
    assert refused.value.reason == "LISTEN_FAILED"
