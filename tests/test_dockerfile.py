"""The Dockerfile's own steps, run as plain shell in folders: what they make, and that it serves
from a read-only root file system, as a user who owns nothing.

Slow for a test (about a minute): it installs all that the service needs from a package registry.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.docker_steps import CHECKOUT, Build, Ignored, Stage, inherited, read
from tests.patience import PATIENCE_SECONDS

NOT_SERVING = {"torch", "librosa", "onnx", "pytest", "grpcio-tools", "hatchling", "pip"}
LISTEN = ("EMOTION_SERVICE_LISTEN", "EMOTION_SERVICE_METRICS_LISTEN")
HEALTHY_WITHIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Image:
    stage: Stage
    bases: list[str]
    root: Path  # of the file system
    prefix: Path  # of the installation

    @property
    def packages(self) -> Path:
        (folder,) = self.prefix.glob("lib/python3.*/site-packages")
        return folder


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The built image. Not below pytest's folders: those are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="emotion-service-image-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        path = f"{_new_python(folder / 'python')}:{os.defpath}"
        root = folder / "root"
        prefix = root / "opt" / "emotion-service"
        build = Build(root, {"PATH": path}, {"PREFIX": str(prefix), "SOURCE": str(root / "source")})
        stage = build.run(read((CHECKOUT / "Dockerfile").read_text()))
        subprocess.run(["chmod", "-R", "a-w", str(root)], check=True)
        yield Image(stage, build.bases, root, prefix)
        subprocess.run(["chmod", "-R", "u+w", str(root)], check=True)


def _new_python(folder: Path) -> Path:
    """The folder of a `python` with nothing but pip, which stands for the base image."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "download", "--quiet", "--no-deps"]
    reached = subprocess.run(
        [*pip, "--dest", str(folder / "reached"), "hatchling"], env=inherited(), check=False
    )
    if reached.returncode:
        pytest.skip("needs a package registry: pip cannot download hatchling")
    return folder / "bin"


def test_an_instruction_it_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ADD is not known here"):
        Build(tmp_path / "root", {}, {}).run([("FROM", "scratch"), ("ADD", "https://a.example /")])


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("pyproject.toml", False),
        ("emotion_service/audio/codecs.py", False),
        ("emotion_service/audio/__pycache__/codecs.cpython-311.pyc", True),
        ("models/telephone-open-5/model.onnx", False),
        ("models/research-only-1/model.onnx", True),
        ("tests/conftest.py", True),
        (".git/config", True),
        (".venv/bin/python", True),
        ("runs/emodb/model.onnx", True),
    ],
)
def test_only_what_the_wheel_is_made_of_goes_into_the_build(path: str, ignored: bool) -> None:
    assert (path in Ignored((CHECKOUT / ".dockerignore").read_text())) is ignored


def test_both_stages_stand_on_one_pinned_slim_image(image: Image) -> None:
    assert len(image.bases) == 2 and len(set(image.bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", image.bases[0])


def test_it_is_labelled_with_the_version_and_licence_of_the_project(image: Image) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    labels = {name.rpartition(".")[2]: text for name, text in image.stage.labels.items()}
    assert labels["title"] == project["name"]
    assert labels["version"] == project["version"]
    assert labels["description"] == project["description"]
    assert labels["licenses"] == project["license"]


def test_it_runs_as_a_number_on_the_ports_it_exposes(image: Image) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image.stage.said["USER"])
    ports = [image.stage.environment[name].rpartition(":")[2] for name in LISTEN]
    assert image.stage.said["EXPOSE"].split() == ports


def test_it_holds_the_wheel_and_what_that_needs(image: Image) -> None:
    installed = {found.metadata["Name"] for found in distributions(path=[str(image.packages)])}
    assert "emotion-service" in installed
    assert not installed & NOT_SERVING
    assert not list(image.packages.glob("emotion_service/**/*test*"))
    assert [place.name for place in image.root.iterdir()] == ["opt"]


def test_it_holds_one_model_and_that_may_be_used_commercially(image: Image) -> None:
    cards = [json.loads(path.read_text()) for path in image.prefix.rglob("model.json")]
    assert [(card["name"], card["licence"]) for card in cards] == [("telephone-open", "Apache-2.0")]
    assert len(list(image.prefix.rglob("model.onnx"))) == 1


def test_its_code_is_compiled_and_never_compared_with_its_source(image: Image) -> None:
    sources = list((image.packages / "emotion_service").rglob("*.py"))
    compiled = list((image.packages / "emotion_service").rglob("*.pyc"))
    assert len(sources) == len(compiled) > 40
    assert {path.read_bytes()[4] for path in compiled} == {0b01}  # PEP 552: unchecked hash


def test_its_size_is_known(image: Image) -> None:
    (wheel,) = image.root.with_name("build").glob("source/wheels/*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    files = [path for path in image.root.rglob("*") if path.is_file() and not path.is_symlink()]
    megabytes = [sum(path.stat().st_size for path in some) / 1e6 for some in ([wheel], files)]
    print("wheel {:.1f} MB, installed {:.0f} MB".format(*megabytes))
    assert megabytes[0] < 3
    assert megabytes[1] < 450


def test_it_serves_from_a_read_only_root_and_stops_on_its_stop_signal(
    image: Image, tmp_path: Path
) -> None:
    said = image.stage.said
    ports = {name: _free_port() for name in LISTEN}
    environment = {name: f"0.0.0.0:{port}" for name, port in ports.items()}
    contained = Contained(image, image.stage.environment | environment)
    log = tmp_path / "log"
    command = json.loads(said["ENTRYPOINT"]) + json.loads(said["CMD"])
    service = contained.start(command, log)
    try:
        assert not contained.healthy()
        begin = time.monotonic()
        while not contained.healthy():
            assert service.poll() is None, log.read_text()
            assert time.monotonic() - begin < HEALTHY_WITHIN_SECONDS
        summary = _streamed(ports["EMOTION_SERVICE_LISTEN"])
        metrics = f"http://127.0.0.1:{ports['EMOTION_SERVICE_METRICS_LISTEN']}/metrics"
        assert (
            b"emotion_service_calls_total 1.0" in urlopen(metrics, timeout=PATIENCE_SECONDS).read()
        )
        service.send_signal(signal.Signals[said["STOPSIGNAL"]])
        assert service.wait(PATIENCE_SECONDS) == 0
    finally:
        service.kill()
        service.wait()
    assert [leg["placement"]["received"] for leg in summary["legs"]] == ["64.550s", "64.550s"]
    assert [leg["scores"] > 0 for leg in summary["legs"]] == [True, False]
    assert "Traceback" not in log.read_text()
    assert not contained.healthy()


def test_it_leaves_nothing_behind_where_it_could_write(image: Image, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(home))
    ports = {name: "127.0.0.1:0" for name in LISTEN}
    service = subprocess.Popen(
        ["emotion-service", "serve"],
        cwd=home,
        env=image.stage.environment | places | ports,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert service.stderr
    assert any('"ready"' in line for line in service.stderr)
    service.terminate()
    service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == 0
    assert list(home.rglob("*")) == []


@dataclass(frozen=True, slots=True)
class Contained:
    """Starts commands as a container would: with nothing but the image's environment, without
    privileges, and without a place to write. Where this process may not arrange for that, the
    files are at least write-protected."""

    image: Image
    environment: dict[str, str]

    def start(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        nowhere = {name: str(self.image.root) for name in ("HOME", "TMPDIR")}
        with log.open("wb") as stderr:
            return subprocess.Popen(
                [*self._boundaries(), *command],
                cwd=self.image.root,
                env=self.environment | nowhere,
                stderr=stderr,
            )

    def healthy(self) -> bool:
        """One round of the health check; as in Docker, one over its time limit has failed."""
        options, _, text = self.image.stage.said["HEALTHCHECK"].partition("CMD ")
        limit = float(re.findall(r"--timeout=(\d+)s", options)[0])
        command = ["sh", "-c", text]
        check = self.start(command, Path(os.devnull))
        try:
            return check.wait(limit) == 0
        except subprocess.TimeoutExpired:
            check.kill()
            check.wait()
            return False

    def _boundaries(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        drop = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        if _open_to_all(Path(sys.base_prefix)):  # a Python in root's home only root can start
            user, _, group = self.image.stage.said["USER"].partition(":")
            drop += ["--reuid", user, "--regid", group, "--clear-groups"]
        read_only = ["sh", "-e", "-c", 'mount -o remount,bind,ro /; exec "$@"', "sh"]
        mounting = subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0
        return ["unshare", "--mount", *read_only, *drop] if mounting else drop


def _open_to_all(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


def _streamed(port: int) -> Any:
    """The summary of a bundled call, streamed by this checkout's client."""
    stream = [sys.executable, "-m", "emotion_service", "stream", "--fast", "--json"]
    call = ["--disclosure-given", "--consent=granted", f"--server=127.0.0.1:{port}"]
    recording = str(CHECKOUT / "examples" / "demo_calls" / "english.flac")
    printed = subprocess.run(
        [*stream, *call, recording], check=True, cwd=CHECKOUT, stdout=subprocess.PIPE
    )
    return json.loads(printed.stdout.splitlines()[-1])["summary"]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
