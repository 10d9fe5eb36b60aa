"""What a telephone and a speaker may do to a clip: lines drawn by a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from emotion_service.training.lines.channel import CODECS
from emotion_service.training.lines.line import RECORDING, Line
from emotion_service.training.lines.noise import NOISES

MAINS_HERTZ = (50.0, 60.0)


@dataclass(frozen=True, slots=True)
class Chance:
    """A condition that comes with this probability, evenly between low and high."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    probability: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.probability <= 1.0 and self.low <= self.high):
            raise ValueError("expected a probability of 0 to 1, and low not above high")

    def draw(self, random: np.random.Generator) -> float | None:
        """None where it does not come. Takes as much of the chance either way."""
        comes, value = random.random() < self.probability, random.uniform(self.low, self.high)
        return float(value) if comes else None


@dataclass(frozen=True, slots=True)
class LineRecipe:
    """How likely each condition of a line is, and between which bounds. Each is drawn for itself.

    The bounds are those of the project's aims; "recording" among the noises, and babble, are off
    because they need audio that a caller of `Line.carry` must bring.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    speed: Chance = Chance(0.3, 0.9, 1.1)
    pitch_semitones: Chance = Chance(0.2, -2.0, 2.0)
    noise_snr_db: Chance = Chance(0.5, 0.0, 30.0)
    noises: tuple[str, ...] = tuple(NOISES)  # each as likely; "recording" is one, too
    babble_snr_db: Chance = Chance(0.0, 5.0, 30.0)
    hum_snr_db: Chance = Chance(0.1, 15.0, 40.0)
    overdrive_db: Chance = Chance(0.1, 1.0, 12.0)
    level_db: Chance = Chance(1.0, -20.0, 20.0)
    band: float = 0.5  # probability, as for all that have no bounds
    comfort_noise: float = 0.15
    gaps: float = 0.05
    codecs: Mapping[str, float] = field(  # relative frequencies; one not named is not drawn
        default_factory=lambda: dict.fromkeys(CODECS, 1.0) | {"pcmu": 4.0, "pcma": 4.0}
    )
    loss: Chance = Chance(0.3, 0.01, 0.1)
    burst_packets: tuple[float, float] = (1.2, 4.0)  # the mean lies evenly between
    concealed: float = 0.8  # of lines with loss; the others leave lost packets silent

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ValueError(problem)

    def draw(self, random: np.random.Generator) -> Line:
        """The conditions of one line. Always takes as much of the chance."""
        speed, semitones = self.speed.draw(random), self.pitch_semitones.draw(random)
        noise = self.noises[random.integers(len(self.noises))]
        hum_hertz = MAINS_HERTZ[random.integers(2)]
        pause = random.random()
        quiet = self.comfort_noise + self.gaps
        weights = np.array(list(self.codecs.values()))
        return Line(
            speed=speed or 1.0,
            pitch_semitones=semitones or 0.0,
            noise=noise,
            noise_snr_db=self.noise_snr_db.draw(random),
            babble_snr_db=self.babble_snr_db.draw(random),
            hum_hertz=hum_hertz,
            hum_snr_db=self.hum_snr_db.draw(random),
            overdrive_db=self.overdrive_db.draw(random) or 0.0,
            level_db=self.level_db.draw(random) or 0.0,
            band=random.random() < self.band,
            pauses="comfort" if pause < self.comfort_noise else "gaps" if pause < quiet else "sent",
            codec=str(random.choice(list(self.codecs), p=weights / weights.sum())),
            loss=self.loss.draw(random) or 0.0,
            burst=float(random.uniform(*self.burst_packets)),
            concealment="repeat" if random.random() < self.concealed else "zeros",
        )


def _problem(recipe: LineRecipe) -> str | None:
    """What makes no sense, in words."""
    shares = (recipe.band, recipe.comfort_noise + recipe.gaps, recipe.concealed)
    known = (*NOISES, RECORDING)
    weights = recipe.codecs.values()
    rules = {
        "speed must be above 0": recipe.speed.low > 0,
        "loss must lie in 0 to 0.5": 0 <= recipe.loss.low <= recipe.loss.high <= 0.5,
        "probabilities, and comfort_noise and gaps together, must lie in 0 to 1": all(
            0 <= share <= 1 for share in (*shares, recipe.comfort_noise, recipe.gaps)
        ),
        "burst_packets must be two numbers from 1 on, the lesser first": (
            1 <= recipe.burst_packets[0] <= recipe.burst_packets[1]
        ),
        f"noises must be some of {', '.join(known)}": (
            bool(recipe.noises) and set(recipe.noises) <= set(known)
        ),
        f"codecs must be some of {', '.join(CODECS)}": set(recipe.codecs) <= set(CODECS),
        "codecs must have frequencies of 0 or more, and one above": (
            all(w >= 0 for w in weights) and any(w > 0 for w in weights)
        ),
    }
    return next((rule for rule, holds in rules.items() if not holds), None)
