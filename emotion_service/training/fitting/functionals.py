"""Functionals: what statistics of the latest speech alone tell, in whatever order it came.

With little to learn from, they carry over to speakers and languages never heard better than what a
recurrent layer finds (docs/model-log.md, 2026-11-23). The choice follows eGeMAPS (F. Eyben et al.,
IEEE Transactions on Affective Computing 7, 2016) in spirit: level, spectrum, pitch and voice
quality; their mean, deviation, skewness and slopes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emotion_service.scoring.model import OUTPUTS
from emotion_service.training.fitting.contours import loud_speech
from emotion_service.types import (
    CENTROID,
    FLUX,
    HARMONICITY,
    JITTER,
    LOG_F0,
    MEL_BANDS,
    SHIMMER,
    TILT,
)

RECENT_FRAMES = 150  # of speech (1.5 s): what came before may have been another mood
OF_SPEECH = MEL_BANDS // 2 + 5  # series that any speech has,
OF_PITCHED = OF_SPEECH + 3  # and those that a voice with a pitch has
STATISTICS = 5
COUNT = STATISTICS * (OF_SPEECH + OF_PITCHED) + 5
EXTREME = 5.0  # standard deviations, and skewness: beyond, it is no speech


class Functionals(nn.Module):
    """Frames (b, t, F), voice (b, t), context (b, 3) to logits (b, 5) in OUTPUTS' order."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(COUNT))
        self.register_buffer("deviation", torch.ones(COUNT))
        self.classifier = nn.Sequential(
            nn.Dropout(0.3),
            nn.Linear(COUNT, hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, len(OUTPUTS)),
        )

    def forward(self, frames: Tensor, voice: Tensor, context: Tensor) -> Tensor:
        given = functionals(frames, voice, context)
        standardised = ((given - self.mean) / self.deviation).clamp(-EXTREME, EXTREME)
        result: Tensor = self.classifier(standardised)
        return result

    def expect(self, given: Tensor) -> None:
        """From now on these functionals (n, COUNT) are what is usual."""
        self.mean.copy_(given.mean(dim=0))
        self.deviation.copy_(given.std(dim=0) + 1e-3)


def functionals(frames: Tensor, voice: Tensor, context: Tensor) -> Tensor:
    """Of each window's latest speech: (b, COUNT). Its level is taken out, pitch is relative to
    the speaker's usual one."""
    energy, loud = loud_speech(frames, voice)
    recent = loud * (loud.sum(dim=1, keepdim=True) - loud.cumsum(dim=1) < RECENT_FRAMES)
    pitched = recent * (frames[..., LOG_F0] > 0)
    loudness = (energy * recent).sum(dim=1, keepdim=True) / (recent.sum(dim=1, keepdim=True) + 1e-3)
    bands = (frames[..., 0:MEL_BANDS:2] + frames[..., 1:MEL_BANDS:2]) / 2
    series = torch.cat(
        [
            bands - bands.mean(dim=2, keepdim=True),
            torch.stack(
                [
                    (energy - loudness).clamp(-40.0, 20.0) / 10.0,
                    frames[..., TILT] / 5 + 1,
                    frames[..., CENTROID] - 6.8,
                    frames[..., FLUX] - 1,
                    frames[..., HARMONICITY] * 2 - 1,
                    (frames[..., LOG_F0] - context[:, :1]) / 0.3,
                    frames[..., JITTER] * 10,
                    frames[..., SHIMMER] / 5,
                ],
                dim=2,
            ),
        ],
        dim=2,
    )
    said = [
        _statistics(series[..., :OF_SPEECH], recent),
        _statistics(series, pitched),
        _of_window(voice, loud, pitched, recent, context),
    ]
    return torch.cat(said, dim=1)


def _statistics(series: Tensor, chosen: Tensor) -> Tensor:
    """Of the chosen frames (b, t) of series (b, t, n): their means, deviations, skewness (less of
    it where they hardly deviate), and how much they rise and fall from frame to frame;
    (b, STATISTICS * n)."""
    share = (chosen / (chosen.sum(dim=1, keepdim=True) + 1e-3))[:, None]
    mean = share @ series
    apart = (series - mean) * chosen[..., None]
    variance = share @ apart.square() + 1e-4
    deviation = variance.sqrt()
    skewness = (share @ (apart * apart.square())) / (variance * deviation + 1e-2)
    pairs = chosen[:, 1:] * chosen[:, :-1]
    share = (pairs / (pairs.sum(dim=1, keepdim=True) + 1e-3))[:, None]
    change = series[:, 1:] - series[:, :-1]
    rise, fall = share @ change.clamp(min=0.0), share @ change.clamp(max=0.0)
    skewness = skewness.clamp(-EXTREME, EXTREME)
    return torch.cat([mean, deviation, skewness, rise, fall], dim=1).flatten(1)


def _of_window(
    voice: Tensor, loud: Tensor, pitched: Tensor, recent: Tensor, context: Tensor
) -> Tensor:
    """How much of the voice is loud and of that has a pitch, how often it sets in, and its pace,
    by itself and against the speaker's own: (b, 5)."""
    voiced = voice.sum(dim=1)
    onsets = (voice[:, 1:] - voice[:, :-1]).clamp(min=0.0).sum(dim=1)
    return torch.stack(
        [
            loud.sum(dim=1) / (voiced + 1e-3),
            pitched.sum(dim=1) / (recent.sum(dim=1) + 1e-3),
            onsets / (voiced / 100.0 + 0.1),
            (context[:, 1] - 6.0) / 1.5,
            (context[:, 1] - context[:, 2]) / 1.5,
        ],
        dim=1,
    )
