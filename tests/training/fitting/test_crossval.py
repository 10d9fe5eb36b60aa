"""Every speaker is judged by a model that never heard him, and an interrupted run goes on."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")
pytest.importorskip("onnx", reason="needs the extra [train]: make train-environment")

import torch
from rich.console import Console

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import LABELS, read_card
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.corpora.folds import FoldProtocol
from emotion_service.training.fitting.crossval import Fold, crossval, summarise, temperature_without
from emotion_service.training.fitting.fit import fit
from emotion_service.training.fitting.fitted import fitted_to, save
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.prepare import Example, speech, typical_of
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.judging.evaluate import Judged, calibration_error, fit_temperature

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = Recipe(epochs=1, draws=1, batch=8, lines_per_clip=2)


def judged(file: str, speaker: str, emotion: str, said: str, logit: float) -> Judged:
    return Judged(
        file, speaker, emotion, tuple(logit if label == said else 0.0 for label in LABELS)
    )


@dataclass(frozen=True)
class Run:
    """A run that was interrupted when ann was done and bob was not, and then went on."""

    out: Path
    ann: Fold
    report: dict[str, object]
    said: str

    def fold(self, speaker: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.out / speaker / "fold.json").read_text())
        return content


@pytest.fixture(scope="module")
def run(
    clips: list[Clip],
    examples: list[Example],
    cached: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    out = tmp_path_factory.mktemp("run")
    of_ann = [clip for clip in clips if clip.speaker == "ann"]
    of_bob = [example for example in examples if example.clip.speaker == "bob"]
    ann = Fold(
        "ann",
        ("ann",),
        tuple(judged(clip.path.name, "ann", clip.emotion, "anger", 3.0) for clip in of_ann),
    )
    (out / "ann").mkdir()
    (out / "ann" / "fold.json").write_text(json.dumps(asdict(ann)))
    save(fitted_to(EmotionNetwork(), typical_of(of_bob), of_bob), out / "ann")
    (out / "bob").mkdir()
    (out / "bob" / "fold.json.part").write_text('{"speaker": "bo')
    said = io.StringIO()
    report = crossval(speech(clips), RECIPE, FoldProtocol.LOSO, out, cached, 1, Console(file=said))
    return Run(out, ann, report, said.getvalue())


def test_a_run_goes_on_where_it_was_interrupted(run: Run) -> None:
    assert run.said.startswith("1/1 bob: UAR ")
    assert len(run.said.splitlines()) == 1
    assert run.fold("ann") == json.loads(json.dumps(asdict(run.ann)))
    folds = run.report["folds"]
    assert isinstance(folds, dict)
    assert list(folds) == ["ann", "bob"]
    assert folds["ann"] == 0.25
    assert json.loads((run.out / "crossval.json").read_text()) == json.loads(json.dumps(run.report))
    assert not list(run.out.glob("**/*.part"))


def test_each_speaker_is_judged_on_his_clips_alone(run: Run, clips: list[Clip]) -> None:
    own = [clip for clip in clips if clip.speaker == "bob"]
    given = [(j["file"], j["speaker"], j["emotion"]) for j in run.fold("bob")["judged"]]
    assert given == [(clip.path.name, "bob", clip.emotion) for clip in own]
    assert run.report["n_clips"] == 8


@pytest.mark.parametrize(("speaker", "others"), [("ann", ("bob",)), ("bob", ("ann",))])
def test_each_speaker_has_a_model_that_never_heard_him(
    run: Run, speaker: str, others: tuple[str, ...]
) -> None:
    card = read_card(run.out / speaker)
    assert (card.name, card.training_speakers) == (f"without-{speaker}", others)
    assert (run.out / speaker / "golden.npz").is_file()


def test_nobody_is_judged_by_a_model_that_learned_from_him(
    run: Run, examples: list[Example]
) -> None:
    """The very network that ann's clips alone give."""
    of_ann = [example for example in examples if example.clip.speaker == "ann"]
    expected = fit(of_ann, typical_of(of_ann), RECIPE, lambda *_: None).state_dict()
    given = torch.load(run.out / "bob" / "network.pt", weights_only=True)
    assert list(given) == list(expected)
    assert all(torch.equal(given[name], expected[name]) for name in expected)


def test_figures_of_other_clips_or_recipes_are_not_mixed(
    run: Run, clips: list[Clip], tmp_path: Path
) -> None:
    for other_clips, recipe, words in (
        (clips[1:], RECIPE, "different clips"),
        (clips, replace(RECIPE, seed=2), "different recipe"),
    ):
        given = speech(other_clips)
        with pytest.raises(CorpusError, match=words):
            crossval(given, recipe, FoldProtocol.LOSO, run.out, tmp_path, 1, Console())


# --- the report -------------------------------------------------------------------------------


def fold(speaker: str, right: int, of: int, logit: float) -> Fold:
    """So many of so many clips of anger are recognised."""
    said = ["anger"] * right + ["sadness"] * (of - right)
    return Fold(
        speaker, (speaker,), tuple(judged("a.flac", speaker, "anger", word, logit) for word in said)
    )


def test_a_speakers_temperature_is_that_of_the_others() -> None:
    some = [fold("ann", 9, 10, 1.0), fold("bob", 6, 10, 4.0), fold("eve", 5, 10, 2.0)]
    others = [*some[0].judged, *some[2].judged]
    assert temperature_without(some, "bob") == fit_temperature(others)


def clip(corpus: str) -> Clip:
    return Clip(corpus, Path("a.flac"), "somebody", "f", "en", "anger")


def test_a_fold_whose_clips_were_all_taken_for_no_speech_is_left_out() -> None:
    some = [fold("ann", 9, 10, 1.0), fold("bob", 3, 5, 4.0)]
    clips = {"ann": clip("first"), "bob": clip("first")}
    report = summarise(some, RECIPE, FoldProtocol.LOSO, clips)
    more = summarise(
        [*some, fold("eve", 0, 0, 1.0)], RECIPE, FoldProtocol.LOSO, {**clips, "eve": clip("first")}
    )
    assert more["folds"] == {**report["folds"], "eve": None}  # type: ignore[dict-item]
    assert more["ece_mean_of_folds"] == report["ece_mean_of_folds"]
    with pytest.raises(CorpusError, match="1 of 2 folds have a clip that was taken for speech"):
        summarise([some[0], fold("eve", 0, 0, 1.0)], RECIPE, FoldProtocol.LOSO, clips)


def test_the_auc_is_of_the_probability_of_anger_as_served() -> None:
    """A fit's logits have a constant of each clip's own, which means nothing."""
    angry, calm = (
        judged("a", "ann", "anger", "anger", 2.0),
        judged("b", "ann", "neutral", "anger", 1.0),
    )
    louder = replace(calm, logits=tuple(x + 9.0 for x in calm.logits))
    bob = [judged("c", "bob", "anger", "anger", 2.0), judged("d", "bob", "neutral", "anger", 1.0)]
    some = [Fold("ann", ("ann",), (angry, louder)), Fold("bob", ("bob",), tuple(bob))]
    report = summarise(
        some, RECIPE, FoldProtocol.LOSO, {"ann": clip("first"), "bob": clip("second")}
    )
    corpora = report["corpora"]
    assert isinstance(corpora, dict)
    assert report["auc_anger"] == corpora["first"]["auc_anger"] == 1.0


def test_the_report_by_hand() -> None:
    some = [fold("ann", 9, 10, 1.0), fold("bob", 3, 5, 4.0)]
    report = summarise(
        some, RECIPE, FoldProtocol.LOSO, {"ann": clip("first"), "bob": clip("second")}
    )
    errors = [
        calibration_error(some[0].judged, fit_temperature(some[1].judged)),
        calibration_error(some[1].judged, fit_temperature(some[0].judged)),
    ]
    assert report["uar"] == pytest.approx(12 / 15)
    assert report["recall"] == {"anger": pytest.approx(12 / 15)}
    assert report["folds"] == {"ann": pytest.approx(0.9), "bob": pytest.approx(0.6)}
    assert report["uar_ci95"] == [pytest.approx(0.6), pytest.approx(0.9)]
    assert report["ece_mean_of_folds"] == pytest.approx((10 * errors[0] + 5 * errors[1]) / 15)
    assert report["temperature"] == fit_temperature([*some[0].judged, *some[1].judged])
    assert (report["n_clips"], report["n_speakers"]) == (15, 2)
    assert report["protocol"] == "leave one speaker out, each clip cold, G.711 µ-law at 8 kHz"
    assert report["speakers"] == {
        "ann": {"corpus": "first", "sex": "f"},
        "bob": {"corpus": "second", "sex": "f"},
    }
    corpora = report["corpora"]
    assert isinstance(corpora, dict)
    assert {name: (own["uar"], own["n_clips"]) for name, own in corpora.items()} == {
        "first": (pytest.approx(0.9), 10),
        "second": (pytest.approx(0.6), 5),
    }
