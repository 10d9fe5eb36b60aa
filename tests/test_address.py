"""HOST:PORT, and who can reach it."""

from __future__ import annotations

import pytest

from emotion_service.address import Address, parse
from emotion_service.errors import BadInput


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:50051", "127.0.0.1", 50051),
        ("localhost:0", "localhost", 0),
        ("emotions.example:65535", "emotions.example", 65535),
        ("[::1]:50051", "[::1]", 50051),
    ],
)
def test_host_and_port(text: str, host: str, port: int) -> None:
    assert parse(text) == Address(host, port)
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "localhost:",
        ":50051",
        "host:port",
        "host:65536",
        "host:-1",
        "host:٣",
        "::1",
        "::1:50051",
        "[::1]",
        "http://host:50051",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no address; give HOST:PORT") as refused:
        parse(text)
    assert refused.value.reason == "ADDRESS_INVALID"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("[::]", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert Address(host, 1).is_loopback is loopback
