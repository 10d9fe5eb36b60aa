"""The server that is measured: one of its own on a free port, or one that runs already."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

import psutil

from emotion_service.commands.demo import await_ready
from emotion_service.config import PREFIX
from emotion_service.errors import EmotionServiceError

STOP_SECONDS = 30.0
SERVICE = ("emotion_service", "serve")
DEFAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server, and the machine as a whole, had used by `at` (monotonic seconds)."""

    at: float
    cpu_seconds: float  # user and system, all threads
    rss_bytes: int
    machine_seconds: float  # of all cores together, idle time and what the host took apart
    stolen_seconds: float  # what the host of a virtual machine gave to others


@dataclass(frozen=True, slots=True)
class MeasuredServer:
    """An address (HOST:PORT) and the process behind it; how long it took from its start until it
    was ready, where that was seen."""

    address: str
    process: psutil.Process
    ready_seconds: float | None = None

    def sample(self) -> Sample:
        """What has been used until now."""
        with self.process.oneshot():
            own, memory = self.process.cpu_times(), self.process.memory_info()
        machine = psutil.cpu_times()
        stolen: float = getattr(machine, "steal", 0.0)
        busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0) - stolen
        return Sample(time.monotonic(), own.user + own.system, memory.rss, busy, stolen)


@contextmanager
def started(
    settings: Mapping[str, str] = DEFAULTS, module: Sequence[str] = SERVICE
) -> Iterator[MeasuredServer]:
    """`python -m MODULE --listen` on a free loopback port, by default the service; stopped at the
    end. All settings but those given have their defaults; no metrics: their port might be taken.

    Raises:
        EmotionServiceError: it does not become ready.
    """
    address = free_address()
    given = {"metrics_listen": "", **settings}
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", *module, "--listen", address],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, **{PREFIX + name.upper(): value for name, value in given.items()}},
        )
        try:
            await_ready(process, address, said)
            took = time.monotonic() - began
            yield MeasuredServer(address, psutil.Process(process.pid), took)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def running(address: str) -> MeasuredServer:
    """The server that listens at HOST:PORT on this machine.

    Raises:
        EmotionServiceError: no process of this user does.
    """
    port = int(address.rpartition(":")[2])
    for connection in psutil.net_connections("tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        if listens and connection.pid is not None:
            return MeasuredServer(address, psutil.Process(connection.pid))
    raise EmotionServiceError(
        f"No process of yours listens on port {port} of this machine; its processor time is "
        "measured too: run the benchmark where the server runs, as its user."
    )


def free_address() -> str:
    """HOST:PORT on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
