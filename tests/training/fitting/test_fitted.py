"""What was fitted comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import torch

from emotion_service.errors import CorpusError
from emotion_service.training.fitting.fitted import fitted_to, load, save
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.prepare import Example, typical_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_what_is_saved_is_loaded(examples: list[Example], tmp_path: Path) -> None:
    torch.manual_seed(0)
    fitted = fitted_to(EmotionNetwork().eval(), typical_of(examples), examples)
    assert (fitted.data, fitted.training_speakers) == (("tiny",), ("ann", "bob"))
    save(fitted, tmp_path)
    again = load(tmp_path)
    assert (again.typical, again.data) == (fitted.typical, fitted.data)
    assert again.training_speakers == fitted.training_speakers
    assert not again.network.training
    for name, weights in fitted.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], weights)


def test_a_folder_without_a_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="give the folder of a fit that ended"):
        load(tmp_path)
