"""Certificates made for a test, and what their clients trust."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

from emotion_service.fronts.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate for 127.0.0.1 and localhost as PEM files, and who signed it."""

    authority: trustme.CA
    files: TlsFiles

    @property
    def trusted(self) -> bytes:
        return self.authority.cert_pem.bytes()


def issue(folder: Path, client_ca: trustme.CA | None = None, name: str = "localhost") -> Issued:
    """Writes certificate.pem, key.pem and, for clients, client_ca.pem into the folder."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", name)
    files = TlsFiles(
        folder / "certificate.pem",
        folder / "key.pem",
        folder / "client_ca.pem" if client_ca else None,
    )
    certificate.cert_chain_pems[0].write_to_path(str(files.certificate))
    certificate.private_key_pem.write_to_path(str(files.key))
    if client_ca and files.client_ca:
        client_ca.cert_pem.write_to_path(str(files.client_ca))
    return Issued(authority, files)
