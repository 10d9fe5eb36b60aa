"""Functionals: what statistics of the speech and of its latest alone tell, in whatever order.

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
OF_SPEECH = MEL_BANDS // 2 + 5  # the first series: what any speech has,
OF_PITCHED = 7  # and the last: what counts where it has a pitch
STATISTICS = 5
COUNT = 2 * STATISTICS * (OF_SPEECH + OF_PITCHED) + 5
EXTREME = 5.0  # standard deviations, and skewness: beyond, it is no speech


class Functionals(nn.Module):
    """Frames (b, t, F), voice (b, t), context (b, 3) to logits (b, 5) in OUTPUTS' order."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, hidden: int = 256) -> None:
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
    """Of each window's speech and of the latest of it: (b, COUNT). Its level is taken out, pitch is
    relative to the speaker's usual one."""
    energy, loud = loud_speech(frames, voice)
    spoken = loud.sum(dim=1, keepdim=True)
    recent = loud * (spoken - loud.cumsum(dim=1) < RECENT_FRAMES)
    has_pitch = (frames[..., LOG_F0] > 0).to(loud.dtype)
    stretches = torch.stack([loud, recent, loud * has_pitch, recent * has_pitch], dim=1)
    loudness = (energy * loud).sum(dim=1, keepdim=True) / (spoken + 1e-3)
    bands = (frames[..., 0:MEL_BANDS:2] + frames[..., 1:MEL_BANDS:2]) / 2
    prosody = [
        frames[..., FLUX] - 1,
        (energy - loudness).clamp(-40.0, 20.0) / 10.0,
        frames[..., TILT] / 5 + 1,
        frames[..., CENTROID] - 6.8,
        frames[..., HARMONICITY] * 2 - 1,
        (frames[..., LOG_F0] - context[:, :1]) * has_pitch / 0.3,
        frames[..., JITTER] * 10,
        frames[..., SHIMMER] / 5,
    ]
    series = torch.cat(
        [bands - bands.mean(dim=2, keepdim=True), torch.stack(prosody, dim=2)], dim=2
    )
    told = _statistics(series, stretches)
    return torch.cat(
        [
            told[:, :, :2, :OF_SPEECH].flatten(1),
            told[:, :, 2:, -OF_PITCHED:].flatten(1),
            _of_window(voice, loud, has_pitch, context),
        ],
        dim=1,
    )


def _statistics(series: Tensor, stretches: Tensor) -> Tensor:
    """Of series (b, t, n) over the frames of each stretch (b, s, t): means, deviations, skewness
    (less of it where they hardly deviate), and how much they rise and fall from frame to frame:
    (b, STATISTICS, s, n)."""
    share = _shares(stretches)
    mean = share @ series
    # Moments about the mean of the first stretch, then moved to each one's own.
    apart = series - mean[:, :1]
    square = apart * apart
    moved = mean - mean[:, :1]
    second, third = share @ square, share @ (square * apart)
    variance = (second - moved * moved).clamp(min=0.0) + 1e-4
    deviation = variance.sqrt()
    third = third - moved * (3.0 * second - 2.0 * moved * moved)
    skewness = (third / (variance * deviation + 1e-2)).clamp(-EXTREME, EXTREME)
    share = _shares(stretches[..., 1:] * stretches[..., :-1])
    change = series[:, 1:] - series[:, :-1]
    rise, fall = share @ change.clamp(min=0.0), share @ change.clamp(max=0.0)
    return torch.stack([mean, deviation, skewness, rise, fall], dim=1)


def _shares(stretches: Tensor) -> Tensor:
    """What makes a sum over the frames of a stretch their mean."""
    return stretches / (stretches.sum(dim=2, keepdim=True) + 1e-3)


def _of_window(voice: Tensor, loud: Tensor, has_pitch: Tensor, context: Tensor) -> Tensor:
    """How much of the voice is loud and of that has a pitch, how often it sets in, and its pace,
    by itself and against the speaker's own: (b, 5)."""
    voiced, spoken = voice.sum(dim=1), loud.sum(dim=1)
    onsets = (voice[:, 1:] - voice[:, :-1]).clamp(min=0.0).sum(dim=1)
    return torch.stack(
        [
            spoken / (voiced + 1e-3),
            (loud * has_pitch).sum(dim=1) / (spoken + 1e-3),
            onsets / (voiced / 100.0 + 0.1),
            (context[:, 1] - 6.0) / 1.5,
            (context[:, 1] - context[:, 2]) / 1.5,
        ],
        dim=1,
    )
