"""The options --tls… of every command that talks to a service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest
import trustme

Run: TypeAlias = Callable[..., tuple[int, str, str]]
Scripted: TypeAlias = Callable[..., AbstractContextManager[Any]]

CALL = Path(__file__).parents[2] / "examples" / "demo_calls" / "english.flac"
# The command, its exit code once it is connected, and something that only then is said.
COMMANDS = (
    (("probe",), 0, "ready"),
    (("watch",), 1, "nobody watches here"),
    (("stream", CALL, "--fast"), 0, "Summary: "),
)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority's certificate, a client's, and its key."""
    folder, authority = tmp_path_factory.mktemp("pem"), trustme.CA()
    issued = {"server": authority.issue_cert("127.0.0.1"), "client": authority.issue_cert("c@x")}
    authority.cert_pem.write_to_path(str(folder / "ca"))
    for name, certificate in issued.items():
        certificate.cert_chain_pems[0].write_to_path(str(folder / f"{name}.crt"))
        certificate.private_key_pem.write_to_path(str(folder / f"{name}.key"))
    return folder


@pytest.fixture
def encrypted(pem: Path) -> grpc.ServerCredentials:
    """Of a server that asks its clients for certificates."""
    key, certificate, ca = (
        (pem / name).read_bytes() for name in ("server.key", "server.crt", "ca")
    )
    return grpc.ssl_server_credentials([(key, certificate)], ca, True)


@pytest.mark.parametrize(("command", "code", "says"), COMMANDS, ids=["probe", "watch", "stream"])
def test_every_command_connects_with_the_files_it_is_given(
    run: Run,
    scripted: Scripted,
    encrypted: grpc.ServerCredentials,
    pem: Path,
    command: tuple[object, ...],
    code: int,
    says: str,
) -> None:
    own = ("--tls-certificate", pem / "client.crt", "--tls-key", pem / "client.key")
    with scripted(encrypted) as service:
        at = ("--server", service.address)
        ended, out, err = run(*command, *at, "--tls-ca", pem / "ca", *own)
        assert (ended, says in out + err) == (code, True)
        ended, _, err = run(*command, *at, "--tls")
        assert (ended, "was not signed by anybody trusted here" in err) == (1, True)
        ended, _, err = run(*command, *at)
        assert (ended, "it may expect TLS (--tls-ca)" in err) == (1, True)


def test_tls_to_a_service_in_plain_text(run: Run, scripted: Scripted, pem: Path) -> None:
    with scripted() as service:
        code, out, err = run("probe", "--server", service.address, "--tls-ca", pem / "ca")
    assert (code, out) == (1, "")
    assert f"What listens at {service.address} does not speak TLS; leave the TLS options out" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--tls-ca", "/nowhere.pem"), "/nowhere.pem holds no certificates (No such file"),
        (("--tls-certificate", "/nowhere.pem"), "give both, or neither"),
        (("--tls-key", "/nowhere.pem"), "give both, or neither"),
    ],
)
def test_files_that_cannot_be_used(run: Run, options: tuple[str, ...], says: str) -> None:
    code, out, err = run("probe", *options)
    assert (code, out) == (2, "")
    assert says in err
