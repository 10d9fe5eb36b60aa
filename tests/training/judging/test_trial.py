"""The report of `emotion-service evaluate`: its names to the letter, its figures as judged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from emotion_service.cli import app
from emotion_service.errors import CorpusError, EmotionServiceError, ModelMismatch
from emotion_service.training.corpora.corpus import read_corpus
from emotion_service.training.judging import history
from emotion_service.training.judging.condition import Condition
from emotion_service.training.judging.history import MOODS
from emotion_service.training.judging.judge import Protocol, judge_all, sittings
from emotion_service.training.judging.jury import one_model
from emotion_service.training.judging.scorecard import Figures, changed, figures, part
from emotion_service.training.judging.table import tables
from emotion_service.training.judging.trial import Trial, hold, sweeps
from emotion_service.training.lines.channel import CODECS

FIGURES = {
    "uar",
    "recall",
    "auc_anger",
    "auc_arousal",
    "ece",
    "n_clips",
    "n_speakers",
    "uar_ci95",
}
GAINED = {"labels_changed", "labels_changed_unclipped", "clipped"}
PART = FIGURES | {"recall_ci95", "scored"}


@pytest.fixture(scope="module")
def corpora(tiny_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus "ann" with her clips of "tiny", and "bob" with his, one of them fearful."""
    folder = tmp_path_factory.mktemp("two")
    for name, other in (("ann", "bob"), ("bob", "ann")):
        shutil.copytree(tiny_corpora / "tiny", folder / name)
        index = folder / name / "index.csv"
        rows = [row for row in index.read_text().splitlines() if f",{other}," not in row]
        index.write_text("\n".join(rows).replace("m,en,happiness", "m,pl,fear") + "\n")
    return folder


def held(
    corpora: Path,
    model: Path,
    protocol: Protocol = Protocol.COLD,
    sweeps: bool = False,
    skip: bool = False,
) -> Figures:
    report = hold(
        Trial(corpora, one_model(model), "pcmu", protocol, sweeps, skip, every=1, seed=1),
        1,
        lambda *_: None,
    )
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    return report


@pytest.fixture(scope="module")
def cold(corpora: Path, model_folder: Path) -> Figures:
    return held(corpora, model_folder, sweeps=True)


def test_the_report_has_these_names(cold: Figures) -> None:
    assert set(cold) == {
        *("model", "licence", "protocol", "codec", "seed"),
        *("corpora", "pooled", "by", "clips", "surest"),
    }
    assert set(cold["corpora"]) == {"ann", "bob"}
    for row in (*cold["corpora"].values(), cold["pooled"]):
        assert set(row) == FIGURES
    assert {name: list(values) for name, values in cold["by"].items()} == {
        "sex": ["f", "m"],
        "language": ["en"],  # the only Polish clip is fearful
        "codec": ["pcmu"],
        "gain_db": ["-12", "0", "12"],
        "snr_db": ["clean", "20", "10", "0"],
        "loss": ["0", "0.05"],
        "seconds": ["0.5", "1", "2", "3", "4"],
    }
    for name, values in cold["by"].items():
        more = {"gain_db": GAINED, "seconds": {"reached"}}.get(name, set())
        assert all(set(row) == PART | more for row in values.values())


def test_the_figures_are_those_of_the_verdicts(
    cold: Figures, corpora: Path, model_folder: Path
) -> None:
    def verdicts(name: str, condition: Condition) -> list[Any]:
        clips = [clip for clip in read_corpus(corpora / name) if clip.emotion != "fear"]
        asked = sittings(clips, lambda _: model_folder, Protocol.COLD, condition, 1)
        return [v for some in judge_all(asked, 1) for v in some]

    ann, bob = verdicts("ann", Condition()), verdicts("bob", Condition())
    assert cold["corpora"] == {"ann": figures(ann, 1), "bob": figures(bob, 1)}
    assert cold["pooled"] == figures([*ann, *bob], 1)
    assert (cold["pooled"]["n_clips"], cold["pooled"]["n_speakers"]) == (7, 2)
    assert cold["by"]["sex"] == {"f": part(ann, 1), "m": part(bob, 1)}
    loud = [*verdicts("ann", Condition(gain_db=12)), *verdicts("bob", Condition(gain_db=12))]
    row = cold["by"]["gain_db"]["12"]
    whole = [index for index, v in enumerate(loud) if not v.clipped]
    plain = [*ann, *bob]
    assert row == {
        **part(loud, 1),
        "labels_changed": changed(plain, loud),
        "labels_changed_unclipped": changed([plain[i] for i in whole], [loud[i] for i in whole]),
        "clipped": pytest.approx(1 - len(whole) / 7),
    }
    nothing = {"labels_changed": 0.0, "labels_changed_unclipped": 0.0, "clipped": 0.0}
    assert cold["by"]["gain_db"]["0"] == {**part(plain, 1), **nothing}


def test_half_a_second_is_too_little_and_four_are_all_there_is(cold: Figures) -> None:
    by = cold["by"]["seconds"]
    assert (by["0.5"]["uar"], by["0.5"]["scored"], by["0.5"]["reached"]) == (None, 0.0, 1.0)
    assert (by["4"]["uar"], by["4"]["reached"]) == (cold["pooled"]["uar"], 0.0)


def test_what_is_left_out_is_counted(cold: Figures) -> None:
    ann = {
        "found": 4,
        "other_emotions": 0,
        "trained_speakers": 0,
        "abstained": 0,
        "scored": 1.0,
        "windows_scored": 1.0,
    }
    assert cold["clips"] == {"ann": ann, "bob": {**ann, "other_emotions": 1}}


def test_another_codec_is_held_against_mu_law() -> None:
    plain = Condition("gsm")
    assert sweeps(plain)["codec"] == {"gsm": plain, "pcmu": Condition("pcmu")}
    assert {c.codec for c in sweeps(plain)["snr_db"].values()} == {"gsm"}


def test_warm_calls_are_held_against_the_same_clips_cold(
    tiny_corpora: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "HISTORY_SECONDS", 1.0)  # or it takes long
    warm = held(tiny_corpora, model_folder, Protocol.WARM)
    assert set(warm["by"]) == {"sex", "language"}
    report = warm["history"]
    assert report["seconds"] == 30.0
    assert report["calls"] == {
        name: {"share": mood.share, "mix": dict(mood.mix)} for name, mood in MOODS.items()
    }
    assert report["pooled_cold"] == held(tiny_corpora, model_folder)["pooled"]
    rows = report["by_call"].values()
    assert set(report["by_call"]) <= set(MOODS)
    assert sum(row["n_clips"] for row in rows) == 8
    for row in rows:
        assert set(row) == PART | {"cold"}
        assert row["cold"]["n_clips"] == row["n_clips"]


# --- whom it may not be judged on, and how it is called ---------------------------------------


@pytest.fixture
def trained_on_ann(model_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    card = json.loads((folder / "model.json").read_text())
    card["training_speakers"] = ["ann"]
    (folder / "model.json").write_text(json.dumps(card))
    return folder


def test_speakers_it_was_trained_on_are_refused_or_left_out(
    tiny_corpora: Path, trained_on_ann: Path
) -> None:
    with pytest.raises(CorpusError, match="1 of the 2 speakers"):
        held(tiny_corpora, trained_on_ann)
    report = held(tiny_corpora, trained_on_ann, skip=True)
    assert report["pooled"]["n_speakers"] == 1
    assert report["clips"]["tiny"]["trained_speakers"] == 4
    low, high = report["pooled"]["uar_ci95"]
    assert low == high == report["pooled"]["uar"]


def test_the_command_prints_the_report_as_json(tiny_corpora: Path, model_folder: Path) -> None:
    result = CliRunner().invoke(app, command(tiny_corpora, model_folder, "--json"))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == held(tiny_corpora, model_folder)


def test_or_as_tables(tiny_corpora: Path, model_folder: Path) -> None:
    result = CliRunner().invoke(app, command(tiny_corpora, model_folder))
    assert result.exit_code == 0, result.output
    assert "tiny-1 (CC0-1.0), cold, pcmu" in result.stdout
    assert "tiny: 8 clips; left out: 0 of other emotions" in result.stdout


def test_a_missing_model_is_said_so(tiny_corpora: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, command(tiny_corpora, tmp_path / "nowhere"))
    assert isinstance(result.exception, ModelMismatch)
    assert "model.json cannot be read" in str(result.exception)


def command(corpora: Path, model: Path, *more: str) -> list[str]:
    given = ["evaluate", "--corpora", str(corpora), "--model", str(model), "--processes", "1"]
    return [*given, *more]


def test_tables_show_every_figure(cold: Figures) -> None:
    console = Console(width=200)
    with console.capture() as captured:
        for shown in tables(cold):
            console.print(shown)
    text = captured.get()
    share = cold["by"]["gain_db"]["12"]["labels_changed"]
    assert f"{100 * share:.1f} % changed" in text
    assert "100.0 % reach" in text
    for value in ("ann", "bob", "pooled", "clean", "-12", "0.5"):
        assert f" {value} " in text


def test_a_codec_that_is_not_installed_is_missed_before_the_work(
    tiny_corpora: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: object) -> None:
        raise EmotionServiceError("opus needs PyAV")

    told: list[int] = []
    monkeypatch.setitem(CODECS, "opus", missing)
    trial = Trial(
        tiny_corpora, one_model(model_folder), "opus", Protocol.COLD, False, False, 1, seed=1
    )
    with pytest.raises(EmotionServiceError, match="opus needs PyAV"):
        hold(trial, 1, lambda *done: told.extend(done))
    assert told == []
