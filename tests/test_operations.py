"""What operators are given: docs/operations.md and deploy/ say what the code does."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.request import urlopen

import pytest

from emotion_service.config import Settings, load
from tests.patience import PATIENCE_SECONDS

CHECKOUT = Path(__file__).parents[1]
DEPLOY = CHECKOUT / "deploy"
GUIDE = (CHECKOUT / "docs" / "operations.md").read_text()
WITHOUT_DEFAULT = ("none", "the shipped one", "the shipped ones")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOTION_SERVICE_CONFIG", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"EMOTION_SERVICE_{name.upper()}", raising=False)


@pytest.fixture(scope="module")
def families() -> dict[str, str]:
    """The metrics of a running service: their types by name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        metrics = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "emotion_service", "serve", "--listen=127.0.0.1:0"]
    service = subprocess.Popen(
        [*command, f"--metrics-listen={metrics}"], cwd=CHECKOUT, stderr=subprocess.PIPE, text=True
    )
    assert service.stderr
    assert any('"ready"' in line for line in service.stderr)
    text = urlopen(f"http://{metrics}/metrics", timeout=PATIENCE_SECONDS).read().decode()
    service.terminate()
    service.communicate(timeout=PATIENCE_SECONDS)
    types = re.findall(r"^# TYPE (emotion_service_\w+) (\w+)$", text, re.MULTILINE)
    return {name: kind for name, kind in types if not name.endswith("_created")}


def test_the_settings_file_is_the_defaults() -> None:
    assert load({}, DEPLOY / "config.toml").model_dump() == load({}).model_dump()


def test_the_settings_file_has_every_setting(tmp_path: Path) -> None:
    complete = tmp_path / "config.toml"
    complete.write_text(
        re.sub(r"^# (\w+ = )", r"\1", (DEPLOY / "config.toml").read_text(), flags=re.M)
    )
    assert list(tomllib.loads(complete.read_text())) == list(Settings.model_fields)
    assert load({}, complete).tls_key == Path("/etc/emotion-service/server.key")


def test_the_guide_lists_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`|(\w[\w ]*)) \|", _section("Settings"), re.M)
    assert [name for name, _, _ in rows] == list(Settings.model_fields)
    written = tomllib.loads("\n".join(f"{name} = {value}" for name, value, _ in rows if value))
    assert written == load({}).model_dump(mode="json", exclude_none=True)
    assert {words for _, _, words in rows if words} == set(WITHOUT_DEFAULT)


def test_the_guide_lists_every_metric_with_its_type(families: dict[str, str]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", _section("Metrics"), re.M)
    assert sorted(rows) == sorted(families.items())


def test_alerts_watch_metrics_that_there_are(families: dict[str, str]) -> None:
    watched = set(re.findall(r"emotion_service_\w+", (DEPLOY / "alerts.yaml").read_text()))
    assert len(watched) == 8
    assert {name.removesuffix("_bucket") for name in watched} <= set(families)


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("emotion-service.service", r"^TimeoutStopSec=(\d+)$"),
        ("compose.yaml", r"^ +stop_grace_period: (\d+)s\b"),
    ],
)
def test_who_stops_the_service_waits_until_it_is_drained(file: str, pattern: str) -> None:
    (seconds,) = re.findall(pattern, (DEPLOY / file).read_text(), re.M)
    assert float(seconds) >= load({}).drain_seconds + 5


def test_the_composed_service_is_of_this_version_and_on_loopback() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    assert re.findall(r"^ +image: (\S+)", text, re.M) == [f"emotion-service:{version}"]
    (ports,) = re.findall(r"^    ports: \[(.*)\]$", text, re.M)
    assert ports == '"127.0.0.1:50051:50051", "127.0.0.1:9464:9464"'


@pytest.mark.parametrize("name", ["emotion-service.service", "emotion-panel.service"])
def test_systemd_finds_the_unit_well_confined(name: str) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    unit = str(DEPLOY / name)
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit],
        check=False,
        capture_output=True,
        text=True,
    )
    assert rated.returncode == 0, rated.stdout + rated.stderr


def _section(title: str) -> str:
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
