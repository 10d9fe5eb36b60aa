"""The life of a real process: settings, ready, calls, SIGTERM; and what it never tells."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceStub
from tests.conftest import Voice
from tests.fronts.running import CHANNEL, audio, config, kinds, leg, rest, turned_away
from tests.patience import PATIENCE_SECONDS

COMMAND = (sys.executable, "-m", "emotion_service", "serve", "--listen", "127.0.0.1:0")
SLOW_READER_SECONDS = 1.5
SLOW_WATCHERS = 20
MEGABYTE = 1 << 20
# What a caller is called, says or sends; each must be found nowhere.
TELL_TALE = "Zyxwvut"
DIGITS = "ABCD"


@dataclass
class Life:
    """What was seen of a process from its start to its end."""

    metrics: str = ""
    second_call: tuple[str, str, float] = ("", "", 0.0)
    endings: list[str] = field(default_factory=list)  # of calls and questions with bad input
    cut: list[tuple[str, str, float]] = field(default_factory=list)
    growth: int = 0  # bytes, at most, with watchers that never read
    health: list[int] = field(default_factory=list)
    late_call: str = ""
    grace_seconds: float = 0.0
    last: list[str] = field(default_factory=list)
    stopping_seconds: float = 0.0
    returned: int | None = None
    lines: list[str] = field(default_factory=list)  # on stderr
    out: str = ""

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@contextmanager
def process(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A service, and its end whatever happens."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def ready(server: subprocess.Popen[str]) -> tuple[list[str], str]:
    """The lines up to `ready`, and where it listens."""
    assert server.stderr is not None
    lines = [server.stderr.readline(), server.stderr.readline()]
    return lines, json.loads(lines[1])["listen"]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, speech: Voice) -> Life:
    file = tmp_path_factory.mktemp("settings") / "settings.toml"
    file.write_text(
        f"slow_reader_seconds = {SLOW_READER_SECONDS}\nmax_calls = 50\nmax_watchers = 40\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as once:
        metrics = f"127.0.0.1:{once.getsockname()[1]}"
    samples = np.concatenate([np.zeros(4000, np.float32), speech(4.0, 0)])
    data = (samples * 32767).astype("<i2").tobytes()
    seen = Life()
    environment = {"EMOTION_SERVICE_MAX_CALLS": "1", "EMOTION_SERVICE_CONFIG": str(file)}
    with process("--metrics-listen", metrics, **environment) as server:
        seen.lines, address = ready(server)
        asyncio.run(_live(server, address, metrics, data, seen))
        seen.out, rest_of_log = server.communicate(timeout=PATIENCE_SECONDS)
        seen.returned = server.returncode
    seen.lines += rest_of_log.splitlines(keepends=True)
    return seen


async def _live(
    server: subprocess.Popen[str], address: str, metrics: str, data: bytes, seen: Life
) -> None:
    async with grpc.aio.insecure_channel(address, options=CHANNEL) as channel:
        await _tell_tales(channel, data, seen)
        await _never_read(channel, server.pid, seen)
        seen.metrics = await asyncio.to_thread(_scrape, metrics)
        await _stopped(server, channel, seen)


def _scrape(metrics: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{metrics}/metrics", timeout=PATIENCE_SECONDS) as answer:
        return str(answer.read().decode())


async def _tell_tales(channel: Any, data: bytes, seen: Life) -> None:
    """A call in which every text is a tell-tale, then everything that is refused."""
    stub: Any = EmotionServiceStub(channel)
    told = {
        "contact_id": f"{TELL_TALE}-contact",
        "tenant": f"{TELL_TALE}-tenant",
        "queue": f"{TELL_TALE}-queue",
        "agent_id": f"{TELL_TALE}-agent",
        "attributes": {f"{TELL_TALE}-key": f"{TELL_TALE}-value"},
        "legs": [leg(TELL_TALE, pb.PARTY_CUSTOMER)],
    }
    changes = [
        pb.CallUpdate(agent_id=f"{TELL_TALE}-other"),
        pb.CallUpdate(queue=f"{TELL_TALE}-elsewhere"),
        pb.CallUpdate(ivr_step=f"{TELL_TALE}-step"),
        *(pb.CallUpdate(dtmf_digit=digit) for digit in DIGITS),
        pb.CallUpdate(end_reason=pb.END_REASON_COMPLETED),
    ]
    opening = config(call_id=f"{TELL_TALE}-call", **told)
    spoken = [
        pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg=TELL_TALE, data=request.audio.data))
        for request in audio(data)
    ]
    updates = [pb.StreamingAnalyzeRequest(update=change) for change in changes]
    whole = await rest(stub.StreamingAnalyze(iter([opening, *spoken, *updates])))
    seen.endings.append(kinds(whole)[-1])

    undeclared = pb.StreamingAnalyzeRequest(
        audio=pb.AudioChunk(leg=f"{TELL_TALE}-unknown", data=b"\0\0")
    )
    contradiction = pb.StreamingAnalyzeRequest(
        update=pb.CallUpdate(end_reason=pb.END_REASON_FAILED)
    )
    too_long = config(call_id=TELL_TALE * 50)
    bad_encoding = leg(TELL_TALE, pb.PARTY_CUSTOMER)
    bad_encoding.encoding = f"audio/{TELL_TALE}"
    garbage = f"\x0a\xff{TELL_TALE}".encode()
    method = "/emotion_service.v1.EmotionService/"
    for requests in (
        [opening, undeclared],
        [opening, updates[-1], contradiction],
        [too_long],
        [config(legs=[bad_encoding])],
    ):
        seen.endings.append(await _ending(stub.StreamingAnalyze(iter(requests))))
    for stream in (
        channel.stream_stream(f"{method}StreamingAnalyze")(iter([garbage])),
        stub.WatchCues(pb.WatchCuesRequest(cursor=TELL_TALE, queue=f"{TELL_TALE}-queue")),
        channel.unary_stream(f"{method}WatchCues")(garbage),  # which gRPC logs with a traceback
    ):
        seen.endings.append(await _ending(stream))
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await stub.GetCall(pb.GetCallRequest(call_id=f"{TELL_TALE}-nobody"))
    seen.endings.append(unknown.value.code().name)
    broken_off = stub.StreamingAnalyze()
    await broken_off.write(opening)
    await broken_off.read()
    broken_off.cancel()
    await _until_live_calls(stub, 0)


async def _ending(stream: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await rest(stream)
    return error.value.code().name


async def _until_live_calls(stub: Any, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await stub.GetServiceInfo(pb.GetServiceInfoRequest())).live_calls != count:
            await asyncio.sleep(0.02)


def _resident(pid: int) -> int:
    """Bytes of memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _never_read(channel: Any, pid: int, seen: Life) -> None:
    """Many watchers that never read, while megabytes are told; until all of them are cut."""
    stub: Any = EmotionServiceStub(channel)
    names = {name: name[0] * 128 for name in ("tenant", "contact_id", "agent_id")}
    call = stub.StreamingAnalyze()
    await call.write(config(call_id="c" * 128, **names))
    await call.read()
    before = _resident(pid)
    slow = [stub.WatchCues(pb.WatchCuesRequest()) for _ in range(SLOW_WATCHERS)]
    for number in range(1500):
        update = pb.CallUpdate(queue=f"{number:0128}")
        await call.write(pb.StreamingAnalyzeRequest(update=update))
        if number % 50 == 0:
            seen.growth = max(seen.growth, _resident(pid) - before)
    await asyncio.sleep(SLOW_READER_SECONDS + 1)
    seen.growth = max(seen.growth, _resident(pid) - before)
    seen.cut = [await turned_away(watcher) for watcher in slow]
    await call.done_writing()
    await rest(call)


async def _stopped(server: subprocess.Popen[str], channel: Any, seen: Life) -> None:
    """SIGTERM while a call is open; it goes on for half a second."""
    stub: Any = EmotionServiceStub(channel)
    call = stub.StreamingAnalyze()
    await call.write(config(call_id="first"))
    for _ in range(3):
        await call.read()
    seen.second_call = await turned_away(stub.StreamingAnalyze(iter([config(call_id="second")])))
    health: Any = health_pb2_grpc.HealthStub(channel)
    watch = health.Watch(health_pb2.HealthCheckRequest())
    seen.health.append((await watch.read()).status)
    server.send_signal(signal.SIGTERM)
    seen.health.append((await watch.read()).status)
    asked = await call.read()
    seen.grace_seconds = asked.status.reconnect.grace.ToNanoseconds() / 1e9
    late = await turned_away(stub.StreamingAnalyze(iter([config(call_id="late")])))
    seen.late_call = late[1]
    await asyncio.sleep(0.5)
    assert server.poll() is None
    began = time.monotonic()
    await call.done_writing()
    seen.last = kinds(await rest(call))
    await asyncio.to_thread(server.wait, 20)
    seen.stopping_seconds = time.monotonic() - began


# --- what was seen ---


def test_the_first_lines_are_the_settings_in_force_and_ready(life: Life) -> None:
    settings, ready_line = life.log[:2]
    assert (settings["event"], ready_line["event"]) == ("settings", "ready")
    assert settings["listen"] == "127.0.0.1:0"  # a flag
    assert settings["max_calls"] == 1  # the environment, which wins over the file's 50
    assert settings["max_watchers"] == 40  # the file
    assert settings["drain_seconds"] == 10.0  # the default
    assert re.fullmatch(r"127\.0\.0\.1:\d+", ready_line["listen"])
    assert ready_line["model"] == "telephone-open-5"
    assert ready_line["licence"]
    assert ready_line["rules"] == 8
    assert re.fullmatch(r"[0-9a-f]{64}", ready_line["rules_sha256"])
    assert ready_line["version"] == "0.1.0"


def test_settings_take_effect(life: Life) -> None:
    assert life.second_call == ("RESOURCE_EXHAUSTED", "SERVER_FULL", 5.0)
    assert "emotion_service_refusals_total" in life.metrics


def test_sigterm_lets_the_call_end(life: Life) -> None:
    serving, not_serving = (health_pb2.HealthCheckResponse.ServingStatus.Value(name) for name in
                            ("SERVING", "NOT_SERVING"))  # fmt: skip
    assert life.health == [serving, not_serving]
    assert life.grace_seconds == 10.0
    assert life.late_call == "SERVER_STOPPING"
    assert life.last == ["summary"]
    assert life.returned == 0
    assert life.stopping_seconds < 9  # it did not wait out the ten seconds of its drain
    assert [line["event"] for line in life.log if line["event"].startswith("stop")] == [
        "stopping",
        "stopped",
    ]
    assert life.log[-1]["calls_cut"] == 0


def test_bad_input_was_refused_each_with_its_status(life: Life) -> None:
    assert life.endings == [
        "summary",
        *6 * ["INVALID_ARGUMENT"],
        "UNKNOWN",
        "NOT_FOUND",
    ]


def test_a_watcher_that_never_reads_costs_less_than_a_megabyte(life: Life) -> None:
    assert 0 < life.growth < SLOW_WATCHERS * MEGABYTE
    assert life.cut == SLOW_WATCHERS * [("RESOURCE_EXHAUSTED", "READER_TOO_SLOW", 1.0)]
    cut = 'emotion_service_refusals_total{reason="READER_TOO_SLOW"}'
    assert f"{cut} {SLOW_WATCHERS}.0" in life.metrics.splitlines()


def test_every_line_of_the_log_is_an_event(life: Life) -> None:
    assert life.out == ""
    for line in life.log:
        assert {"event", "level", "timestamp"} <= set(line)
    assert "defect" not in {line["event"] for line in life.log}


def test_nothing_tells_who_called_or_what_was_said(life: Life) -> None:
    refused = [line for line in life.log if line["event"] == "refused"]
    assert len(refused) >= 6  # there was something to tell
    assert any(line["event"] == "a library logged" for line in life.log)
    for text in ("".join(life.lines), life.metrics):
        assert TELL_TALE.lower() not in text.lower()
        assert "cccccccc" not in text
    for line in life.log:
        assert not {*line.values()} & {*DIGITS}


# --- a second signal ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(number: signal.Signals) -> None:
    with process("--metrics-listen", "") as server:
        _, address = ready(server)
        async with grpc.aio.insecure_channel(address, options=CHANNEL) as channel:
            stub: Any = EmotionServiceStub(channel)
            call = stub.StreamingAnalyze()
            await call.write(config())
            for _ in range(3):
                await call.read()
            server.send_signal(number)
            assert (await call.read()).status.HasField("reconnect")
            began = time.monotonic()
            server.send_signal(number)
            _, log = await asyncio.to_thread(server.communicate, timeout=PATIENCE_SECONDS)
        assert time.monotonic() - began < 9  # not the ten seconds of its drain
        assert server.returncode == -number  # 128 + number in a shell
        assert [json.loads(line)["event"] for line in log.splitlines()] == ["stopping"]
