"""Encryption from PEM files, which may be renewed while the service runs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

from emotion_service.errors import BadInput

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. With `client_ca` clients must show a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Their content, checked, for gRPC.

        Raises:
            BadInput: TLS_INVALID.
        """
        self.context()
        try:
            pair = (self.key.read_bytes(), self.certificate.read_bytes())
            client_ca = self.client_ca.read_bytes() if self.client_ca else None
        except OSError as error:
            raise self._unusable(error) from error
        return grpc.ssl_server_certificate_configuration([pair], client_ca)

    def context(self) -> ssl.SSLContext:
        """For a server of Python's own.

        Raises:
            BadInput: TLS_INVALID.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key, password="")
            if self.client_ca:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise self._unusable(error) from error
        return context

    def stamps(self) -> tuple[int, ...]:
        """Different whenever a file has been written or replaced.

        Raises:
            BadInput: TLS_INVALID, a file is missing.
        """
        try:
            return tuple(path.stat().st_mtime_ns for path in self._paths())
        except OSError as error:
            raise self._unusable(error) from error

    def _paths(self) -> tuple[Path, ...]:
        return (self.certificate, self.key, *([self.client_ca] if self.client_ca else []))

    def _unusable(self, error: OSError | ValueError) -> BadInput:
        names = ", ".join(str(path) for path in self._paths())
        return BadInput(
            "TLS_INVALID",
            f"{names} are no usable PEM certificate, key (without a passphrase) and client CA: "
            f"{error}; give files that belong together",
        )


def credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """For a server port.

    Raises:
        BadInput: TLS_INVALID.
    """
    certificates = _Certificates(files)
    return grpc.dynamic_ssl_server_credentials(
        certificates.first,
        certificates.renewed,  # type: ignore[arg-type]  # the stub forgets that None is allowed
        files.client_ca is not None,
    )


class _Certificates:
    """What the files held when they were last read well. gRPC asks before each handshake."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._stamps = files.stamps()  # before they are read: what is written later is new
        self.first = files.read()

    def renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """The new content, once; None while there is none, or while files are being replaced."""
        try:
            stamps = self._files.stamps()
            if stamps == self._stamps:
                return None
            content = self._files.read()
        except BadInput as error:
            log.warning("tls files unusable, the old ones stay", error=type(error).__name__)
            return None
        self._stamps = stamps
        log.info("tls files renewed")
        return content
