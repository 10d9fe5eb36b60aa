"""The server that is measured: one of its own on a free port, or one that runs already."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from emotion_service.commands.demo import await_ready
from emotion_service.errors import EmotionServiceError

STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server, and the machine as a whole, had used by `at` (monotonic seconds)."""

    at: float
    cpu_seconds: float  # user and system, all threads
    rss_bytes: int
    machine_seconds: float  # of all cores together, idle time apart


@dataclass(frozen=True, slots=True)
class MeasuredServer:
    """An address (HOST:PORT) and the process behind it."""

    address: str
    process: psutil.Process

    def sample(self) -> Sample:
        """What has been used until now."""
        with self.process.oneshot():
            own, memory = self.process.cpu_times(), self.process.memory_info()
        machine = psutil.cpu_times()
        busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0)
        return Sample(time.monotonic(), own.user + own.system, memory.rss, busy)


@contextmanager
def started(metrics_listen: str = "") -> Iterator[MeasuredServer]:
    """`emotion-service serve` on a free loopback port; stopped at the end.

    All settings but `metrics_listen` have their defaults: the metrics' port might be taken.

    Raises:
        EmotionServiceError: it does not become ready.
    """
    address = free_address()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "emotion_service", "serve", "--listen", address],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "EMOTION_SERVICE_METRICS_LISTEN": metrics_listen},
        )
        try:
            await_ready(process, address, said)
            yield MeasuredServer(address, psutil.Process(process.pid))
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
