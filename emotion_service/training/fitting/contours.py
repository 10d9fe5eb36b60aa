"""Contours: convolutions over frames, a recurrent layer, attentive statistics.

Normalisation is part of the graph, so that nothing but the graph has to be right in serving.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emotion_service.scoring.model import OUTPUTS
from emotion_service.types import (
    CENTROID,
    ENERGY,
    FLUX,
    HARMONICITY,
    JITTER,
    LOG_F0,
    MEL_BANDS,
    SHIMMER,
    TILT,
)

CHANNELS = MEL_BANDS + 10
CONTEXT = 2
STEP_FRAMES = 8  # frames a step of the recurrent layer: 80 ms
LOUD_DB = 40.0  # speech is what lies within this of the window's loudest frame
FLOOR_NEPERS = 8.0  # a band this far (35 dB) below its own mean is as good as silent


class Contours(nn.Module):
    """Frames (b, 400, F), voice (b, 400), context (b, 3) to logits (b, 5) in OUTPUTS' order."""

    def __init__(self, width: int = 128, hidden: int = 96, dropout: float = 0.2) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            _block(CHANNELS, width, 7, 4, dropout),
            _block(width, width, 5, 2, dropout),
            _block(width, width, 3, 1, dropout),
        )
        self.recurrence = nn.GRU(width, hidden, batch_first=True, bidirectional=True)
        self.attention = nn.Sequential(nn.Linear(2 * hidden, 64), nn.Tanh(), nn.Linear(64, 1))
        self.classifier = nn.Sequential(
            nn.Linear(4 * hidden + CONTEXT, 64),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(64, len(OUTPUTS)),
        )

    def forward(self, frames: Tensor, voice: Tensor, context: Tensor) -> Tensor:
        x = self.convolutions(normalise(frames, voice, context).transpose(1, 2)).transpose(1, 2)
        x, _ = self.recurrence(x)
        speech = nn.functional.max_pool1d(voice[:, None], STEP_FRAMES)[:, 0, :, None]
        weights = torch.softmax(self.attention(x) - 20.0 * (1.0 - speech), dim=1)
        mean = (weights * x).sum(dim=1)
        deviation = ((weights * (x - mean[:, None]) ** 2).sum(dim=1) + 1e-5).sqrt()
        # Pace and its change against the speaker's own; pitch was made relative in the frames.
        pace = torch.stack(
            [(context[:, 1] - 6.0) / 1.5, (context[:, 1] - context[:, 2]) / 1.5], dim=1
        )
        result: Tensor = self.classifier(torch.cat([mean, deviation, pace], dim=1))
        return result


def normalise(frames: Tensor, voice: Tensor, context: Tensor) -> Tensor:
    """Takes out level, line and speaker: (b, 400, F) to (b, 400, CHANNELS), each about ±1, zeros
    where there is no voice.

    The spectrum is relative to its own mean over the window's speech, pitch to the speaker's
    usual pitch. A gain of the line moves all levels alike, and so changes nothing.
    """
    energy, loud = loud_speech(frames, voice)
    share = loud / (loud.sum(dim=1, keepdim=True) + 1e-3)
    mel = frames[..., :MEL_BANDS]
    mel = (mel - (mel * share[..., None]).sum(dim=1, keepdim=True)).clamp(min=-FLOOR_NEPERS) / 2.0
    pitched = (frames[..., LOG_F0] > 0).to(frames.dtype)
    prosody = [
        (energy - (energy * share).sum(dim=1, keepdim=True)).clamp(-40.0, 20.0) / 10.0,
        (frames[..., LOG_F0] - context[:, :1]) * pitched / 0.3,
        pitched,
        frames[..., HARMONICITY] * 2 - 1,
        frames[..., TILT] / 5 + 1,
        frames[..., CENTROID] - 6.8,
        frames[..., FLUX] - 1,
        frames[..., JITTER] * 10,
        frames[..., SHIMMER] / 5,
        torch.ones_like(voice),
    ]
    values = torch.cat([mel, torch.stack(prosody, dim=2)], dim=2)
    return values.clamp(-4.0, 4.0) * voice[..., None]


def loud_speech(frames: Tensor, voice: Tensor) -> tuple[Tensor, Tensor]:
    """The frames' levels in dB (b, t), very low where there is no voice, and 1 (b, t) for those
    that are speech."""
    energy = torch.where(voice > 0, frames[..., ENERGY], -200.0)
    return energy, voice * (energy > energy.amax(dim=1, keepdim=True) - LOUD_DB)


def _block(inputs: int, outputs: int, kernel: int, stride: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2),
        nn.BatchNorm1d(outputs),
        nn.ReLU(),
        nn.Dropout1d(dropout / 2),
    )
