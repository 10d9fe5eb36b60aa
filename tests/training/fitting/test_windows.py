"""Training sees what serving sees: the same frames and contexts, to the bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emotion_service.audio.codecs import encode_pcma, encode_pcmu
from emotion_service.calls.scorer import Scorer, Window, look
from emotion_service.offline import analyze
from emotion_service.scoring.baseline import QUANTITIES, Baseline, Typical
from emotion_service.scoring.request import ScoredBatch, ScoringRequest
from emotion_service.scoring.speaker import Speaker, padded
from emotion_service.training.fitting.windows import windows_of
from emotion_service.types import (
    FEATURE_NAMES,
    Abstain,
    CallConfig,
    Consent,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    LegConfig,
    Pacing,
    Party,
)

Voice = Callable[[float, int], FloatArray]
ENCODERS = {"audio/PCMU": encode_pcmu, "audio/PCMA": encode_pcma}
TYPICAL = {name: Typical(4.0 + n, 2.0) for n, name in enumerate(QUANTITIES)}


class Watching(Scorer):
    """Keeps what the model would be shown, and claims nothing."""

    def __init__(self) -> None:
        self.model_version = self.model_licence = "none"
        self.windows: list[Window] = []

    def new_speaker(self) -> Speaker:
        return Speaker(TYPICAL)

    def score(self, batch: list[ScoringRequest]) -> ScoredBatch:
        windows = look(batch)
        self.windows += windows
        return ScoredBatch([_nothing(window) for window in windows], 0.0, 0.0)


def _nothing(window: Window) -> EmotionScore:
    return EmotionScore(
        permit=window.request.permit,
        sequence=window.request.sequence,
        start=window.frames.start,
        end=window.request.end,
        evidence=window.prosody.speech,
        quality=window.request.quality,
        model_version="none",
        probabilities=None,
        indices=None,
        provisional=True,
        abstain=window.abstain or Abstain.AMBIGUOUS,
        reasons=(),
    )


def served(samples: FloatArray, encoding: str, step: int) -> list[Window]:
    """The windows of a call in which this audio comes in messages of `step` samples."""
    data, scorer = ENCODERS[encoding](samples), Watching()
    leg = LegConfig("customer", Party.CUSTOMER, encoding, 8000)
    config = CallConfig(
        "c", (leg,), pacing=Pacing.RECORDED, disclosure_given=True, consent=Consent.GRANTED
    )
    pieces = (data[at : at + step] for at in range(0, len(data), step))
    for _ in analyze(config, (EncodedAudio("customer", piece) for piece in pieces), scorer):
        pass
    return scorer.windows


@pytest.mark.parametrize("encoding", ["audio/PCMU", "audio/PCMA"])
@pytest.mark.parametrize(("seconds", "seed"), [(0.7, 0), (2.23, 1), (7.0, 2)])
@pytest.mark.parametrize("step", [560, 100_000])
def test_training_is_shown_what_serving_shows(
    speech: Voice, encoding: str, seconds: float, seed: int, step: int
) -> None:
    samples = speech(seconds, seed)
    trained, serving = windows_of(samples, encoding), served(samples, encoding, step)
    assert len(trained.windows) == len(serving) >= seconds * 1.5 - 0.1
    contexts = trained.contexts(Baseline(TYPICAL))
    for index, window in enumerate(serving):
        frames, voice = trained.inputs(index)
        served_frames, served_voice = padded(window.frames)
        assert frames.tobytes() == served_frames.tobytes()
        assert voice.tobytes() == served_voice.tobytes()
        assert contexts[index] == window.context
        assert trained.windows[index].prosody == window.prosody
    usable = [index for index, window in enumerate(serving) if window.abstain is None]
    assert trained.usable == tuple(usable)


def test_the_frames_of_a_clip_are_kept_once(speech: Voice) -> None:
    windows = windows_of(speech(7.0, 2), "audio/PCMU")
    last = windows.windows[-1].last
    assert windows.values.shape == (last, len(FEATURE_NAMES))
    assert windows.voice.shape == (last,)
    assert sum(shown.new_speech for shown in windows.windows) == int(windows.voice.sum()) * 80


def test_a_clip_in_which_nobody_speaks_has_no_windows() -> None:
    windows = windows_of(np.zeros(16_000, np.float32), "audio/PCMU")
    assert (windows.windows, windows.usable, len(windows.voice)) == ((), (), 0)


def test_a_long_silence_keeps_its_place(speech: Voice) -> None:
    """Longer than a window: what no window covers has no voice."""
    pause = np.zeros(80_000, np.float32)
    windows = windows_of(np.concatenate([speech(1.0, 0), pause, speech(1.0, 0)]), "audio/PCMU")
    assert windows.windows[-1].last == len(windows.voice) == 1200
    assert windows.voice[:100].any()
    assert not windows.voice[150:1090].any()
    assert windows.voice[1100:].any()
    assert not windows.values[~windows.voice].any()
