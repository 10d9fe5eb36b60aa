"""Who may ask the panel: pages of its own, and of the origins that its operator names.

A panel on loopback can be reached by every page that a browser on this machine shows, whoever
wrote it. What tells them apart is in the request: the Host that it is addressed to (a page that has
its own name lead here shows another one) and the Origin that it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emotion_service.address import Address
from emotion_service.errors import BadInput

ORIGIN = re.compile(r"(https?)://((?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?)")
LAST_PORT = 65535
DEFAULT_PORTS = {"http": "80", "https": "443"}
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


def parse_origin(text: str) -> str:
    """An origin as browsers write it: scheme, name, and the port unless it is the scheme's own.

    Raises:
        BadInput: ORIGIN_INVALID.
    """
    origin = text.strip().lower().removesuffix("/")
    if (found := ORIGIN.fullmatch(origin)) is None or int(found[3] or 0) > LAST_PORT:
        raise BadInput(
            "ORIGIN_INVALID",
            f"{text!r} is no origin; give --allow-origin a scheme, a name and, if it has one, a "
            "port, as in https://desk.example.com, without a path.",
        )
    scheme, _, port = found.groups()
    return origin.removesuffix(f":{port}") if port == DEFAULT_PORTS[scheme] else origin


def expect_loopback(listen: Address) -> None:
    """Only this machine may reach a panel.

    Raises:
        BadInput: LISTEN_REMOTE.
    """
    if not listen.is_loopback:
        raise BadInput(
            "LISTEN_REMOTE",
            f"{listen.host} can be reached from other machines, and the panel asks nobody who "
            "they are yet: listen on 127.0.0.1, and forward its port with ssh -L if need be, the "
            "same on both sides.",
        )


@dataclass(frozen=True, slots=True)
class Door:
    """A panel that listens at `listen` (its real port), and whom it lets embed and call it."""

    listen: Address
    allowed_origins: tuple[str, ...] = ()

    def knows_host(self, host: str) -> bool:
        """Whether a request with this Host header is meant for the panel."""
        name, port = host.lower(), f":{self.listen.port}"
        bare = name.removesuffix(port)
        names = (*OWN_NAMES, self.listen.host.lower())
        return bare in names and (bare != name or self.listen.port == 80)

    def knows_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may ask; `host` is the request's, and known."""
        return origin in self.allowed_origins or origin == f"http://{host.lower()}"
