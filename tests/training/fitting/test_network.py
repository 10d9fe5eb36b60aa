"""The two who listen, and what becomes of what they say."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import torch
from torch import Tensor

from emotion_service.scoring.model import CONTEXT_NAMES, OUTPUTS
from emotion_service.training.fitting.network import EmotionNetwork

pytestmark = pytest.mark.usefixtures("one_thread")

Window = tuple[Tensor, Tensor, Tensor]


@pytest.fixture
def network() -> EmotionNetwork:
    torch.manual_seed(1)
    network = EmotionNetwork()
    network.eval()
    return network


def test_both_are_heard_alike(network: EmotionNetwork, windows: Window) -> None:
    contours, functionals = (said.softmax(dim=1) for said in network.opinions(*windows))
    together = network(*windows).softmax(dim=1)
    geometric = (contours * functionals).sqrt()
    assert together.shape == (3, len(OUTPUTS))
    assert windows[2].shape[1] == len(CONTEXT_NAMES)
    assert torch.allclose(together, geometric / geometric.sum(dim=1, keepdim=True), atol=1e-6)


def test_who_is_more_certain_counts_for_more_but_not_for_larger_logits(
    network: EmotionNetwork, windows: Window
) -> None:
    """A constant added to all of one's logits says nothing."""
    before = network(*windows)
    with torch.no_grad():
        network.functionals.classifier[-1].bias += 3.0
    assert torch.allclose(before, network(*windows), atol=1e-5)


def test_a_window_without_speech_is_no_number_too_many(
    network: EmotionNetwork, windows: Window
) -> None:
    frames, voice, context = windows
    assert torch.isfinite(network(frames, torch.zeros_like(voice), context)).all()


def test_company_in_a_batch_changes_nothing(network: EmotionNetwork, windows: Window) -> None:
    together = network(*windows)
    for i in range(3):
        alone = network(*(part[i : i + 1] for part in windows))
        assert torch.allclose(alone[0], together[i], atol=1e-5)
