"""What the contours may not hear: level, line, and how high a voice usually is."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import torch
from torch import Tensor

from emotion_service.scoring.model import CONTEXT_NAMES, OUTPUTS
from emotion_service.training.fitting.contours import CHANNELS, Contours, normalise
from emotion_service.types import ENERGY, LOG_F0, MEL_BANDS

pytestmark = pytest.mark.usefixtures("one_thread")

Window = tuple[Tensor, Tensor, Tensor]


@pytest.fixture
def contours() -> Contours:
    torch.manual_seed(1)
    contours = Contours()
    contours.eval()
    return contours


def test_shapes(contours: Contours, windows: Window) -> None:
    frames, voice, context = windows
    assert context.shape[1] == len(CONTEXT_NAMES)
    assert normalise(frames, voice, context).shape == (3, 400, CHANNELS)
    assert contours(frames, voice, context).shape == (3, len(OUTPUTS))


def test_level_and_line_are_taken_out(windows: Window) -> None:
    """A gain moves all bands and the energy, a line's colour each band by a constant."""
    frames, voice, context = windows
    louder = frames.clone()
    louder[..., :MEL_BANDS] += torch.linspace(-2, 2, MEL_BANDS) + 1.5
    louder[..., ENERGY] += 6.5
    before, after = normalise(frames, voice, context), normalise(louder, voice, context)
    assert torch.allclose(before, after, atol=2e-3)
    assert not torch.allclose(frames, louder)


def test_pitch_is_relative_to_the_speakers_own(windows: Window) -> None:
    frames, voice, context = windows
    higher, known = frames.clone(), context.clone()
    higher[..., LOG_F0] += 0.4 * (frames[..., LOG_F0] > 0)
    known[:, 0] += 0.4
    before, after = normalise(frames, voice, context), normalise(higher, voice, known)
    assert torch.allclose(before, after, atol=1e-5)
    assert not torch.allclose(before, normalise(higher, voice, context), atol=0.1)


def test_pace_counts_by_itself_and_against_the_speakers_own(
    contours: Contours, windows: Window
) -> None:
    frames, voice, context = windows
    for column in (1, 2):
        other = context.clone()
        other[:, column] += 2.0
        assert torch.equal(normalise(frames, voice, context), normalise(frames, voice, other))
        assert not torch.allclose(contours(frames, voice, context), contours(frames, voice, other))


def test_nothing_is_further_than_four(windows: Window) -> None:
    frames, voice, context = windows
    assert normalise(1000 * frames, voice, context).abs().max() == 4.0
