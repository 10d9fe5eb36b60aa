"""Windows as a network sees them, made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emotion_service.types import FEATURE_NAMES, LOG_F0

if TYPE_CHECKING:
    from torch import Tensor


@pytest.fixture
def windows() -> tuple[Tensor, Tensor, Tensor]:
    """Frames, voice and context of three: padded by silence, with pauses, and all speech; half the
    frames have a pitch."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    frames = torch.randn(3, 400, len(FEATURE_NAMES))
    frames[:, ::2, LOG_F0] = 0.0
    frames[:, 1::2, LOG_F0] = 5.0 + 0.1 * torch.randn(3, 200)
    voice = torch.ones(3, 400)
    voice[0, :250] = 0.0
    voice[1, 100:130] = 0.0
    context = torch.tensor([[5.0, 4.5, 5.0], [5.2, 6.0, 5.5], [4.8, 3.0, 4.0]])
    return frames, voice, context
