"""The processes that the demo starts beside its client."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from emotion_service.commands.demo import panel
from emotion_service.errors import EmotionServiceError
from tests.patience import PATIENCE_SECONDS


def test_a_panel_ends_with_the_demo() -> None:
    """It needs no service to start."""
    with panel("127.0.0.1:1") as pages:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{pages}agent?call_id=demo", timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200
    port = int(pages.rstrip("/").rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_panel_that_does_not_start_says_why() -> None:
    why = r"did not start\. It said:\n.*no address"
    with pytest.raises(EmotionServiceError, match=why), panel("nowhere"):
        pytest.fail("it started")
