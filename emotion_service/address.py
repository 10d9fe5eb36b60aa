"""Where a service listens: HOST:PORT."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from emotion_service.errors import BadInput

LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A name or an IP address (IPv6 in brackets) and a TCP port, 0..65535."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Only this machine can reach it. Of names, `localhost` alone is trusted to mean that."""
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse(text: str) -> Address:
    """Reads HOST:PORT, for example 127.0.0.1:50051 or [::1]:50051.

    Raises:
        BadInput: ADDRESS_INVALID.
    """
    host, _, port = text.rpartition(":")
    bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not host or bare or not _is_port(port):
        raise BadInput(
            "ADDRESS_INVALID",
            f"{text!r} is no address; give HOST:PORT, for example 127.0.0.1:50051 or [::1]:50051.",
        )
    return Address(host, int(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) <= LAST_PORT
