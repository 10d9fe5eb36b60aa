"""The examples, run as people would run them, against a service with the shipped model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from emotion_service.audio.codecs import encode_pcmu, int16_to_float
from emotion_service.commands.demo import service
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
SECONDS = 25  # of the demo call; the customer speaks from 0:08 on


@dataclass(frozen=True, slots=True)
class Recording:
    """The same samples as a file of sound and as raw big-endian ones; and as raw µ-law."""

    wav: Path
    l16: Path
    ul: Path


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with service() as address:
        yield address


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("recording")
    samples, rate = soundfile.read(EXAMPLES / "demo_calls" / "english.flac", dtype="int16")
    assert rate == 8000
    customer = samples[: SECONDS * rate, 0]
    made = Recording(*(folder / f"customer.{ending}" for ending in ("wav", "l16", "ul")))
    soundfile.write(made.wav, customer, rate)
    made.l16.write_bytes(customer.astype(">i2").tobytes())
    made.ul.write_bytes(encode_pcmu(int16_to_float(customer)))
    return made


@pytest.fixture(scope="module")
def printed(server: str, recording: Recording) -> list[str]:
    """What the example in Python prints."""
    script = EXAMPLES / "stream_call.py"
    return said([sys.executable, str(script), server, str(recording.wav)])


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example in Node, installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs Node: node and npm are not on the PATH")
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("examples/node", "protos"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("node_modules"))
    example = folder / "examples" / "node"
    installed = subprocess.run(
        INSTALL, cwd=example, capture_output=True, text=True, timeout=300, check=False
    )
    if installed.returncode:
        pytest.skip(f"npm cannot install the example's packages: {installed.stderr[-300:]}")
    return example


def said(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_example_in_python(printed: list[str]) -> None:
    *cues, summary = printed
    assert cues[0].startswith("8.")
    assert all(" customer CUE_KIND_" in cue for cue in cues)
    assert any("CUE_PHASE_ONSET" in cue for cue in cues)
    word, scores, unit = summary.split()
    assert (word, unit) == ("summary:", "scores")
    assert int(scores) > 10


def test_the_example_in_node_hears_the_same(
    server: str, recording: Recording, node: Path, printed: list[str]
) -> None:
    script = str(node / "stream_call.js")
    assert said(["node", script, server, str(recording.l16)]) == printed
    *cues, summary = said(["node", script, server, str(recording.ul)])
    assert summary == printed[-1]
    assert any("CUE_PHASE_ONSET" in cue for cue in cues)


def test_the_example_in_node_says_why_it_failed(node: Path, recording: Recording) -> None:
    command = ["node", str(node / "stream_call.js"), "127.0.0.1:1", str(recording.l16)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "No connection established" in done.stderr


def test_the_packages_have_exact_versions() -> None:
    packages = json.loads((EXAMPLES / "node" / "package.json").read_text())["dependencies"]
    assert all(version.replace(".", "").isdecimal() for version in packages.values())
    assert set(packages) == {"@grpc/grpc-js", "@grpc/proto-loader"}
