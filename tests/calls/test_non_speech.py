"""A call whose customer's leg carries what passes for a voice, but is no speech to the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.scorer import Scorer
from emotion_service.offline import analyze
from emotion_service.scoring.model import EmotionModel, read_card
from emotion_service.types import (
    Abstain,
    CallConfig,
    CallSummary,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    StateTime,
)

ANGER = (0.875, 0.0, 0.0, 0.0, 0.125)
LAUGHTER = (0.375, 0.0, 0.0, 0.0, 0.625)


class Hears(EmotionModel):
    """Anger in the first windows it is shown, laughter in all others."""

    def __init__(self, folder: Path, angry: int) -> None:
        self.card, self.angry = read_card(folder), angry

    def run(self, frames: FloatArray, voice: FloatArray, context: FloatArray) -> FloatArray:
        rows = [ANGER if number < self.angry else LAUGHTER for number in range(len(frames))]
        self.angry -= len(rows)
        return np.array(rows, np.float32)


@pytest.fixture(scope="module")
def audio(speech: Callable[[float, int], FloatArray]) -> list[EncodedAudio]:
    """Eighteen seconds with hardly a pause."""
    return [EncodedAudio("customer", encode_pcmu(speech(1.0, 0)) * 18)]


def test_laughter_alone_is_no_mood(
    config: CallConfig, audio: list[EncodedAudio], model_folder: Path
) -> None:
    events = list(analyze(config, audio, Scorer(Hears(model_folder, 0))))
    first, *scores = [event for event in events if isinstance(event, EmotionScore)]
    assert (first.abstain, first.non_speech) == (Abstain.TOO_LITTLE_SPEECH, None)
    assert len(scores) >= 30
    assert {(score.abstain, score.non_speech) for score in scores} == {(Abstain.NON_SPEECH, 0.625)}
    cues = [event for event in events if isinstance(event, Cue)]
    assert {cue.kind for cue in cues} == {CueKind.INSUFFICIENT_EVIDENCE}
    assert {cue.abstain for cue in cues[1:]} == {Abstain.NON_SPEECH}
    assert {cue.reasons for cue in cues[1:]} == {()}
    (summary,) = [event for event in events if isinstance(event, CallSummary)]
    assert summary.legs[0].abstained == summary.legs[0].scores == 1 + len(scores)


def test_laughter_after_anger_prolongs_nothing(
    config: CallConfig, audio: list[EncodedAudio], model_folder: Path
) -> None:
    events = list(analyze(config, audio, Scorer(Hears(model_folder, 4))))
    scores = [event for event in events if isinstance(event, EmotionScore)]
    angry = [score.end for score in scores if score.probabilities is not None]
    assert len(angry) == 4
    cues = [event for event in events if isinstance(event, Cue)]
    agitated = [cue for cue in cues if cue.kind is CueKind.AGITATED]
    assert [cue.phase for cue in agitated] == [CuePhase.ONSET, CuePhase.OFFSET]
    assert (agitated[-1].start, agitated[-1].end) == (angry[0], angry[-1])
    assert cues[cues.index(agitated[-1]) + 1].abstain is Abstain.NON_SPEECH
    (summary,) = [event for event in events if isinstance(event, CallSummary)]
    assert StateTime("customer", CueKind.AGITATED, 1, angry[-1] - angry[0]) in summary.states
