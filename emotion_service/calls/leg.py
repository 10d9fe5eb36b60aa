"""The state of one leg of a call: bytes in, activity and due windows out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from emotion_service.audio.activity import ActivityTracker
from emotion_service.audio.codecs import LegDecoder, Resampler
from emotion_service.audio.ear import Blocks, Ear, listen
from emotion_service.audio.features import CONTEXT
from emotion_service.audio.pace import PaceTracker
from emotion_service.audio.placement import Placer, Stretch
from emotion_service.calls.history import Heard, History
from emotion_service.scoring.request import ScoringRequest
from emotion_service.scoring.speaker import WINDOW_FRAMES, Speaker
from emotion_service.types import (
    BLOCK,
    HOP,
    BoolArray,
    FloatArray,
    LegConfig,
    LineState,
    Pace,
    Permit,
    Placement,
    Quality,
    Sound,
    SpeechActivity,
    VoicedAudio,
)

SCORE_HOP = 4000  # samples (500 ms): windows end on this grid
NEW_SPEECH = 800  # samples (100 ms) of speech since the last window make another worth while
WINDOW = WINDOW_FRAMES * HOP
LEAD_IN = -(-CONTEXT // BLOCK) * BLOCK  # whole blocks that cover the features' context
FULL_SCALE = 0.98  # |sample| from which it counts as clipped


@dataclass(frozen=True, slots=True)
class Progress:
    """A leg's audio is decided up to `at`: what changed, whether a window is due there, and the
    pace of seconds that are over."""

    at: int
    activities: list[SpeechActivity]
    due: bool
    paces: list[Pace] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decided:
    """Whole blocks as received, and what they carry."""

    samples: FloatArray
    lost: BoolArray  # by sample
    blocks: Blocks

    def remembered(self, speech: list[bool]) -> Heard:
        """What a later window needs of it."""
        clipped = np.zeros(len(speech), np.float32)
        full_scale = np.abs(self.samples) >= FULL_SCALE
        if full_scale.any():  # which is rare
            clipped = full_scale.reshape(-1, BLOCK).mean(axis=1, dtype=np.float32)
        lost = np.logical_or.reduce(self.lost.reshape(-1, BLOCK), axis=1)
        return Heard(self.samples, np.array(speech), lost, clipped)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Blocks of a long gap that nobody hears."""

    blocks: int


class Grant:
    """What exists of a leg only while it may be scored: its audio history and its speaker."""

    def __init__(self, permit: Permit, speaker: Speaker, at: int) -> None:
        self.permit = permit
        self.history = History(WINDOW + LEAD_IN, LEAD_IN)
        self._speaker = speaker
        self._covered = at  # frames up to here have been requested

    def request(self, at: int, sequence: int, skipped_windows: int) -> ScoringRequest:
        """The window that ends at `at`; covers the frames no request has covered before."""
        count = min(at - self._covered, WINDOW, len(self.history) - LEAD_IN) // HOP
        heard = self.history.last(count * HOP + LEAD_IN)
        samples = heard.samples[len(heard.samples) - count * HOP - CONTEXT :]
        voice = np.repeat(heard.speech, BLOCK // HOP)[-count:]
        self._covered = at
        return ScoringRequest(
            self.permit,
            sequence,
            VoicedAudio(self.permit.leg, at - len(samples), samples, voice),
            self._speaker,
            self.quality(skipped_windows),
        )

    def quality(self, skipped_windows: int) -> Quality:
        lost, clipped = self.history.quality(min(WINDOW, len(self.history) - LEAD_IN))
        return Quality(lost, clipped, skipped_windows)

    def evidence(self) -> int:
        """Samples of speech in the window that ends now."""
        return int(self.history.last(WINDOW).speech.sum()) * BLOCK


class Leg:
    """One leg: decoding, placement, voice, and the grid of windows."""

    def __init__(self, config: LegConfig) -> None:
        self.config = config
        self.party = config.party
        self.line = LineState.OPEN
        self.at = 0  # samples decided, a multiple of BLOCK
        self.grant: Grant | None = None
        self._decoder = LegDecoder(config.encoding, config.sample_rate_hertz, config.channels)
        self._placer = Placer(config.sample_rate_hertz)
        self._resampler = Resampler(config.sample_rate_hertz)
        self._samples = np.zeros(0, np.float32)  # not yet a whole block
        self._lost = np.zeros(0, np.bool_)
        self.ear = Ear()
        self._decided: list[Decided | Skipped] = []
        self._tracker = ActivityTracker(config.leg)
        self._pace = PaceTracker(config.leg)
        self._new_speech = 0

    def allow(self, permit: Permit, speaker: Speaker) -> Grant:
        """From here on the leg may be scored; what was said before counts for nothing."""
        self.grant = Grant(permit, speaker, self.at)
        self._new_speech = 0
        return self.grant

    @property
    def sound(self) -> Sound:
        return self._tracker.sound

    @property
    def frame_bytes(self) -> int:
        """Bytes of one instant of this leg."""
        return self._decoder.frame_bytes

    @property
    def placement(self) -> Placement:
        return self._placer.counters

    def push(
        self, data: bytes, offset_seconds: float | None, sequence: int | None
    ) -> Iterator[Progress]:
        """A message of this leg alone: `receive`, `hear` and `progress` in one.

        Raises:
            BadInput: see receive.
        """
        self.receive(data, offset_seconds, sequence)
        hear([self])
        return self.progress()

    def finish(self) -> Iterator[Progress]:
        """No more audio: decides what is held; a last window is due if speech came after one."""
        self._take(self._placer.flush())
        self._add(self._resampler.push(np.zeros(0, np.float32), last=True), lost=False)
        self._add(np.zeros(-len(self._samples) % BLOCK, np.float32), lost=False)
        hear([self])
        yield from self.progress()
        due = self._new_speech >= NEW_SPEECH
        self._new_speech = 0
        yield Progress(self.at, [], due, self._pace.finish())

    # --- a message in three steps, of which the second is for all its legs together ---

    def receive(self, data: bytes, offset_seconds: float | None, sequence: int | None) -> None:
        """Decodes a message's bytes and places them.

        Raises:
            BadInput: the bytes are no whole samples, or lie implausibly far away.
        """
        samples = self._decoder.decode(data)
        self._take(self._placer.place(samples, offset_seconds, sequence))

    def take(self) -> tuple[FloatArray, BoolArray]:
        """The whole blocks received and not heard: float32 (k * BLOCK,), and which samples of
        them were lost."""
        whole = len(self._samples) // BLOCK * BLOCK
        samples, self._samples = self._samples[:whole], self._samples[whole:]
        lost, self._lost = self._lost[:whole], self._lost[whole:]
        return (samples if self.line is LineState.OPEN else np.zeros_like(samples)), lost

    def decide(self, part: Decided | Skipped) -> None:
        """What was taken has been heard; see `hear`."""
        self._decided.append(part)

    def progress(self) -> Iterator[Progress]:
        """What has been decided since it was last asked for.

        The leg moves on step by step: a due window must be requested before the next step.
        """
        decided, self._decided = self._decided, []
        for part in decided:
            yield from self._follow(part)

    def _take(self, stretches: list[Stretch]) -> None:
        for stretch in stretches:
            if stretch.skipped:
                hear([self])
                self.decide(Skipped(stretch.skipped))
            # The resampler's delay (some ms) blurs where a lost stretch begins: harmless here.
            self._add(self._resampler.push(stretch.samples), stretch.lost)

    def _add(self, samples: FloatArray, lost: bool) -> None:
        marks = np.full(len(samples), lost)
        if len(self._samples):
            samples = np.concatenate([self._samples, samples])
            marks = np.concatenate([self._lost, marks])
        self._samples, self._lost = samples, marks

    def _follow(self, part: Decided | Skipped) -> Iterator[Progress]:
        if isinstance(part, Skipped):
            self.at += part.blocks * BLOCK
            self._tracker.skip(part.blocks)
            yield Progress(self.at, [], False, self._pace.skip(part.blocks))
            return
        sounds, vowels = part.blocks.sounds, part.blocks.vowels
        speech = [sound is Sound.SPEECH for sound in sounds]
        # Remembered only of a leg that may be scored.
        heard = None if self.grant is None else part.remembered(speech)
        for cut in self._cuts(len(speech)):
            if self.grant is not None and heard is not None:
                self.grant.history.add(heard.part(cut))
            paces = self._pace.follow(sounds[cut], vowels[cut])
            yield self._advance(sounds[cut], speech[cut], paces)

    def _cuts(self, blocks: int) -> list[slice]:
        """Splits new blocks where the grid of windows does, so that none spans a grid point."""
        grid = SCORE_HOP // BLOCK
        first = grid - self.at // BLOCK % grid
        edges = [0, *range(first, blocks, grid), blocks]
        return [slice(a, b) for a, b in pairwise(edges)]

    def _advance(self, sounds: Sequence[Sound], speech: list[bool], paces: list[Pace]) -> Progress:
        activities = self._tracker.follow(sounds)
        self.at += len(speech) * BLOCK
        self._new_speech += sum(speech) * BLOCK
        due = self.at % SCORE_HOP == 0 and (
            self.sound is Sound.SPEECH or self._new_speech >= NEW_SPEECH
        )
        if due:
            self._new_speech = 0
        return Progress(self.at, activities, due, paces)


def hear(legs: Sequence[Leg]) -> None:
    """Decides all whole blocks that these legs have received."""
    taken = [(leg, *leg.take()) for leg in legs]
    taken = [(leg, samples, lost) for leg, samples, lost in taken if len(samples)]
    if not taken:
        return
    answers = listen([leg.ear for leg, _, _ in taken], [samples for _, samples, _ in taken])
    for (leg, samples, lost), blocks in zip(taken, answers, strict=True):
        leg.decide(Decided(samples, lost, blocks))
