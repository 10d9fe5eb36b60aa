"""`demo`: a service, and a client of it that plays a call, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from emotion_service.client import ServerUnreachable
from emotion_service.commands.probe import service_info
from emotion_service.errors import BadInput, EmotionServiceError

CALLS = Path(__file__).parents[2] / "examples" / "demo_calls"
LANGUAGES = {"en": "english", "de": "german"}
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
COMMAND = (sys.executable, "-m", "emotion_service")
# Beside a service that may run already, on a machine that may be busy, read by a person.
SERVICE = ("--metrics-listen", "", "--max-loop-lag-ms", "5000", "--log-format", "text")


def demo(language: str, corpora: Path | None) -> int:
    """Plays the bundled call, or a human one from `corpora`; the exit code of its client.

    Raises:
        BadInput: no call can be found. EmotionServiceError: the service did not start.
    """
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    with tempfile.TemporaryDirectory(prefix="emotion-service-demo-") as folder:
        audio = _bundled(language) if corpora is None else _human(corpora, Path(folder))
        with service() as server:
            print(f"A service runs at {server}; a client of it plays {audio.name}, live:\n")
            sys.stdout.flush()
            code = _run_client(_stream_arguments(audio, server))
    if code == 0:
        print(_next_steps(_bundled_path(language)))
    return code


def _stop(signum: int, frame: FrameType | None) -> NoReturn:
    """Leaves by the way of Python, so that the service is stopped and the folder removed."""
    raise SystemExit(128 + signum)


def _bundled_path(language: str) -> Path:
    return CALLS / f"{LANGUAGES[language]}.flac"


def _bundled(language: str) -> Path:
    audio = _bundled_path(language)
    if not audio.exists():
        raise BadInput(
            "NO_DEMO_CALL",
            f"There is no {audio}: the demo calls come with the source. Run this from a checkout, "
            "or give a call of your own to `emotion-service stream`.",
        )
    return audio


def _human(corpora: Path, folder: Path) -> Path:
    """A call joined from labelled clips, made by a process of its own: it loads training code."""
    audio = folder / "human.flac"
    made = subprocess.run(
        [*COMMAND, "demo-call", "--corpora", str(corpora), "--out", str(audio)], check=False
    )
    if made.returncode:
        raise BadInput(
            "NO_DEMO_CALL",
            f"No demo call could be made from {corpora}; see above, or unset EMOTION_CORPORA "
            "to hear the bundled call.",
        )
    return audio


def _stream_arguments(audio: Path, server: str) -> list[str]:
    return [
        "stream",
        str(audio),
        "--server",
        server,
        "--truth",
        str(audio.with_suffix(".json")),
        "--disclosure-given",
        "--consent",
        "granted",
    ]


def _run_client(arguments: list[str]) -> int:
    client = subprocess.Popen([*COMMAND, *arguments])
    try:
        return client.wait()
    except KeyboardInterrupt:
        client.wait(STOP_SECONDS)  # Ctrl-C reached it as well: it tidies the terminal up
        raise
    finally:
        client.terminate()
        client.wait()


@contextmanager
def service(*options: str) -> Iterator[str]:
    """A service on a free loopback port, ready, with further options of `serve`; stopped at the
    end, whatever happens."""
    server = f"127.0.0.1:{_free_port()}"
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--listen", server, *SERVICE, *options],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the client first; then we stop the service
        )
        try:
            await_ready(process, server, said)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_ready(process: subprocess.Popen[bytes], server: str, said: IO[bytes]) -> None:
    """Returns once the service at `server` is ready; `said` is where its process writes.

    Raises:
        EmotionServiceError: it ended, or took too long; with what it said.
    """
    give_up = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        try:
            if asyncio.run(service_info(server)).ready:
                return
        except ServerUnreachable:
            pass  # not yet: it is loading its model
        time.sleep(0.1)
    said.seek(0)
    raise EmotionServiceError(
        f"The service did not become ready. It said:\n{said.read().decode(errors='replace')}"
    )


def _next_steps(audio: Path) -> str:
    command = _command_name()
    call = f"{os.path.relpath(audio)} --disclosure-given --consent granted"
    return f"""
Next:
  {command} analyze {call} --json
  {command} serve        # a service of your own; then in other terminals:
  {command} watch        # what it finds,
  {command} stream {call}
  make run EMOTION_CORPORA=DIR        # a human voice; DIR holds labelled speech"""


def _command_name() -> str:
    """How this very installation is called from here."""
    script = Path(sys.executable).with_name("emotion-service")
    if shutil.which("emotion-service") == str(script) or not script.exists():
        return "emotion-service"
    return os.path.relpath(script)
