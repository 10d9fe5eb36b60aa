"""A service with a stub for a model; a panel beside it that an agent desktop may embed. What needs
a browser is in browser.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from emotion_service.calls.scorer import Scorer
from tests.fronts.conftest import StubModel
from tests.fronts.running import Server, serving
from tests.panel.asking import DESK, Panel
from tests.panel.asking import panel as running_panel
from tests.panel.browser import chromium, page, stage

__all__ = ["chromium", "page", "panel", "server", "stage"]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(Scorer(StubModel())) as running:
        yield running


@pytest.fixture
async def panel(server: Server) -> AsyncIterator[Panel]:
    async with running_panel(server.address, DESK) as running:
        yield running
