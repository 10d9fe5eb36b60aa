"""The simulated calls hold what they say, and come back from the file as they were scored."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import alarm_calls, alarm_scores
from benchmarks.alarm_calls import MARGIN, Speaker, judged_by, simulate, spoken, unheard
from benchmarks.alarm_scores import events, scored
from emotion_service.app import load_scorer
from emotion_service.cues.states import Mood
from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import Clip
from emotion_service.types import Cue, FloatArray

EMOTIONS = ("anger", "happiness", "sadness", "neutral")


@pytest.fixture(scope="module")
def clips(
    speech: Callable[[float, int], FloatArray], tmp_path_factory: pytest.TempPathFactory
) -> list[Clip]:
    """One of each emotion of the speakers one (whom the tiny model has heard) and three."""
    folder = tmp_path_factory.mktemp("tiny")
    found = []
    for number, (name, emotion) in enumerate((n, e) for n in ("one", "three") for e in EMOTIONS):
        path = folder / f"{name}_{emotion}.flac"
        quiet = np.zeros(8000, np.float32)
        voice = np.concatenate([quiet, speech(1.4, number), quiet])
        soundfile.write(path, voice, 8000, subtype="PCM_16")
        found.append(Clip("tiny", path, name, "f", "en", emotion))
    return found


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of two episodes."""
    monkeypatch.setattr(alarm_calls, "EPISODES", 2)
    monkeypatch.setattr(alarm_calls, "EPISODE_SECONDS", 2.0)
    monkeypatch.setattr(alarm_calls, "STRETCH_SECONDS", (3.0, 5.0))


def test_a_clip_loses_what_is_quiet_before_and_after_it(clips: list[Clip]) -> None:
    whole, _ = soundfile.read(clips[0].path, dtype="float32")
    samples = spoken(clips[0])
    assert len(whole) == 27_200
    # the voice from the first block that holds any to the last, and the margin on either side
    assert 11_200 - 320 + 2 * MARGIN <= len(samples) <= 11_200 + 320 + 2 * MARGIN


@pytest.mark.usefixtures("short")
def test_an_angry_stretch_follows_each_other_one(clips: list[Clip]) -> None:
    call = simulate(clips[4:], "three", 0)
    moods = [stretch.emotion for stretch in call.stretches]
    assert moods[1::2] == ["anger", "anger"]
    assert sorted(moods[::2]) == ["happiness", "neutral", "sadness"]
    for stretch in call.stretches:
        assert stretch.end - stretch.start >= (2.0 if stretch.emotion == "anger" else 3.0) * 7600
    for before, after in pairwise(call.stretches):  # a pause, and the margins beside it
        assert 2400 + 2 * MARGIN <= after.start - before.end <= 7200 + 2 * MARGIN


@pytest.mark.usefixtures("short")
def test_between_the_stretches_nobody_speaks(clips: list[Clip]) -> None:
    call = simulate(clips[4:], "three", 0)
    level = np.abs(call.samples)
    for before, after in pairwise(call.stretches):
        assert level[before.start : before.end].max() > 0.1
        assert level[before.end + 160 : after.start - 160].max() < 0.01


@pytest.mark.usefixtures("short")
def test_the_seed_makes_the_call(clips: list[Clip]) -> None:
    call, again, other = (simulate(clips[4:], "three", seed) for seed in (0, 0, 1))
    assert np.array_equal(call.samples, again.samples)
    assert call.stretches == again.stretches
    assert call.stretches != other.stretches


def test_who_was_heard_is_not_judged(clips: list[Clip], model_folder: Path) -> None:
    (speaker,) = unheard(clips, [model_folder], corpus_known=False)
    assert speaker == Speaker("three", "tiny", tuple(clips[4:]), model_folder)
    assert unheard(clips, [model_folder], corpus_known=True) == [speaker]
    stranger = [Clip("other", c.path, "four", c.sex, c.language, c.emotion) for c in clips]
    assert len(unheard(clips + stranger, [model_folder], corpus_known=False)) == 2
    assert unheard(clips + stranger, [model_folder], corpus_known=True) == [speaker]


def test_a_model_judges_the_corpora_that_the_folds_do_not_know(
    clips: list[Clip], model_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(model_folder, fold := tmp_path / "without-three")
    stranger = [Clip("other", c.path, "four", c.sex, c.language, c.emotion) for c in clips[:4]]
    three = Speaker("three", "tiny", tuple(clips[4:]), fold)
    four = Speaker("four", "other", tuple(stranger), model_folder)
    assert judged_by(clips + stranger, [fold], model_folder) == [three, four]
    assert judged_by(clips + stranger, [fold], None) == [three]
    assert judged_by(clips + stranger, [], model_folder) == [
        four,
        replace(three, model=model_folder),
    ]
    assert judged_by(stranger, [fold], model_folder) == [four]


def test_without_anybody_new_it_says_what_to_do(clips: list[Clip], model_folder: Path) -> None:
    heard, never_angry = clips[:4], clips[5:]
    for own in (heard, never_angry):
        with pytest.raises(CorpusError, match="no speaker of the corpora is new to any of the mod"):
            judged_by(own, [model_folder], model_folder)
    with pytest.raises(CorpusError, match="no speaker"):
        judged_by(clips, [], None)


@pytest.mark.usefixtures("short")
def test_a_call_is_scored_once(
    clips: list[Clip], model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (speaker,) = unheard(clips, [model_folder], corpus_known=False)
    first = scored(speaker, 0, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(alarm_scores, "scores_of", None)
    assert scored(speaker, 0, tmp_path) == first
    with pytest.raises(TypeError):  # of another seed nothing is kept
        scored(speaker, 1, tmp_path)


@pytest.mark.usefixtures("short")
def test_the_kept_scores_make_the_cues_of_the_service(
    clips: list[Clip], model_folder: Path, tmp_path: Path
) -> None:
    (speaker,) = unheard(clips, [model_folder], corpus_known=False)
    kept, mood = scored(speaker, 0, tmp_path), Mood()
    replayed = [cue for score in kept.scores for cue in mood.observe(score)]
    replayed += mood.close(kept.duration)
    call = simulate(speaker.clips, speaker.name, 0)
    states = {cue.kind for cue in replayed}
    told_live = events(call.samples, load_scorer(model_folder))
    served = [event for event in told_live if isinstance(event, Cue) and event.kind in states]
    assert len(states) > 1

    def told(cue: Cue) -> tuple[object, ...]:
        return cue.kind, cue.phase, cue.start, cue.decided, cue.confidence, cue.evidence

    assert list(map(told, replayed[:-1])) == list(map(told, served[:-1]))
    assert (replayed[-1].kind, replayed[-1].phase) == (served[-1].kind, served[-1].phase)
