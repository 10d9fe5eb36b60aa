"""Wiring: where it may listen, which model it takes, what it does not start with."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from emotion_service import app
from emotion_service.address import Address
from emotion_service.app import Places, where
from emotion_service.calls.scorer import Scorer
from emotion_service.config import Settings
from emotion_service.errors import BadInput, ModelMismatch
from emotion_service.fronts.tls import TlsFiles
from emotion_service.routing.ruleset import NO_RULES

PAIR = {"tls_certificate": Path("certificate.pem"), "tls_key": Path("key.pem")}
NOWHERE = Places(Address("127.0.0.1", 0), None, None)


def refused(**settings: Any) -> str:
    with pytest.raises(BadInput) as error:
        where(Settings(**settings))
    return error.value.reason


# --- addresses ---


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.9.9.9:0", "[::1]:0", "localhost:0"])
def test_loopback_needs_no_flag(listen: str) -> None:
    places = where(Settings(listen=listen, metrics_listen=listen))
    assert str(places.grpc) == str(places.metrics) == listen
    assert places.tls is None


@pytest.mark.parametrize("setting", ["listen", "metrics_listen"])
@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("50051", "ADDRESS_INVALID"),
        ("127.0.0.1", "ADDRESS_INVALID"),
        ("127.0.0.1:http", "ADDRESS_INVALID"),
        ("127.0.0.1:65536", "ADDRESS_INVALID"),
        ("0.0.0.0:50051", "LISTEN_REMOTE"),
        ("[::]:50051", "LISTEN_REMOTE"),
        ("example.org:50051", "LISTEN_REMOTE"),
    ],
)
def test_addresses_that_are_refused(setting: str, listen: str, reason: str) -> None:
    assert refused(**{setting: listen}) == reason


def test_other_addresses_are_served_when_allowed_or_encrypted() -> None:
    remote = Settings(listen="0.0.0.0:50051", metrics_listen="0.0.0.0:9464")
    assert where(remote.model_copy(update={"allow_remote": True})).tls is None
    places = where(remote.model_copy(update=PAIR))
    assert places.tls == places.metrics_tls == TlsFiles(*PAIR.values())


def test_a_refusal_says_what_is_given_up() -> None:
    with pytest.raises(BadInput, match=r"^0\.0\.0\.0 can be reached from other machines, and"):
        where(Settings(listen="0.0.0.0:50051"))


def test_metrics_on_loopback_are_not_encrypted_and_may_be_switched_off() -> None:
    places = where(Settings(listen="0.0.0.0:50051").model_copy(update=PAIR))
    assert (places.metrics, places.metrics_tls) == (Address("127.0.0.1", 9464), None)
    assert where(Settings(metrics_listen="")).metrics is None


# --- encryption ---


def test_tls_from_three_files() -> None:
    tls = where(Settings(tls_client_ca=Path("ca.pem")).model_copy(update=PAIR)).tls
    assert tls == TlsFiles(Path("certificate.pem"), Path("key.pem"), Path("ca.pem"))


@pytest.mark.parametrize(
    "given",
    [
        ["tls_certificate"],
        ["tls_key"],
        ["tls_client_ca"],
        ["tls_certificate", "tls_client_ca"],
        ["tls_key", "tls_client_ca"],
    ],
)
def test_half_of_what_tls_needs_is_refused(given: list[str]) -> None:
    assert refused(**{name: Path("x.pem") for name in given}) == "TLS_INCOMPLETE"


# --- the model ---


@pytest.mark.parametrize("place", ["emotion_service/models", "models"])
def test_the_default_model_is_found_in_a_wheel_and_in_a_checkout(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "__file__", str(tmp_path / "emotion_service" / "app.py"))
    with pytest.raises(ModelMismatch):
        app.default_model_dir()
    folder = tmp_path / place / app.DEFAULT_MODEL
    folder.mkdir(parents=True)
    assert app.default_model_dir() == folder


def test_a_model_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch):
        app.load_scorer(tmp_path)


# --- ports and files, refused as it starts ---


@pytest.fixture
def scorer(model_folder: Path) -> Scorer:
    return app.load_scorer(model_folder)


async def start(places: Places, scorer: Scorer) -> str:
    """The reason why it does not."""
    with pytest.raises(BadInput) as error:
        async with app.running(Settings(), places, scorer, NO_RULES):
            pass
    return error.value.reason


async def test_taken_ports_are_refused_and_leave_the_other_free(scorer: Scorer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken = Address("127.0.0.1", listening.getsockname()[1])
        free = free_address()
        assert await start(Places(taken, None, None), scorer) == "LISTEN_FAILED"
        assert await start(Places(free, taken, None), scorer) == "METRICS_LISTEN_FAILED"
        async with app.running(Settings(), Places(free, None, None), scorer, NO_RULES) as port:
            assert port == free.port


async def test_unusable_tls_files_are_refused(scorer: Scorer, tmp_path: Path) -> None:
    tls = TlsFiles(tmp_path / "certificate.pem", tmp_path / "key.pem")
    assert await start(Places(Address("127.0.0.1", 0), None, tls), scorer) == "TLS_INVALID"


async def test_nothing_is_left_running(scorer: Scorer) -> None:
    before = asyncio.all_tasks()
    async with app.running(Settings(), NOWHERE, scorer, NO_RULES):
        assert asyncio.all_tasks() - before
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before


def free_address() -> Address:
    with socket.create_server(("127.0.0.1", 0)) as once:
        return Address("127.0.0.1", once.getsockname()[1])
