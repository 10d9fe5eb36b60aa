"""Which model judges whom: one finished model, or of a cross-validation the one that never heard
the speaker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import load, read_card
from emotion_service.training.corpora.corpus import Clip

FOLDS = "folds of "  # begins the name of a jury of several models


@dataclass(frozen=True, slots=True)
class Jury:
    """`name` and `licence` are those of the report; `trained` may not be judged."""

    name: str
    licence: str
    trained: frozenset[str]
    models: Mapping[str, Path]  # by speaker, "" for all others

    def model_of(self, clip: Clip) -> Path:
        """The folder of the model that judges this clip.

        Raises:
            CorpusError: the speaker was in no fold.
        """
        folder = self.models.get(clip.speaker, self.models.get(""))
        if folder is None:
            raise CorpusError(
                f"{clip.speaker} of {clip.corpus} was kept out of no fold: give the corpora of the "
                "cross-validation, or a finished model with --model"
            )
        return folder


def one_model(folder: Path) -> Jury:
    """
    Raises:
        ModelMismatch: the model cannot be used.
    """
    card = load(folder).card
    return Jury(
        f"{card.name}-{card.version}", card.licence, frozenset(card.training_speakers), {"": folder}
    )


def folds(run: Path) -> Jury:
    """The models that a cross-validation left in its folder.

    Raises:
        CorpusError: it did not end there. ModelMismatch: a model cannot be used.
    """
    found = sorted(run.glob("*/fold.json"))
    if not found or not (run / "crossval.json").is_file():
        raise CorpusError(
            f"{run} is not the folder of a cross-validation that ended: give the --out of crossval"
        )
    models = {
        speaker: path.parent
        for path in found
        for speaker in json.loads(path.read_text(encoding="utf-8"))["speakers"]
    }
    licences = {read_card(folder).licence for folder in models.values()}
    return Jury(f"{FOLDS}{run.name}", ", ".join(sorted(licences)), frozenset(), models)
