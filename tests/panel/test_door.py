"""Which addresses, hosts and origins the panel takes for its own."""

from __future__ import annotations

import pytest

from emotion_service.address import parse
from emotion_service.errors import BadInput
from emotion_service.panel.door import Door, expect_loopback, parse_origin


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://desk.example.com", "https://desk.example.com"),
        ("https://Desk.Example.com:443/", "https://desk.example.com"),
        ("http://10.0.0.7:80", "http://10.0.0.7"),
        ("http://10.0.0.7:443", "http://10.0.0.7:443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://crm_desk:3000", "http://crm_desk:3000"),
        ("http://desk:65535", "http://desk:65535"),
    ],
)
def test_an_origin_is_what_browsers_send(given: str, origin: str) -> None:
    assert parse_origin(given) == origin


@pytest.mark.parametrize(
    "given",
    [
        "",
        "*",
        "null",
        "desk.example.com",
        "ftp://desk.example.com",
        "https://desk.example.com/app",
        "https://a.example https://b.example",
        "https://a.example; script-src *",
        "https://*.example.com",
        "https://desk.example.com:port",
        "https://desk.example.com:0443",
        "https://desk.example.com:0",
        "https://desk.example.com:65536",
        "https://",
    ],
)
def test_what_is_no_origin(given: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_origin(given)
    assert refused.value.reason == "ORIGIN_INVALID"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8080", True),
        ("localhost:8080", True),
        ("LOCALHOST:8080", True),
        ("[::1]:8080", True),
        ("127.0.0.1", False),
        ("127.0.0.1:8081", False),
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example:8080", False),
        ("localhost:8080:8080", False),
        (":8080", False),
        ("", False),
    ],
)
def test_hosts_are_loopback_names_with_the_port(host: str, known: bool) -> None:
    assert Door(parse("127.0.0.1:8080")).knows_host(host) is known


def test_a_host_without_a_port_is_port_80() -> None:
    door = Door(parse("127.0.0.5:80"))
    assert [door.knows_host(host) for host in ("127.0.0.5", "127.0.0.5:80", "127.0.0.5:81")] == [
        True,
        True,
        False,
    ]


def test_origins_are_its_own_and_those_it_was_given() -> None:
    door = Door(parse("127.0.0.1:8080"), ("https://desk.example.com",))
    asked = {
        "http://localhost:8080": True,  # the request's own Host
        "http://127.0.0.1:8080": False,  # another name of the panel is another origin
        "https://localhost:8080": False,
        "https://desk.example.com": True,
        "https://desk.example.com.evil.example": False,
        "null": False,
    }
    assert {origin: door.knows_origin(origin, "localhost:8080") for origin in asked} == asked


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "10.0.0.7:8080", "[::]:8080", "desk:8080"])
def test_it_listens_on_this_machine_only(listen: str) -> None:
    with pytest.raises(BadInput) as refused:
        expect_loopback(parse(listen))
    assert refused.value.reason == "LISTEN_REMOTE"


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:8080", "localhost:8080"])
def test_loopback_is_taken(listen: str) -> None:
    expect_loopback(parse(listen))
