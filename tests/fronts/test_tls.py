"""Encryption from files: what is refused, who may connect, and renewal without a restart."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest
import trustme
from structlog.testing import capture_logs

from emotion_service.errors import BadInput
from emotion_service.fronts.grpc import EmotionServicer
from emotion_service.fronts.grpc_server import GrpcServer
from emotion_service.fronts.stream import Service
from emotion_service.fronts.tls import TlsFiles, _Certificates, credentials
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1.emotion_service_pb2_grpc import EmotionServiceStub
from tests.fronts.certificates import issue
from tests.patience import PATIENCE_SECONDS

Serve: TypeAlias = Callable[[TlsFiles], AbstractAsyncContextManager[str]]


@pytest.fixture
def serve(service: Service) -> Serve:
    @asynccontextmanager
    async def serve(files: TlsFiles) -> AsyncIterator[str]:
        server = GrpcServer(EmotionServicer(service, mixed_allowed=True))
        port = server.bind("127.0.0.1", 0, files)
        await server.start()
        yield f"127.0.0.1:{port}"
        await server.stop(None)

    return serve


async def answers(address: str, trusted: bytes | None, *own: bytes) -> str:
    """ "ready", or the code of the error; `own`: the client's key and certificate."""
    options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
    channel = (
        grpc.aio.insecure_channel(address, options=options)
        if trusted is None
        else grpc.aio.secure_channel(
            address, grpc.ssl_channel_credentials(trusted, *own), options=options
        )
    )
    async with channel:
        stub: Any = EmotionServiceStub(channel)
        try:
            info = await stub.GetServiceInfo(pb.GetServiceInfoRequest(), timeout=PATIENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code().name
    assert info.model_version == "stub-1"
    return "ready"


async def test_only_who_trusts_the_certificate_is_answered(serve: Serve, tmp_path: Path) -> None:
    issued = issue(tmp_path)
    async with serve(issued.files) as address:
        assert await answers(address, issued.trusted) == "ready"
        assert await answers(address, trustme.CA().cert_pem.bytes()) == "UNAVAILABLE"
        assert await answers(address, None) == "UNAVAILABLE"


async def test_with_a_client_ca_only_its_clients_are_answered(serve: Serve, tmp_path: Path) -> None:
    clients = trustme.CA()
    issued = issue(tmp_path, clients)

    def own(signed_by: trustme.CA) -> tuple[bytes, bytes]:
        certificate = signed_by.issue_cert("agent.example.org")
        return certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes()

    async with serve(issued.files) as address:
        assert await answers(address, issued.trusted, *own(clients)) == "ready"
        assert await answers(address, issued.trusted, *own(trustme.CA())) == "UNAVAILABLE"
        assert await answers(address, issued.trusted) == "UNAVAILABLE"


async def test_renewed_files_are_used_and_broken_ones_are_not(serve: Serve, tmp_path: Path) -> None:
    renewed_in = tmp_path / "renewed"
    renewed_in.mkdir()
    old, renewed = issue(tmp_path), issue(renewed_in)
    async with serve(old.files) as address:
        assert await answers(address, old.trusted) == "ready"
        written_to(old.files.key, renewed.files.key.read_bytes())  # half way
        with capture_logs() as logged:
            assert await answers(address, old.trusted) == "ready"
        assert [(entry["event"], entry["error"]) for entry in logged] == [
            ("tls files unusable, the old ones stay", "BadInput")
        ]
        written_to(old.files.certificate, renewed.files.certificate.read_bytes())
        with capture_logs() as logged:
            assert await answers(address, renewed.trusted) == "ready"
            assert await answers(address, old.trusted) == "UNAVAILABLE"
        assert [entry["event"] for entry in logged] == ["tls files renewed"]
        old.files.key.unlink()
        assert await answers(address, renewed.trusted) == "ready"


def written_to(file: Path, content: bytes) -> None:
    """Another time stamp for certain, however coarse the file system's are."""
    before = file.stat().st_mtime_ns
    file.write_bytes(content)
    os.utime(file, ns=(before + 2_000_000_000, before + 2_000_000_000))


def missing(files: TlsFiles) -> None:
    files.key.unlink()


def no_pem(files: TlsFiles) -> None:
    files.certificate.write_text("certificate")


def anothers_key(files: TlsFiles) -> None:
    other = trustme.CA().issue_cert("localhost")
    other.private_key_pem.write_to_path(str(files.key))


def swapped(files: TlsFiles) -> None:
    key = files.key.read_bytes()
    shutil.copy(files.certificate, files.key)
    files.certificate.write_bytes(key)


def no_client_ca(files: TlsFiles) -> None:
    assert files.client_ca
    files.client_ca.write_text("")


@pytest.mark.parametrize("damage", [missing, no_pem, anothers_key, swapped, no_client_ca])
def test_files_that_cannot_be_used_stop_the_start(
    damage: Callable[[TlsFiles], None], tmp_path: Path
) -> None:
    files = issue(tmp_path, trustme.CA()).files
    damage(files)
    with pytest.raises(BadInput) as refused:
        credentials(files)
    assert refused.value.reason == "TLS_INVALID"
    for file in (files.certificate, files.key, files.client_ca):
        assert str(file) in str(refused.value)
    assert "PRIVATE KEY" not in str(refused.value)


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    files = issue(tmp_path).files
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(BadInput, match="without a passphrase") as refused:
        files.read()
    assert refused.value.reason == "TLS_INVALID"


def test_files_renewed_while_they_are_first_read_are_new(tmp_path: Path) -> None:
    old = issue(tmp_path)
    (tmp_path / "new").mkdir()
    new = issue(tmp_path / "new")
    read = TlsFiles.read

    def renewed_meanwhile(files: TlsFiles) -> grpc.ServerCertificateConfiguration:
        content = read(files)
        written_to(files.key, new.files.key.read_bytes())
        written_to(files.certificate, new.files.certificate.read_bytes())
        return content

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TlsFiles, "read", renewed_meanwhile)
        certificates = _Certificates(old.files)
    assert certificates.renewed() is not None
    assert certificates.renewed() is None
