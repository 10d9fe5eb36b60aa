"""The commands as people run them: a real server process, exit codes, what is printed."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import soundfile

from emotion_service.commands.demo import service
from emotion_service.console.truth import read_truth
from emotion_service.playback import PlaybackOptions, open_recording
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
CALL = ROOT / "examples" / "demo_calls" / "english.flac"
AGREED = ("--disclosure-given", "--consent", "granted")
COMMAND = (sys.executable, "-m", "emotion_service")

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A service in a process of its own, with the shipped model."""
    with service() as address:
        yield address


@pytest.fixture(scope="module")
def short_call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 14 seconds of the English demo call: the customer speaks from 0:08 on."""
    samples, rate = soundfile.read(CALL, dtype="int16")
    file = tmp_path_factory.mktemp("call") / "short.flac"
    soundfile.write(file, samples[: 14 * rate], rate)
    return file


def by_kind(output: str) -> dict[str, list[dict[str, Any]]]:
    """The messages of JSON lines by kind, without what only a live server can know."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for line in output.splitlines():
        ((kind, message),) = json.loads(line).items()
        message.pop("latency", None)
        message.pop("within_budget", None)
        kinds.setdefault(kind, []).append(message)
    return kinds


# --- with a server ---


def test_probe(run: Run, server: str) -> None:
    code, out, _ = run("probe", "--server", server)
    assert code == 0
    assert re.search(r"^state +ready$", out, re.MULTILINE)
    assert re.search(r"^licence +\S+", out, re.MULTILINE)
    code, out, _ = run("probe", "--server", server, "--json")
    info = json.loads(out)
    assert code == 0
    assert info["ready"] is True
    assert set(info) >= {"service_version", "model_version", "model_licence", "live_calls"}


def test_streamed_and_analysed_calls_are_the_same(run: Run, server: str, short_call: Path) -> None:
    told = (short_call, *AGREED, "--json", "--call-id", "c1", "--chunk-ms", 70)
    code, streamed, _ = run("stream", *told, "--fast", "--server", server)
    assert code == 0
    code, analysed, _ = run("analyze", *told)
    assert code == 0
    assert by_kind(streamed) == by_kind(analysed)
    assert {"status", "activity", "score", "cue", "trend", "summary"} == set(by_kind(analysed))
    assert next(iter(json.loads(streamed.splitlines()[-1]))) == "summary"
    score = next(json.loads(line)["score"] for line in streamed.splitlines() if '"score"' in line)
    assert score["latency"]["total_ms"] > 0


def test_without_consent_nothing_is_scored_and_the_output_says_so(
    run: Run, server: str, short_call: Path
) -> None:
    code, out, _ = run("stream", short_call, "--fast", "--server", server)
    assert code == 0
    assert "customer: not scored, the customer was not told of emotion recognition" in out
    assert out.splitlines()[-1].startswith("Nothing was scored: ")
    code, out, err = run("analyze", short_call, "--json", "--disclosure-given")
    kinds = by_kind(out)
    assert code == 0
    assert "score" not in kinds
    assert [s["not_scored"]["reason"] for s in kinds["status"] if "not_scored" in s] == [
        "NOT_SCORED_REASON_CONSENT_PENDING",
        "NOT_SCORED_REASON_NOT_A_CUSTOMER",
    ]
    assert err.startswith("Nothing was scored: the customer has not agreed yet.")


def test_a_mixed_leg_is_scored_for_tests_only(run: Run, server: str, tmp_path: Path) -> None:
    samples, rate = soundfile.read(CALL, dtype="int16")
    mono = tmp_path / "mono.wav"
    soundfile.write(mono, samples[: 14 * rate, 0], rate)
    told = (mono, *AGREED, "--json", "--call-id", "c1")
    code, out, _ = run("analyze", *told, "--party", "mixed")
    assert code == 0
    assert by_kind(out)["summary"][0]["legs"][0]["not_scored_reason"].endswith("PARTIES_MIXED")
    code, analysed, _ = run("analyze", *told, "--allow-mixed-for-testing")
    assert by_kind(analysed)["summary"][0]["legs"][0]["scores"] > 0
    code, streamed, _ = run(
        "stream", *told, "--allow-mixed-for-testing", "--fast", "--server", server
    )
    assert code == 0
    assert by_kind(streamed) == by_kind(analysed)


@pytest.mark.parametrize("encoding", ["audio/PCMA", "audio/L16", "audio/pcm"])
def test_encodings(run: Run, server: str, short_call: Path, encoding: str) -> None:
    code, out, _ = run(
        "stream", short_call, "--fast", "--server", server, "--encoding", encoding, "--json"
    )
    assert code == 0
    assert by_kind(out)["summary"][0]["duration"] == "14s"


def test_a_watcher_hears_of_the_call(server: str, short_call: Path) -> None:
    watcher = subprocess.Popen(
        [*COMMAND, "watch", "--server", server, "--call-id", "watched", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert watcher.stdout is not None
    assert "heartbeat" in json.loads(watcher.stdout.readline())  # the snapshot is over
    told = ["--fast", *AGREED, "--server", server, "--call-id", "watched"]
    subprocess.run([*COMMAND, "stream", short_call, *told], check=True, cwd=ROOT)
    kinds: set[str] = set()
    for line in watcher.stdout:
        kinds |= set(json.loads(line))
        if "summary" in kinds:
            break
    watcher.send_signal(signal.SIGINT)
    watcher.communicate(timeout=PATIENCE_SECONDS)
    assert watcher.returncode == 130
    assert kinds >= {"cursor", "call", "cue", "summary"}


def test_the_live_view_in_a_terminal(server: str, short_call: Path) -> None:
    truth = CALL.with_suffix(".json")
    told = ["--fast", *AGREED, "--server", server, "--truth", str(truth)]
    code, screen = in_a_terminal([*COMMAND, "stream", str(short_call), *told])
    assert code == 0
    assert "╭─ customer: " in screen
    assert "The voices are synthetic" in screen
    assert "latency   last " in screen
    assert screen.rindex("Summary: 0:14.0") > screen.rindex("╭─ agent: ")


def in_a_terminal(command: list[str]) -> tuple[int, str]:
    leader, follower = pty.openpty()
    size = {"COLUMNS": "80", "LINES": "40", "TERM": "xterm"}
    process = subprocess.Popen(
        command, stdout=follower, stdin=follower, cwd=ROOT, env={**os.environ, **size}
    )
    os.close(follower)
    shown = bytearray()
    reader = threading.Thread(target=_read_all, args=(leader, shown))
    reader.start()
    process.wait(timeout=PATIENCE_SECONDS)
    reader.join()
    os.close(leader)
    return process.returncode, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


def _read_all(descriptor: int, into: bytearray) -> None:
    try:
        while data := os.read(descriptor, 65536):
            into += data
    except OSError:
        return  # Linux says so when the terminal's last program has ended


# --- without one ---


@pytest.mark.parametrize(
    "arguments",
    [("probe",), ("watch",), ("stream", CALL, "--fast")],
)
def test_no_server(run: Run, arguments: tuple[object, ...]) -> None:
    code, out, err = run(*arguments, "--server", "127.0.0.1:1")
    assert code == 1
    assert out == ""
    assert err == (
        "emotion-service: No emotion-service answers at 127.0.0.1:1; check the address, "
        "or start one with: emotion-service serve --listen 127.0.0.1:1\n"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("probe", "--server", "nowhere"), "'nowhere' is no address; give HOST:PORT"),
        (("stream", "missing.wav"), "missing.wav cannot be opened (No such file or directory)"),
        (("analyze", CALL, CALL, CALL), "3 files were given"),
        (("analyze", CALL, "--party", "clerk"), "'clerk' names no parties"),
        (("analyze", CALL, "--party", "agent"), "2 leg(s), but 1 parties were given"),
        (("analyze", CALL, "--model", "/nowhere"), "/nowhere/model.json cannot be read"),
        (("stream", CALL, "--truth", "/nowhere.json"), "/nowhere.json is not the truth"),
        (("serve", "--listen", "0.0.0.0:0"), "0.0.0.0 can be reached from other machines"),
        (("analyze", CALL, "--encoding", "audio/mp3"), "audio/PCMU"),
        (("analyze", CALL, "--consent", "perhaps"), "granted"),
        (("analyze", CALL, "--chunk-ms", "0"), "--chunk-ms"),
        (("demo-call", "--corpora", "/nowhere", "--out", "a.flac"), "/nowhere holds no corpus"),
        (("demo-call", "--corpora", "/nowhere", "--out", "a.wav"), "ends in .flac"),
        (("analyze",), "Missing argument"),
        (("sing",), "No such command 'sing'"),
    ],
)
def test_mistakes_end_with_2_and_without_a_traceback(
    run: Run, arguments: tuple[object, ...], says: str
) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert says in err
    assert "Traceback" not in err


def test_damaged_audio_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "damaged.flac"
    file.write_bytes(b"fLaC" + bytes(100))
    code, _, err = run("analyze", file, "--json")
    assert code == 2
    assert err.count("\n") == 1
    assert "damaged.flac is not a recording that can be decoded" in err


def test_silence_is_analysed_too(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "silence.wav"
    soundfile.write(file, np.zeros(16000), 8000)
    code, out, _ = run("analyze", file, *AGREED)
    assert code == 0
    assert out.splitlines()[-1] == (
        "Nothing was scored: too little speech of a customer who may be scored."
    )


@pytest.mark.parametrize(
    "command", ["serve", "probe", "stream", "watch", "panel", "analyze", "demo", "demo-call"]
)
def test_every_command_has_help(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Usage: emotion-service {command}" in out


# --- the demo ---


def test_a_call_of_labelled_clips_comes_with_its_truth(run: Run, tmp_path: Path) -> None:
    corpus, noise = tmp_path / "tiny", np.random.default_rng(0)
    corpus.mkdir()
    rows = ["file,speaker,sex,language,emotion,duration_s,sentence"]
    for speaker in ("tiny_1", "tiny_2"):
        for emotion in ("neutral", "anger"):
            soundfile.write(corpus / f"{speaker}{emotion}.flac", noise.normal(0, 0.1, 20000), 8000)
            rows.append(f"{speaker}{emotion}.flac,{speaker},f,de,{emotion},2.5,a01")
    (corpus / "index.csv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "call.flac"
    code, said, _ = run("demo-call", "--corpora", tmp_path, "--out", out, "--speaker", "tiny_2")
    assert (code, said) == (
        0,
        f"{out}: speaker tiny_2, the truth is in {tmp_path / 'call.json'}\n",
    )
    truth = read_truth(tmp_path / "call.json")
    assert truth.remark().endswith("speaker tiny_2; the model never heard this speaker.")
    labels = [segment.label for segment in truth.segments if segment.leg == "customer"]
    assert [label for label, _ in groupby(labels)] == ["neutral", "anger", "neutral"]
    call = open_recording(PlaybackOptions((out,), "c1"))
    assert call.duration_seconds > truth.segments[-1].end
    code, _, err = run("demo-call", "--corpora", tmp_path, "--out", tmp_path / "no" / "a.flac")
    assert code == 2
    assert "cannot be written" in err


def test_the_demo_plays_a_call_and_stops_its_service(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, rate = soundfile.read(CALL, dtype="int16")
    soundfile.write(tmp_path / "english.flac", samples[: 2 * rate], rate)
    (tmp_path / "english.json").write_bytes(CALL.with_suffix(".json").read_bytes())
    monkeypatch.setattr("emotion_service.commands.demo.CALLS", tmp_path)
    monkeypatch.delenv("EMOTION_CORPORA", raising=False)
    monkeypatch.chdir(ROOT)
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    found = re.search(r"A service runs at (\S+);", out)
    assert found is not None
    pages = re.search(r"(http://127\.0\.0\.1:\d+/)agent\?call_id=demo ", out)
    assert pages is not None and f"{pages.group(1)} shows a supervisor" in out
    assert "The voices are synthetic" in out
    assert "Summary: 0:02.0" in out
    assert "Next:" in out
    code, _, _ = run("probe", "--server", found.group(1))
    assert code == 1  # it is gone


def test_the_demo_from_elsewhere_says_where_to_run_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_service.commands.demo.CALLS", tmp_path)
    monkeypatch.delenv("EMOTION_CORPORA", raising=False)
    code, _, err = run("demo")
    assert code == 2
    assert "Run this from a checkout" in err
