"""What a training run depends on, beside its data: one file reproduces it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from emotion_service.errors import RecipeError
from emotion_service.training.lines.augment import Chance, LineRecipe

MOST_WARP = 0.3  # beyond, a voice is nobody's
MOST_SEED = 999  # for so many there are generated sounds
SHARES = ("label_smoothing", "averaging", "corpus_balance", "non_speech_share", "plain_share")
UNKNOWN_KEY = "unexpected_keyword_argument"  # as pydantic calls it


@dataclass(frozen=True, slots=True)
class Recipe:
    """All there is to choose. Every clip is heard plain and over `lines_per_clip` drawn telephone
    lines."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    seed: int = 1
    epochs: int = 45
    # Epochs without a lower loss on kept-out speakers after which a fit ends; 0: it runs to the end
    # and keeps nobody out.
    patience: int = 0
    draws: float = 1.0  # windows of each clip an epoch
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    averaging: float = 0.99  # of the weights, from step to step
    corpus_balance: float = 0.5  # 0: corpora weigh as their clips do; 1: all alike
    non_speech_share: float = 0.15  # of the windows, where there are sounds to learn from
    sounds_each: int = 12  # generated sounds of each kind to learn non-speech from
    plain_share: float = 0.3  # of the windows; the others come over a drawn line
    # Of the windows: those a little after the speaker's mood may have changed, with another of his
    # clips and a pause before; and those of the first words of a call.
    history_share: float = 0.4
    early_share: float = 0.15
    warp: float = 0.1  # by which share a window's frequencies are moved up or down at most
    lines_per_clip: int = 5
    lines: LineRecipe = field(default_factory=LineRecipe)

    def __post_init__(self) -> None:
        shares = (self.history_share, self.early_share, self.history_share + self.early_share)
        if not all(0.0 <= share <= 1.0 for share in shares):
            raise ValueError("history_share and early_share together must lie in 0 to 1")
        if not 0.0 <= self.warp <= MOST_WARP:
            raise ValueError(f"warp must lie in 0 to {MOST_WARP}")
        if not 0 <= self.seed <= MOST_SEED:
            raise ValueError(f"seed must lie in 0 to {MOST_SEED}")
        if min(self.epochs, self.batch) < 1 or min(self.draws, self.learning_rate) <= 0:
            raise ValueError("epochs, batch, draws and learning_rate must be above 0")
        for name in SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in 0 to 1")


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; what it does not name stays as in `Recipe`, and what its table
    [lines] does not name as in `LineRecipe`.

    `epochs = 50`; under [lines] `band = 0.3`, `noises = ["white"]`, `burst_packets = [1.2, 4]`,
    `loss = { probability = 0.3, low = 0.01, high = 0.1 }`, `codecs = { pcmu = 4, opus = 1 }`.

    Raises:
        RecipeError: it cannot be read, has a key that no recipe has, or a value that makes
            no sense.
    """
    try:
        return TypeAdapter(Recipe).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(
            f"the recipe {path} cannot be read ({type(error).__name__}: {error}): give a TOML file "
            "with lines such as epochs = 50"
        ) from error
    except ValidationError as error:
        raise _refused(error, path) from None


def _refused(error: ValidationError, path: Path) -> RecipeError:
    unknown = [each for each in error.errors() if each["type"] == UNKNOWN_KEY]
    first = (unknown or error.errors())[0]
    place = [str(part) for part in first["loc"]]
    name = ".".join(place) or "the recipe"
    if unknown:
        owner = {1: Recipe, 2: LineRecipe}.get(len(place), Chance)
        known = ", ".join(each.name for each in fields(owner))
        return RecipeError(
            f"{name} in {path} is no part of a recipe; take it out, or mean one of {known}"
        )
    return RecipeError(
        f"{name} in {path} cannot be used: {first['msg']}; correct it or leave it out"
    )
