"""`demo`: a service, a panel of it, and a client that plays a call, each a process of its own."""

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
from typing import IO, NoReturn, TypeAlias

from emotion_service.client import ServerUnreachable
from emotion_service.commands.probe import service_info
from emotion_service.errors import BadInput, EmotionServiceError

CALLS = Path(__file__).parents[2] / "examples" / "demo_calls"
CALL_ID = "demo"
LANGUAGES = {"en": "english", "de": "german"}
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
COMMAND = (sys.executable, "-m", "emotion_service")
# Beside a service that may run already, on a machine that may be busy, read by a person.
SERVICE = ("--metrics-listen", "", "--max-loop-lag-ms", "5000", "--log-format", "text")

Process: TypeAlias = subprocess.Popen[bytes]


def demo(language: str, corpora: Path | None) -> int:
    """Plays the bundled call, or a human one from `corpora`; the exit code of its client.

    Raises:
        BadInput: no call can be found. EmotionServiceError: the service did not start.
    """
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    with tempfile.TemporaryDirectory(prefix="emotion-service-demo-") as folder:
        audio = _bundled(language) if corpora is None else _human(corpora, Path(folder))
        with service() as server, panel(server) as pages:
            print(f"A service runs at {server}; a client of it plays {audio.name}, live.")
            print(f"In a browser, meanwhile: {pages}agent?call_id={CALL_ID} shows it to its agent,")
            print(f"{pages} shows a supervisor all calls.\n", flush=True)
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
        "--call-id",
        CALL_ID,
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
        started = _started("serve", "--listen", server, *SERVICE, *options, said=said)
        with _stopped_at_the_end(started):
            await_ready(started, server, said)
            yield server


@contextmanager
def panel(server: str) -> Iterator[str]:
    """The panel of the service at `server` on a free loopback port: its address, which ends in a
    slash; stopped at the end, whatever happens.

    Raises:
        EmotionServiceError: it ended at once; with what it said.
    """
    with tempfile.TemporaryFile() as said:
        started = _started(
            *("panel", "--server", server, "--listen", "127.0.0.1:0"),
            said=said,
            out=subprocess.PIPE,
        )
        assert started.stdout is not None
        with _stopped_at_the_end(started), started.stdout as out:
            first = out.readline().decode()
            if "http://" not in first:
                raise EmotionServiceError(f"The panel did not start. {_what_was(said)}")
            yield first.split()[-1]


def _started(*arguments: str, said: IO[bytes], out: IO[bytes] | int | None = None) -> Process:
    """A command in a process of its own, which Ctrl-C does not reach: we stop it ourselves, once
    the client has gone. What it writes goes to `said`, its output to `out` if that is given."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=said if out is None else out,
        stderr=said,
        start_new_session=True,
    )


@contextmanager
def _stopped_at_the_end(process: Process) -> Iterator[None]:
    try:
        yield
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


def await_ready(process: Process, server: str, said: IO[bytes]) -> None:
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
    raise EmotionServiceError(f"The service did not become ready. {_what_was(said)}")


def _what_was(said: IO[bytes]) -> str:
    said.seek(0)
    return f"It said:\n{said.read().decode(errors='replace')}"


def _next_steps(audio: Path) -> str:
    command = _command_name()
    call = f"{os.path.relpath(audio)} --disclosure-given --consent granted"
    return f"""
Next:
  {command} analyze {call} --json
  {command} serve        # a service of your own; then in other terminals:
  {command} watch        # what it finds, or in a browser:
  {command} panel
  {command} stream {call}
  make run EMOTION_CORPORA=DIR        # a human voice; DIR holds labelled speech"""


def _command_name() -> str:
    """How this very installation is called from here."""
    script = Path(sys.executable).with_name("emotion-service")
    if shutil.which("emotion-service") == str(script) or not script.exists():
        return "emotion-service"
    return os.path.relpath(script)
