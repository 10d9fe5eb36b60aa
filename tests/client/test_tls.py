"""TLS and mTLS from files, and what is said when the two sides do not agree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest
import trustme

from emotion_service.client import ClientTls, EmotionClient, ServerUnreachable
from emotion_service.errors import BadInput
from emotion_service.v1 import emotion_service_pb2 as pb

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]


class Files:
    """An authority, and the PEM files of a client of its."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        client = self.authority.issue_cert("client@example.org")
        self.ca, self.certificate, self.key = (folder / name for name in ("ca", "crt", "key"))
        self.authority.cert_pem.write_to_path(str(self.ca))
        client.cert_chain_pems[0].write_to_path(str(self.certificate))
        client.private_key_pem.write_to_path(str(self.key))

    def of_server(self, name: str, ask_clients: bool) -> grpc.ServerCredentials:
        issued = self.authority.issue_cert(name)
        pair = (issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes())
        ca = self.authority.cert_pem.bytes() if ask_clients else None
        return grpc.ssl_server_credentials([pair], ca, ask_clients)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("others"))


async def info(request: pb.GetServiceInfoRequest, context: Any) -> pb.GetServiceInfoResponse:
    return pb.GetServiceInfoResponse(ready=True)


async def ready(server: str, tls: ClientTls | None) -> bool:
    async with EmotionClient(server, tls, answer_seconds=5.0) as client:
        return (await client.service_info()).ready


@asynccontextmanager
async def encrypted(
    serve: Serve, files: Files, name: str = "127.0.0.1", ask_clients: bool = False
) -> AsyncIterator[str]:
    async with serve({"GetServiceInfo": info}, files.of_server(name, ask_clients)) as server:
        yield server


async def test_the_server_is_known_by_its_authority(serve: Serve, files: Files) -> None:
    async with encrypted(serve, files) as server:
        assert await ready(server, ClientTls(files.ca))


async def test_a_client_shows_its_certificate(serve: Serve, files: Files) -> None:
    async with encrypted(serve, files, ask_clients=True) as server:
        assert await ready(server, ClientTls(files.ca, files.certificate, files.key))
        with pytest.raises(ServerUnreachable, match=r"or a certificate of the client"):
            await ready(server, ClientTls(files.ca))


async def test_without_a_ca_file_those_whom_the_machine_trusts_are_trusted(
    serve: Serve, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with encrypted(serve, files) as server:
        with pytest.raises(ServerUnreachable, match="was not signed by anybody trusted here"):
            await ready(server, ClientTls())
        monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))
        assert await ready(server, ClientTls())


async def test_another_authority_is_not_trusted(serve: Serve, files: Files, others: Files) -> None:
    async with encrypted(serve, files) as server:
        with pytest.raises(ServerUnreachable, match=r"give the authority .* \(--tls-ca\)"):
            await ready(server, ClientTls(others.ca))


async def test_a_certificate_for_another_name_is_not_trusted(serve: Serve, files: Files) -> None:
    async with encrypted(serve, files, name="emotions.example") as server:
        with pytest.raises(ServerUnreachable, match="was issued for another name"):
            await ready(server, ClientTls(files.ca))


async def test_plain_text_to_a_server_with_tls(serve: Serve, files: Files) -> None:
    async with encrypted(serve, files) as server:
        with pytest.raises(ServerUnreachable, match=r"it may expect TLS \(--tls-ca\)"):
            await ready(server, None)


async def test_tls_to_a_server_in_plain_text(serve: Serve, files: Files) -> None:
    async with serve({"GetServiceInfo": info}) as server:
        with pytest.raises(ServerUnreachable, match="does not speak TLS"):
            await ready(server, ClientTls(files.ca))


async def test_tls_to_nobody(files: Files) -> None:
    with pytest.raises(ServerUnreachable, match="No emotion-service answers"):
        await ready("127.0.0.1:1", ClientTls(files.ca))


def test_a_certificate_needs_its_key(files: Files) -> None:
    for certificate, key in ((files.certificate, None), (None, files.key)):
        with pytest.raises(BadInput, match="give both, or neither") as refused:
            ClientTls(files.ca, certificate, key)
        assert refused.value.reason == "TLS_INCOMPLETE"


@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
def test_files_that_cannot_be_used_are_named(
    files: Files, tmp_path: Path, content: bytes | None
) -> None:
    bad = tmp_path / "bad.pem"
    if content is not None:
        bad.write_bytes(content)
    for options in ((bad, None, None), (None, bad, files.key), (None, files.certificate, bad)):
        with pytest.raises(BadInput, match=r"bad\.pem.*; give PEM files") as refused:
            ClientTls(*options)
        assert refused.value.reason == "TLS_INVALID"


def test_a_key_of_another_certificate_is_refused(files: Files, others: Files) -> None:
    with pytest.raises(BadInput, match=r"are no certificate and its key .*MISMATCH"):
        ClientTls(None, files.certificate, others.key)
