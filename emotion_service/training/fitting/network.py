"""The network: two listeners who each make up their own mind, and the mean of what they say."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emotion_service.training.fitting.contours import Contours
from emotion_service.training.fitting.functionals import Functionals


class EmotionNetwork(nn.Module):
    """Frames (b, 400, F), voice (b, 400), context (b, 3) to log probabilities (b, 5), up to a
    constant, in OUTPUTS' order."""

    def __init__(self) -> None:
        super().__init__()
        self.contours = Contours()
        self.functionals = Functionals()

    def opinions(self, frames: Tensor, voice: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (b, 5) of each: to be right each by itself is what they learn, or the one that
        learns faster would be all that the other ever hears of."""
        return (
            self.contours(frames, voice, context),
            self.functionals(frames, voice, context),
        )

    def forward(self, frames: Tensor, voice: Tensor, context: Tensor) -> Tensor:
        said = torch.stack(self.opinions(frames, voice, context))
        return torch.log_softmax(said, dim=2).mean(dim=0)
