"""What was left behind is read back, and what is not ours is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emotion_service.errors import CorpusError
from emotion_service.training.judging.evaluate import as_served, fit_temperature
from emotion_service.training.report.results import Voice, read_evaluation, read_run
from tests.training.report.made_up import FOLDS, evaluation, judged, write_run, written


def test_a_run_is_read_back_whatever_else_it_says(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "joint"))
    assert run.name == "joint"
    assert run.meaning == "five joint folds without common speakers"
    assert run.folds == {
        fold: tuple(j for name in names for j in judged(name)) for fold, names in FOLDS.items()
    }
    assert run.voices["fred"] == Voice("south", "m")


def test_each_fold_is_calibrated_on_the_others(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "joint"))
    first, second = run.folds["fold-1"], run.folds["fold-2"]
    calibrated = run.calibrated()
    assert calibrated[: len(first)] == as_served(first, fit_temperature(second))
    assert calibrated[len(first) :] == as_served(second, fit_temperature(first))
    assert [j.file for j in calibrated] == [j.file for j in (*first, *second)]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"holds no crossval\.json: give the folder that"):
        read_run(tmp_path)


def test_an_unfinished_run_is_told_from_none(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "joint")
    (folder / "crossval.json").unlink()
    with pytest.raises(CorpusError, match="is not finished: run its command again, it goes on"):
        read_run(folder)


def test_a_run_without_one_of_its_folds_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "joint")
    (folder / "fold-2" / "fold.json").unlink()
    with pytest.raises(CorpusError, match=r"fold-2/fold.json cannot be read .* it goes on"):
        read_run(folder)


@pytest.mark.parametrize(
    ("speakers", "sentence"),
    [
        (None, "crossval.json lacks speakers: give what `emotion-service crossval --out`"),
        ({"ann": 0.9}, "does not say whose corpus and sex: run its command again"),
    ],
)
def test_a_run_of_an_older_version_is_refused(
    tmp_path: Path, speakers: object, sentence: str
) -> None:
    folder = write_run(tmp_path / "joint")
    report = json.loads((folder / "crossval.json").read_text())
    del report["speakers"]
    written(report | ({"speakers": speakers} if speakers else {}), folder / "crossval.json")
    with pytest.raises(CorpusError, match=sentence):
        read_run(folder)


def test_evaluations_of_the_same_clips_are_known(tmp_path: Path) -> None:
    other = evaluation(codec="gsm")
    other["clips"]["north"]["abstained"] = 9  # the codec's doing, not the choice of clips
    less = evaluation()
    less["clips"]["north"]["found"] = 99
    of = [
        written(each, tmp_path / "e.json") and read_evaluation(tmp_path / "e.json").clips
        for each in (evaluation(), other, less)
    ]
    assert of[0] == of[1] != of[2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no json", "cannot be read"),
        ("[1]", "lacks model, licence"),
        ('{"model": "a"}', "lacks licence, protocol"),
    ],
)
def test_what_evaluate_did_not_print_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "cold.json"
    path.write_text(text)
    with pytest.raises(CorpusError, match=f"{sentence}.*give what `emotion-service evaluate"):
        read_evaluation(path)
