"""Every row of the tables about commands in docs/errors.md: the exit code, and what is printed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import pytest
import soundfile

from emotion_service import cli
from emotion_service.app import default_model_dir
from emotion_service.calls.scorer import Scorer
from emotion_service.fronts.admission import Admission
from emotion_service.routing.rule_file import SHIPPED
from tests.fronts.conftest import StubModel
from tests.fronts.running import serving
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
CALL = ROOT / "examples" / "demo_calls" / "english.flac"
ROW = re.compile(r"^\| (.+?) \| (\d+) \| (.+) \|$", re.MULTILINE)
COMMANDS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8").split("## Commands\n")[1]
PROMISED = {what.strip("`"): (int(code), says) for what, code, says in ROW.findall(COMMANDS)}

Arguments: TypeAlias = tuple[object, ...]
Case: TypeAlias = Callable[[Path], Arguments]
Start: TypeAlias = Callable[[int | IO[str]], subprocess.Popen[str]]


# --- what goes wrong: a folder of the test's own to a command line ------------------------------


def fixed(*arguments: object) -> Case:
    return lambda folder: arguments


def served(*arguments: object) -> Case:
    return fixed("serve", "--listen", "127.0.0.1:0", "--metrics-listen", "", *arguments)


def settings(text: str) -> Case:
    def case(folder: Path) -> Arguments:
        (folder / "settings.toml").write_text(text, encoding="utf-8")
        return "serve", "--config", folder / "settings.toml"

    return case


def recorded(name: str, channels: int, *more: object, seconds: float = 1.0) -> Case:
    def case(folder: Path) -> Arguments:
        soundfile.write(folder / name, np.zeros((int(8000 * seconds), channels)), 8000)
        return "analyze", folder / name, *more

    return case


def stored(name: str, content: bytes, *before: object) -> Case:
    def case(folder: Path) -> Arguments:
        (folder / name).write_bytes(content)
        return *before, folder / name

    return case


def model_card(**fields: object) -> Case:
    def damage(folder: Path) -> None:
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        (folder / "model.json").write_text(json.dumps({**card, **fields}), encoding="utf-8")

    return damaged(damage)


def damaged(damage: Callable[[Path], None]) -> Case:
    def case(folder: Path) -> Arguments:
        shutil.copytree(default_model_dir(), folder / "model")
        damage(folder / "model")
        return "serve", "--listen", "127.0.0.1:0", "--model", folder / "model"

    return case


def cut(folder: Path) -> None:
    onnx = folder / "model.onnx"
    onnx.write_bytes(onnx.read_bytes()[:-1000])


def another_golden(folder: Path) -> None:
    with np.load(folder / "golden.npz") as file:
        arrays = {name: file[name] for name in file.files}
    arrays["probabilities"] = arrays["probabilities"][:, ::-1].copy()
    np.savez(folder / "golden.npz", **arrays)


def begun_elsewhere(folder: Path) -> Arguments:
    """A folder for the figures that is a file."""
    pytest.importorskip("torch")
    (folder / "runs").touch()
    return "crossval", "--corpus", tiny_corpus(folder), "--out", folder / "runs"


def unwritable(folder: Path) -> Arguments:
    tiny_corpus(folder)
    return "demo-call", "--corpora", folder, "--out", folder / "missing" / "call.flac"


def tiny_corpus(folder: Path) -> Path:
    corpus, noise = folder / "tiny", np.random.default_rng(0)
    corpus.mkdir()
    rows = ["file,speaker,sex,language,emotion"]
    for speaker in ("ann", "bob"):
        for emotion in ("neutral", "anger"):
            name = f"{speaker}_{emotion}.flac"
            soundfile.write(corpus / name, noise.normal(0, 0.1, 20_000), 8000)
            rows.append(f"{name},{speaker},f,de,{emotion}")
    (corpus / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return corpus


CASES: dict[str, Case] = {
    "ADDRESS_INVALID": fixed("probe", "--server", "nowhere"),
    "CONFIG_UNREADABLE": fixed("serve", "--config", "/nowhere.toml"),
    "SETTING_UNKNOWN": settings("max_cals = 3"),
    "SETTING_INVALID": settings("max_calls = 0"),
    "LISTEN_REMOTE": fixed("serve", "--listen", "0.0.0.0:0"),
    "a panel that other machines could reach": fixed("panel", "--listen", "0.0.0.0:0"),
    "ORIGIN_INVALID": fixed("panel", "--allow-origin", "https://desk.example.com/app"),
    "TLS_INCOMPLETE": served("--tls-key", "key.pem"),
    "TLS_INVALID": served("--tls-certificate", "/nowhere.pem", "--tls-key", "/nowhere.pem"),
    "a model folder that is incomplete": damaged(lambda folder: (folder / "golden.npz").unlink()),
    "a model card that is damaged": model_card(arousal=3),
    "a model that was altered": damaged(cut),
    "a model for other features": model_card(feature_version="0"),
    "a model that computes something else here": damaged(another_golden),
    "RULES_UNREADABLE": served("--rules", "/nowhere.yaml"),
    "RULES_INVALID": stored("rules.yaml", b"rules: 3", "rules", "check"),
    "ATTRIBUTE_INVALID": fixed("rules", "replay", "rules.yaml", CALL, "--attribute", "language"),
    "UNREADABLE_FILE": lambda folder: ("analyze", folder),
    "a file that is no audio": stored("call.wav", b"no audio", "analyze"),
    "a file without audio": recorded("call.wav", 1, seconds=0.0),
    "TOO_MANY_FILES": fixed("analyze", CALL, CALL, CALL),
    "NOT_MONO": fixed("analyze", CALL, CALL),
    "TOO_MANY_CHANNELS": recorded("call.wav", 3),
    "UNKNOWN_PARTY": fixed("analyze", CALL, "--party", "clerk"),
    "WRONG_PARTIES": fixed("analyze", CALL, "--party", "agent"),
    "UNREADABLE_TRUTH": stored("truth.json", b"[]", "stream", CALL, "--truth"),
    "NO_DEMO_CALL": fixed("demo"),
    "NOT_FLAC": fixed("demo-call", "--corpora", "/nowhere", "--out", "call.wav"),
    "UNWRITABLE_FILE": unwritable,
    "a corpus that cannot be used": fixed("demo-call", "--corpora", "/nowhere", "--out", "a.flac"),
    "a folder that cannot be written to": begun_elsewhere,
    "MICROPHONE_UNAVAILABLE": fixed("stream", "--microphone"),
    "MICROPHONE_ALONE": fixed("stream", "--microphone", CALL),
    "NOTHING_TO_STREAM": fixed("stream"),
    "a service that is not there": fixed("probe", "--server", "127.0.0.1:1"),
}
# With a service, a port or a disk; each has a test of its own below.
ELSEWHERE = {
    "LISTEN_FAILED",
    "METRICS_LISTEN_FAILED",
    "a service that refuses",
    "OUTPUT_CLOSED",
    "a disk that is full",
}


# --- each row ---------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No demo calls, no corpora, no sounddevice."""
    monkeypatch.setattr("emotion_service.commands.demo.CALLS", tmp_path)
    monkeypatch.delenv("EMOTION_CORPORA", raising=False)
    monkeypatch.setitem(sys.modules, "sounddevice", None)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Runs a command and holds what it says against its row."""

    def check(what: str, arguments: Arguments) -> None:
        monkeypatch.setattr(sys, "argv", ["emotion-service", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        is_as_promised(what, ended.value.code, capfd.readouterr().err)

    return check


def is_as_promised(what: str, code: object, err: str) -> None:
    expected, says = PROMISED[what]
    assert code == expected
    assert "Traceback" not in err
    last = err.rstrip("\n").splitlines()[-1]
    pattern = ".+".join(re.escape(part) for part in says.split("…"))
    assert re.fullmatch("emotion-service: " + pattern, last), last
    assert last.rstrip(".").count(". ") <= 1


@pytest.mark.parametrize("what", CASES)
def test_what_is_promised_is_printed(what: str, told: Callable[..., None], tmp_path: Path) -> None:
    told(what, CASES[what](tmp_path))


def test_every_row_is_tested() -> None:
    assert set(PROMISED) == {*CASES, *ELSEWHERE}


# --- a port that is taken, a service that refuses ---------------------------------------------


@pytest.fixture
def full(scorer: Scorer) -> Iterator[str]:
    """The address of a service, in a thread of its own, that takes no calls."""
    loop, stop, address = asyncio.new_event_loop(), asyncio.Event(), list[str]()
    started = threading.Event()

    async def serve() -> None:
        async with serving(scorer, admission=Admission(max_calls=0)) as server:
            address.append(server.address)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(PATIENCE_SECONDS)
    yield address[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def scorer() -> Scorer:
    return Scorer(StubModel())


def test_a_port_that_is_taken(told: Callable[..., None], full: str) -> None:
    told("LISTEN_FAILED", ("serve", "--listen", full, "--metrics-listen", ""))
    told("LISTEN_FAILED", ("panel", "--listen", full))
    told("METRICS_LISTEN_FAILED", ("serve", "--listen", "127.0.0.1:0", "--metrics-listen", full))


def test_a_service_that_refuses(
    full: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["emotion-service", "stream", str(CALL), "--server", full])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == PROMISED["a service that refuses"][0]
    said = capfd.readouterr().err.splitlines()[-1]
    assert said.startswith("emotion-service: this server takes 0 calls and has them: ")


# --- what only a process of its own can show --------------------------------------------------


@pytest.fixture
def started() -> Iterator[Start]:
    """`analyze --json` of the demo call in small messages, as a process; killed in the end."""
    arguments = ["analyze", str(CALL), "--json", "--chunk-ms", "20"]
    processes: list[subprocess.Popen[str]] = []

    def start(output: int | IO[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "emotion_service", *arguments],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
def test_a_disk_that_is_full(started: Start) -> None:
    with open("/dev/full", "w", encoding="utf-8") as disk:
        process = started(disk)
    err = process.communicate(timeout=PATIENCE_SECONDS)[1]
    is_as_promised("a disk that is full", process.returncode, err)
    assert err.count("\n") == 1


def test_an_output_that_is_closed() -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "emotion_service"]
    ended = subprocess.run(
        [*closed, "analyze", CALL], stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False
    )
    is_as_promised("OUTPUT_CLOSED", ended.returncode, ended.stderr)
    assert ended.stderr.count("\n") == 1


def ran(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emotion_service", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | environment,
        cwd=ROOT,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_an_output_that_lacks_a_letter() -> None:
    found = ran(
        *("analyze", str(CALL), "--disclosure-given", "--consent", "granted"),
        PYTHONIOENCODING="ascii",
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert "(1 ?)" in found.stdout  # 1 ×


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", str(CALL), "--call-id", "a\udcff"),
        ("probe", "--server", "\udcff:50951"),
        ("rules", "replay", str(SHIPPED), str(CALL), "--queue", "\udcff"),
    ],
)
def test_an_argument_that_is_no_text(arguments: tuple[str, ...]) -> None:
    found = ran(*arguments)
    assert found.returncode == 2
    assert found.stderr == "emotion-service: an argument is no text in UTF-8: write it as such\n"


def test_no_processes_are_refused() -> None:
    found = ran("crossval", "--corpus", ".", "--out", "runs", "--processes", "0")
    assert found.returncode == 2
    assert "greater than or equal to 1" in found.stderr


def test_whoever_read_the_output_has_gone(started: Start) -> None:
    process = started(subprocess.PIPE)
    assert process.stdout is not None
    assert "ready" in json.loads(process.stdout.readline())["status"]
    process.stdout.close()
    process.stdout = None
    err = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert (process.returncode, err) == (141, "")


INTERRUPTED_EARLY = """
import signal, sys
from emotion_service.__main__ import main

class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == "numpy":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
main()
"""


def test_ctrl_c_while_modules_are_loaded() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_EARLY, "analyze", CALL],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_ctrl_c(started: Start) -> None:
    process = started(subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert (process.returncode, err) == (130, "")
