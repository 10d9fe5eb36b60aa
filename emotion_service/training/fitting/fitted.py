"""A fitted network on disk, with what an export needs to know of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import Typical
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.prepare import Example, speakers


@dataclass(frozen=True, slots=True)
class Fitted:
    """A network, what is typical of the speech it learned from, and from whom that was."""

    network: EmotionNetwork
    typical: dict[str, Typical]
    data: tuple[str, ...]
    training_speakers: tuple[str, ...]


def fitted_to(
    network: EmotionNetwork, typical: dict[str, Typical], examples: Sequence[Example]
) -> Fitted:
    corpora = {example.clip.corpus for example in examples}
    return Fitted(network, typical, tuple(sorted(corpora)), speakers(examples))


def save(fitted: Fitted, folder: Path) -> None:
    torch.save(fitted.network.state_dict(), folder / "network.pt")
    about = {
        "typical": {name: asdict(value) for name, value in fitted.typical.items()},
        "data": fitted.data,
        "training_speakers": fitted.training_speakers,
    }
    (folder / "fitted.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def load(folder: Path) -> Fitted:
    """What was saved, ready to judge.

    Raises:
        CorpusError: no fit ended there.
    """
    try:
        about = json.loads((folder / "fitted.json").read_text(encoding="utf-8"))
        weights = torch.load(folder / "network.pt", weights_only=True)
    except FileNotFoundError as error:
        raise CorpusError(
            f"{error.filename} does not exist: give the folder of a fit that ended, as train and "
            "crossval leave it"
        ) from error
    network = EmotionNetwork()
    network.load_state_dict(weights)
    network.eval()
    typical = {name: Typical(**value) for name, value in about["typical"].items()}
    return Fitted(network, typical, tuple(about["data"]), tuple(about["training_speakers"]))
