"""TLS of a client, from PEM files."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from emotion_service.errors import BadInput


@dataclass(frozen=True, slots=True)
class ClientTls:
    """How a client trusts a server, and proves who it is where the server asks (mTLS).

    `ca_file`: who must have signed the server's certificate; None: whom this machine trusts.
    `certificate` and `key` are the client's own, both or neither; the key is not encrypted.

    Raises:
        BadInput: TLS_INVALID, for files that cannot be used; TLS_INCOMPLETE.
    """

    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_file is not None:
            try:
                context.load_verify_locations(self.ca_file)
            except OSError as error:  # ssl.SSLError is one
                raise _unusable(f"{self.ca_file} holds no certificates", error) from None
        if (self.certificate is None) != (self.key is None):
            raise BadInput(
                "TLS_INCOMPLETE",
                "Of a client's certificate and its key only one was given; give both, or neither.",
            )
        if self.certificate is not None and self.key is not None:
            try:
                context.load_cert_chain(self.certificate, self.key, password="")
            except OSError as error:
                pair = f"{self.certificate} and {self.key} are no certificate and its key"
                raise _unusable(pair, error) from None


def channel_credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    """For a channel of gRPC, which of itself would trust a list of its own, not the machine's."""
    trusted = tls.ca_file or _machine_roots()
    return grpc.ssl_channel_credentials(_read(trusted), _read(tls.key), _read(tls.certificate))


def _machine_roots() -> Path | None:
    file = ssl.get_default_verify_paths().cafile
    return None if file is None else Path(file)


def _read(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes()


def _unusable(what: str, error: OSError) -> BadInput:
    why = getattr(error, "reason", None) or error.strerror or "no PEM"
    return BadInput("TLS_INVALID", f"{what} ({why}); give PEM files, their key not encrypted.")
