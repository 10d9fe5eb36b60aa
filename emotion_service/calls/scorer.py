"""Scores a batch of windows of any calls: features, baseline, model, reasons."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import numpy as np

from emotion_service.audio import features, prosody
from emotion_service.scoring.baseline import notable
from emotion_service.scoring.model import (
    LABELS,
    NON_SPEECH,
    OUTPUTS,
    EmotionModel,
    ModelCard,
    is_speech,
)
from emotion_service.scoring.request import ScoredBatch, ScoringRequest
from emotion_service.scoring.speaker import WINDOW_FRAMES, Speaker, padded
from emotion_service.types import (
    HOP,
    Abstain,
    EmotionScore,
    FeatureFrames,
    FloatArray,
    Indices,
    Permit,
    Probabilities,
    Prosody,
    Quality,
    Reason,
)

ENOUGH_SPEECH = 4800  # samples (0.6 s): below this nothing is claimed
FIRM_SPEECH = 9600  # samples (1.2 s): below this a score is provisional
LOST_LIMIT = 0.25  # of the window's audio: above this nothing is claimed


@dataclass(frozen=True, slots=True)
class Window:
    """A request with its frames: what the model is shown."""

    request: ScoringRequest
    frames: FeatureFrames
    prosody: Prosody
    context: tuple[float, float, float]
    shifts: tuple[Reason, ...]

    @property
    def abstain(self) -> Abstain | None:
        if self.prosody.speech < ENOUGH_SPEECH:
            return Abstain.TOO_LITTLE_SPEECH
        return Abstain.AUDIO_LOST if self.request.quality.lost_fraction > LOST_LIMIT else None


class Scorer:
    """Shared by all calls and immutable; the state of a speaker travels in the request."""

    def __init__(self, model: EmotionModel) -> None:
        self._model = model
        self.model_name = model.card.name
        self.model_version = model.card.full_name
        self.model_licence = model.card.licence
        self.model_sha256 = model.card.onnx_sha256

    def new_speaker(self) -> Speaker:
        """The memory of a speaker nobody has heard yet."""
        return Speaker(self._model.card.typical)

    def score(self, batch: list[ScoringRequest]) -> ScoredBatch:
        """One score a request, in the same order. The clock is read for the figures only.

        When it fails, no speaker has learned anything: the requests can be scored again.
        """
        with self.begun(batch) as scoring:
            scoring.ask()
            return scoring.scores()

    @contextmanager
    def begun(self, batch: list[ScoringRequest]) -> Iterator[Scoring]:
        """The same step by step. Whatever fails within, the speakers will have learned nothing."""
        memories = [(request.speaker, request.speaker.copy()) for request in batch]
        try:
            began = time.perf_counter()
            windows = look(batch)
            yield Scoring(self._model, windows, (time.perf_counter() - began) * 1e3)
        except Exception:
            for speaker, memory in memories:
                speaker.restore(memory)
            raise


class Scoring:
    """A batch on its way: what the model is to be shown is there, it has yet to be asked."""

    def __init__(self, model: EmotionModel, windows: list[Window], features_ms: float) -> None:
        self._model, self._windows, self._features_ms = model, windows, features_ms
        self._rows, self._model_ms = np.zeros((0, len(OUTPUTS)), np.float32), 0.0

    def ask(self) -> None:
        """Asks the model, nearly all of the time without holding the interpreter: in any thread."""
        began = time.perf_counter()
        shown = [window for window in self._windows if window.abstain is None]
        if shown:
            inputs = [padded(window.frames) for window in shown]
            self._rows = self._model.run(
                np.stack([values for values, _ in inputs]),
                np.stack([voice for _, voice in inputs]),
                np.array([window.context for window in shown], np.float32),
            )
        self._model_ms = (time.perf_counter() - began) * 1e3

    def scores(self) -> ScoredBatch:
        """After `ask`: the scores, in the order of the requests."""
        rows = iter(self._rows)
        scores = [
            _score(window, None if window.abstain else next(rows), self._model.card)
            for window in self._windows
        ]
        return ScoredBatch(scores, self._features_ms, self._model_ms)


def _score(window: Window, row: FloatArray | None, card: ModelCard) -> EmotionScore:
    request = window.request
    score = EmotionScore(
        permit=request.permit,
        sequence=request.sequence,
        start=window.frames.start,
        end=request.end,
        evidence=window.prosody.speech,
        quality=request.quality,
        model_version=card.full_name,
        probabilities=None,
        indices=None,
        provisional=window.prosody.speech < FIRM_SPEECH,
        abstain=window.abstain,
        reasons=notable(window.shifts),
        shifts=window.shifts,
    )
    return score if row is None else _answered(score, row, card)


def look(batch: list[ScoringRequest]) -> list[Window]:
    """What the model is shown for each request; training learns from these as well."""
    new_frames = features.extract([request.audio for request in batch])
    return [_window(request, new) for request, new in zip(batch, new_frames, strict=True)]


def skipped(
    permit: Permit, sequence: int, end: int, evidence: int, quality: Quality, model_version: str
) -> EmotionScore:
    """The score of a window that was not looked at because the leg fell behind."""
    return EmotionScore(
        permit=permit,
        sequence=sequence,
        start=max(0, end - WINDOW_FRAMES * HOP),
        end=end,
        evidence=evidence,
        quality=quality,
        model_version=model_version,
        probabilities=None,
        indices=None,
        provisional=evidence < FIRM_SPEECH,
        abstain=Abstain.OVERLOADED,
        reasons=(),
    )


def _window(request: ScoringRequest, new: FeatureFrames) -> Window:
    speaker = request.speaker
    frames = speaker.append(new)
    described = prosody.describe(frames)
    context = (speaker.baseline.mean("pitch"), described.pace, speaker.baseline.mean("pace"))
    # Of less speech the pace, for one, says nothing.
    enough = described.speech >= ENOUGH_SPEECH
    shifts = speaker.baseline.shifts(described) if enough else ()
    speaker.learn(described, new)
    return Window(request, frames, described, context, shifts)


def _answered(score: EmotionScore, row: FloatArray, card: ModelCard) -> EmotionScore:
    """The score with the model's answer, probabilities (5,) in OUTPUTS' order.

    Where non-speech wins nothing is claimed, not even how the voice differs from the usual one.
    """
    non_speech = float(row[OUTPUTS.index(NON_SPEECH)])
    if not is_speech(row):
        return replace(
            score, non_speech=non_speech, abstain=Abstain.NON_SPEECH, reasons=(), shifts=()
        )
    probabilities = _given_speech(row)
    indices = _indices(probabilities, card)
    return replace(score, non_speech=non_speech, probabilities=probabilities, indices=indices)


def _given_speech(row: FloatArray) -> Probabilities:
    emotions = [float(p) for p in row[: len(LABELS)]]
    return Probabilities(*(p / sum(emotions) for p in emotions))


def _indices(probabilities: Probabilities, card: ModelCard) -> Indices:
    by_label = asdict(probabilities)
    return Indices(
        arousal=sum(by_label[label] * weight for label, weight in card.arousal.items()),
        valence=sum(by_label[label] * weight for label, weight in card.valence.items()),
    )
