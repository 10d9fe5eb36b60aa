"""Clips as serving would see them: telephone audio through a Leg, the windows it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from emotion_service.audio.codecs import encode_pcma, encode_pcmu
from emotion_service.calls.leg import Leg
from emotion_service.calls.scorer import ENOUGH_SPEECH, look
from emotion_service.scoring.baseline import QUANTITIES, Baseline, Typical
from emotion_service.scoring.request import ScoringRequest
from emotion_service.scoring.speaker import NO_FRAMES, Speaker, padded
from emotion_service.types import (
    HOP,
    SAMPLE_RATE_HERTZ,
    BoolArray,
    Consent,
    FeatureFrames,
    FloatArray,
    LegConfig,
    Party,
    Permit,
    Prosody,
)

UNKNOWN = {name: Typical(0.0, 1e9) for name in QUANTITIES}  # before anything is learned
ENCODERS: dict[str, Callable[[FloatArray], bytes]] = {
    "audio/PCMU": encode_pcmu,
    "audio/PCMA": encode_pcma,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One window: its place among the clip's frames, its prosody, its share of new speech."""

    first: int
    last: int
    prosody: Prosody
    new_speech: int  # samples


@dataclass(frozen=True, slots=True)
class ClipWindows:
    """All frames of a clip, float32 (t, F) and bool (t,), and its windows in order."""

    values: FloatArray
    voice: BoolArray
    windows: tuple[Shown, ...]

    @property
    def usable(self) -> tuple[int, ...]:
        """Indices of the windows with enough speech to be scored."""
        return tuple(
            i for i, shown in enumerate(self.windows) if shown.prosody.speech >= ENOUGH_SPEECH
        )

    def inputs(self, index: int) -> tuple[FloatArray, FloatArray]:
        """The model's frames and voice for one window, padded."""
        shown = self.windows[index]
        cut = slice(shown.first, shown.last)
        return padded(FeatureFrames(shown.first * HOP, self.values[cut], self.voice[cut]))

    def contexts(self, baseline: Baseline) -> list[tuple[float, float, float]]:
        """Each window's context, given what is known of the speaker before the clip."""
        contexts = []
        for shown in self.windows:
            contexts.append((baseline.mean("pitch"), shown.prosody.pace, baseline.mean("pace")))
            baseline.update(shown.prosody, shown.new_speech)
        return contexts


def windows_of(samples: FloatArray, encoding: str) -> ClipWindows:
    """Sends float32 (n,) at 8 kHz through codec, level, voice and features, as one leg."""
    new: list[FeatureFrames] = []
    shown: list[Shown] = []
    for request in requests(ENCODERS[encoding](samples), encoding, Speaker(UNKNOWN)):
        (window,) = look([request])
        fresh = request.end // HOP - sum(len(frames.voice) for frames in new)
        new.append(_last(window.frames, fresh))
        shown.append(
            Shown(
                window.frames.start // HOP,
                window.frames.end // HOP,
                window.prosody,
                int(new[-1].voice.sum()) * HOP,
            )
        )
    return ClipWindows(
        np.concatenate([NO_FRAMES.values, *(frames.values for frames in new)]),
        np.concatenate([NO_FRAMES.voice, *(frames.voice for frames in new)]),
        tuple(shown),
    )


def requests(data: bytes, encoding: str, speaker: Speaker) -> Iterator[ScoringRequest]:
    """The windows due of a customer's leg that carries this audio from its first sample on: each
    must be looked at before the next is asked for."""
    leg = Leg(LegConfig("customer", Party.CUSTOMER, encoding, SAMPLE_RATE_HERTZ))
    grant = leg.allow(Permit("customer", Party.CUSTOMER, True, Consent.GRANTED), speaker)
    count = 0
    for step in chain(leg.push(data, None, None), leg.finish()):
        if step.due:
            yield grant.request(step.at, count, 0)
            count += 1


def _last(frames: FeatureFrames, count: int) -> FeatureFrames:
    """The last `count` frames; those before a window that no window covers have no voice."""
    missing = max(0, count - len(frames.voice))
    cut = slice(len(frames.voice) - count + missing, None)
    return FeatureFrames(
        frames.end - count * HOP,
        np.pad(frames.values[cut], ((missing, 0), (0, 0))),
        np.pad(frames.voice[cut], (missing, 0)),
    )
