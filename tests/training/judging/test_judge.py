"""A verdict is what serving says last; a call before it changes nothing but what is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_service.calls.scorer import Scorer
from emotion_service.scoring.baseline import Baseline
from emotion_service.scoring.model import LABELS, EmotionModel, load
from emotion_service.training.corpora.corpus import Clip, read_audio
from emotion_service.training.fitting.windows import windows_of
from emotion_service.training.judging import history
from emotion_service.training.judging.condition import Condition
from emotion_service.training.judging.history import MOODS, NO_HISTORY
from emotion_service.training.judging.judge import (
    Protocol,
    Sitting,
    Verdict,
    judge,
    judge_all,
    scores,
    sittings,
)
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]

PLAIN = Condition()


def judged(
    clips: list[Clip],
    model: Path,
    protocol: Protocol = Protocol.COLD,
    condition: Condition = PLAIN,
    seed: int = 1,
) -> list[Verdict]:
    asked = sittings(clips, lambda _: model, protocol, condition, seed)
    return [verdict for verdicts in judge_all(asked, 1) for verdict in verdicts]


@pytest.fixture(scope="module")
def cold(clips: list[Clip], model_folder: Path) -> list[Verdict]:
    return judged(clips, model_folder)


def test_a_cold_verdict_is_the_models_of_the_last_window(
    cold: list[Verdict], clips: list[Clip], model_folder: Path
) -> None:
    """The rule of cross-validation, by the way of training."""
    model = load(model_folder)
    assert [verdict.clip for verdict in cold] == clips
    for verdict in cold:
        windows = windows_of(read_audio(verdict.clip.path), "audio/PCMU")
        index = windows.usable[-1]
        frames, voice = windows.inputs(index)
        context = windows.contexts(Baseline(model.card.typical))[index]
        (row,) = model.run(frames[None], voice[None], np.array([context], np.float32))
        assert verdict.judged is not None
        given = row[:4] / row[:4].sum()  # that it is speech
        assert np.exp(verdict.judged.logits) == pytest.approx(given, abs=1e-6)
        assert verdict.judged.speaker == f"tiny/{verdict.clip.speaker}"
        assert verdict.judged.emotion == verdict.clip.emotion
        arousal = sum(p * model.card.arousal[label] for p, label in zip(given, LABELS, strict=True))
        assert verdict.arousal == pytest.approx(arousal, abs=1e-6)
        assert (verdict.mood, verdict.reached, verdict.clipped) == ("", True, False)
        assert (verdict.asked, verdict.claimed) == (len(windows.usable), len(windows.usable))


def test_company_changes_no_score(clips: list[Clip], model_folder: Path) -> None:
    scorer = Scorer(load(model_folder))
    legs = [PLAIN.encoded(read_audio(clip.path)) for clip in clips[:3]]
    together = scores(scorer, [legs[0], legs[1][:4800], legs[2]], PLAIN.encoding)
    assert [len(given) for given in together] == [5, 2, 5]  # two of them of the first words
    assert together[2] == scores(scorer, legs[2:], PLAIN.encoding)[0]


def test_sittings_hold_one_speaker_each(clips: list[Clip], model_folder: Path) -> None:
    many = [replace(clip, path=Path(f"{n}-{clip.path.name}")) for clip in clips for n in range(5)]
    found = sittings(many, lambda _: model_folder, Protocol.WARM, PLAIN, 1)
    assert [len(sitting.clips) for sitting in found] == [16, 4, 16, 4]
    for sitting in found:
        assert {clip.speaker for clip in sitting.own} == {sitting.clips[0].speaker}
        assert len(sitting.own) == 20
        assert set(sitting.clips) <= set(sitting.own)


@pytest.fixture
def short(speech: Voice, tmp_path: Path) -> Clip:
    soundfile.write(tmp_path / "short.flac", speech(0.5, 3), 8000)
    return Clip("tiny", tmp_path / "short.flac", "ann", "f", "en", "anger")


def test_too_little_speech_gets_no_verdict(short: Clip, model_folder: Path) -> None:
    (verdict,) = judged([short], model_folder)
    assert (verdict.judged, verdict.arousal) == (None, 0.0)
    assert (verdict.asked, verdict.claimed) == (0, 0)


class Fickle(EmotionModel):
    """Takes some windows for no speech, in turn, and says of all others what the model would."""

    def __init__(self, folder: Path, *non_speech: bool) -> None:
        self.model, self.non_speech = load(folder), list(non_speech)
        self.card = self.model.card

    def run(self, frames: FloatArray, voice: FloatArray, context: FloatArray) -> FloatArray:
        rows = self.model.run(frames, voice, context)
        for row in rows:
            if self.non_speech.pop(0):
                row[:] = (0.0, 0.0, 0.0, 0.25, 0.75)
        return rows


@pytest.mark.parametrize(
    ("non_speech", "claimed", "last"),
    [((False, True, True, True), 1, 0), ((True, True, True, True), 0, None)],
)
def test_the_last_window_taken_for_speech_is_the_verdict(
    clips: list[Clip],
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    non_speech: tuple[bool, ...],
    claimed: int,
    last: int | None,
) -> None:
    usual, fickle = Scorer(load(model_folder)), Scorer(Fickle(model_folder, *non_speech))
    (given,) = scores(usual, [PLAIN.encoded(read_audio(clips[0].path))], PLAIN.encoding)
    asked = [score for score in given if score.non_speech is not None]
    monkeypatch.setattr("emotion_service.training.judging.judge._scorer", lambda folder: fickle)
    (verdict,) = judged(clips[:1], model_folder)
    assert (verdict.asked, verdict.claimed) == (len(asked), claimed)
    if last is None:
        assert (verdict.judged, verdict.arousal) == (None, 0.0)
    else:
        expected = asked[last].probabilities
        assert expected is not None
        assert verdict.judged is not None
        assert np.exp(verdict.judged.logits) == pytest.approx(astuple(expected))


@pytest.mark.usefixtures("shortened")
def test_nor_does_it_after_a_history(clips: list[Clip], short: Clip, model_folder: Path) -> None:
    """What was said before is not what is judged."""
    own = (*[clip for clip in clips if clip.speaker == "ann"], short)
    sitting = Sitting(model_folder, Protocol.WARM, PLAIN, 1, (short,), own)
    (verdict,) = judge(sitting)
    assert verdict.judged is None
    assert verdict.mood in MOODS


# --- warm -------------------------------------------------------------------------------------


@pytest.fixture
def shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories of one turn: the shortest that there are."""
    monkeypatch.setattr(history, "HISTORY_SECONDS", 1.0)


@pytest.mark.usefixtures("shortened")
def test_a_history_moves_the_verdict_and_its_seed_alone_decides_how(
    cold: list[Verdict], clips: list[Clip], model_folder: Path
) -> None:
    own = tuple(clip for clip in clips if clip.speaker == "bob")
    first, again, other = (
        judge(Sitting(model_folder, Protocol.WARM, PLAIN, seed, own[:1], own)) for seed in (1, 1, 2)
    )
    assert again == first
    assert first[0].mood in MOODS
    assert first[0].judged != cold[4].judged
    assert other[0].judged != first[0].judged


def test_a_speaker_with_one_clip_is_heard_as_if_cold(
    cold: list[Verdict], clips: list[Clip], model_folder: Path
) -> None:
    """His own clip is never in his history."""
    (verdict,) = judged(clips[2:3], model_folder, Protocol.WARM)
    assert verdict == replace(cold[2], mood=NO_HISTORY)


# --- conditions -------------------------------------------------------------------------------


def test_a_clip_is_judged_by_its_first_seconds(
    cold: list[Verdict], clips: list[Clip], model_folder: Path
) -> None:
    (nothing,) = judged(clips[:1], model_folder, condition=Condition(seconds=0.5))
    assert (nothing.judged, nothing.reached) == (None, True)
    (some,) = judged(clips[:1], model_folder, condition=Condition(seconds=0.8))
    assert some.reached
    assert some.judged is not None
    assert some.judged != cold[0].judged
    (whole,) = judged(clips[:1], model_folder, condition=Condition(seconds=4.0))
    assert whole == replace(cold[0], reached=False)


def test_noise_changes_the_verdict_and_is_seeded(
    cold: list[Verdict], clips: list[Clip], model_folder: Path
) -> None:
    noisy, again = (
        judged(clips[:1], model_folder, condition=Condition(snr_db=10.0)) for _ in range(2)
    )
    assert noisy == again
    assert noisy[0].judged != cold[0].judged


def test_processes_make_no_difference(
    cold: list[Verdict], clips: list[Clip], model_folder: Path
) -> None:
    asked = sittings(clips, lambda _: model_folder, Protocol.COLD, PLAIN, 1)
    assert [v for verdicts in judge_all(asked, 2) for v in verdicts] == cold
