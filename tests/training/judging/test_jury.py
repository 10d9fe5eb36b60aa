"""One model judges everybody; of a cross-validation, the one that never heard the speaker."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.judging.jury import folds, one_model


def of(speaker: str) -> Clip:
    return Clip("tiny", Path("a.flac"), speaker, "f", "en", "anger")


@pytest.fixture
def run(model_folder: Path, tmp_path: Path) -> Path:
    """Two folds: ann's, and that of bob and eve."""
    for name, speakers in (("one", ["ann"]), ("two", ["bob", "eve"])):
        shutil.copytree(model_folder, tmp_path / name)
        (tmp_path / name / "fold.json").write_text(json.dumps({"speakers": speakers}))
    (tmp_path / "crossval.json").write_text("{}")
    return tmp_path


def test_one_model_judges_everybody_but_whom_it_heard(model_folder: Path) -> None:
    card = json.loads((model_folder / "model.json").read_text())
    jury = one_model(model_folder)
    assert jury.model_of(of("ann")) == jury.model_of(of("bob")) == model_folder
    assert jury.trained == frozenset(card["training_speakers"])
    assert (jury.name, jury.licence) == ("tiny-1", card["licence"])


def test_each_is_judged_by_the_fold_that_kept_him_out(run: Path) -> None:
    jury = folds(run)
    assert [jury.model_of(of(name)) for name in ("ann", "bob", "eve")] == [
        run / "one",
        run / "two",
        run / "two",
    ]
    assert jury.trained == frozenset()
    with pytest.raises(CorpusError, match="joe of tiny was kept out of no fold"):
        jury.model_of(of("joe"))


def test_a_run_that_did_not_end_judges_nobody(run: Path) -> None:
    (run / "crossval.json").unlink()
    with pytest.raises(CorpusError, match="not the folder of a cross-validation that ended"):
        folds(run)
