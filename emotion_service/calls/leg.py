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
from emotion_service.calls.scorer import ENOUGH_SPEECH, FIRM_SPEECH
from emotion_service.scoring.request import ScoringRequest
from emotion_service.scoring.speaker import WINDOW_FRAMES, Speaker
from emotion_service.types import (
    BLOCK,
    HOP,
    SAMPLE_RATE_HERTZ,
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

SCORE_HOP = 4000  # samples (500 ms): windows end on this grid,
STRIDE = SCORE_HOP // 2  # and a leg is worth hearing on this one: no window waits for it
# Samples of speech, since a leg may be scored, with which a window does not wait for the grid.
FIRST_WORDS = (ENOUGH_SPEECH, FIRM_SPEECH)
NEW_SPEECH = 800  # samples (100 ms) of speech since the last window make another worth while
WINDOW = WINDOW_FRAMES * HOP
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
    lost: list[float]  # share of each block
    blocks: Blocks

    def remembered(self, speech: list[bool]) -> Heard:
        """What a later window needs of it."""
        clipped = [0.0] * len(speech)
        magnitude = np.abs(self.samples)
        if magnitude.max() >= FULL_SCALE:  # which is rare
            full_scale = (magnitude >= FULL_SCALE).reshape(-1, BLOCK)
            clipped = full_scale.mean(axis=1, dtype=np.float32).tolist()
        return Heard(self.samples, speech, self.lost, clipped)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Blocks of a long gap that nobody hears."""

    blocks: int


class Grant:
    """What exists of a leg only while it may be scored: its audio history and its speaker."""

    def __init__(self, permit: Permit, speaker: Speaker) -> None:
        self.permit = permit
        self.history = History(WINDOW, CONTEXT)
        self._speaker = speaker

    def request(self, at: int, sequence: int, skipped_windows: int) -> ScoringRequest:
        """The window that ends at `at`; covers the frames no request has covered before."""
        samples, speech = self.history.take()
        voice = np.repeat(speech, BLOCK // HOP)
        return ScoringRequest(
            self.permit,
            sequence,
            VoicedAudio(self.permit.leg, at - len(samples), samples, voice),
            self._speaker,
            self.quality(skipped_windows),
        )

    def quality(self, skipped_windows: int) -> Quality:
        return Quality(*self.history.quality(), skipped_windows)

    def evidence(self) -> int:
        """Samples of speech in the window that ends now."""
        return self.history.speech()


class Leg:
    """One leg: decoding, placement, voice, and the grid of windows."""

    def __init__(self, config: LegConfig) -> None:
        self.config = config
        self.party = config.party
        self.line = LineState.OPEN
        self.received = 0  # samples placed, whether or not they have been heard
        self.at = 0  # samples decided, a multiple of BLOCK
        self.longest_message = 0  # samples
        self.grant: Grant | None = None
        self._granted_from = 0  # samples: what had come before is silence to it
        self._decoder = LegDecoder(config.encoding, config.sample_rate_hertz, config.channels)
        self._placer = Placer(config.sample_rate_hertz)
        self._resampler = Resampler(config.sample_rate_hertz)
        self._unheard: list[FloatArray] = []  # the latest of what was received,
        self._lost: list[tuple[int, int]] = []  # and which of it was lost: counted like `received`
        self.ear = Ear()
        self._decided: list[Decided | Skipped] = []
        self._tracker = ActivityTracker(config.leg)
        self._pace = PaceTracker(config.leg)
        self._new_speech = 0
        # Samples of speech since it may be scored, counted up to FIRM_SPEECH, and of silence since.
        self._spoken = self._quiet = 0

    def allow(self, permit: Permit, speaker: Speaker) -> Grant:
        """From here on the leg may be scored; what has come before counts for nothing."""
        self.grant = Grant(permit, speaker)
        self._granted_from = self.received + self._resampler.held
        self._new_speech = self._spoken = self._quiet = 0
        return self.grant

    @property
    def sound(self) -> Sound:
        return self._tracker.sound

    def fall_silent(self) -> list[SpeechActivity]:
        """The call went on without this leg: it carries nothing until more of it comes."""
        return self._tracker.fall_silent()

    @property
    def worth_hearing(self) -> bool:
        """Whether the blocks up to a multiple of STRIDE have come, or so many that the first words
        may be enough. Less can be heard, with the same result, but costs as much: it waits for the
        next message, an update, the end."""
        reached = self.received // BLOCK * BLOCK
        missing = self._missing()
        if missing is not None and reached - self.at >= missing:
            return True
        return reached // STRIDE > self.at // STRIDE

    def _missing(self) -> int | None:
        """Samples of speech until the next window of the first words; None: they are over."""
        if self.grant is None or self._spoken >= FIRM_SPEECH:
            return None
        return min(enough for enough in FIRST_WORDS if enough > self._spoken) - self._spoken

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

    def settle(self) -> None:
        """Places what is held for its order: something changes that must not hold for it."""
        self._take(self._placer.flush())

    def finish(self) -> Iterator[Progress]:
        """No more audio: decides what is held; a last window is due if speech came after one."""
        self.settle()
        self._add(self._resampler.push(np.zeros(0, np.float32), last=True), lost=False)
        self._add(np.zeros(-self.received % BLOCK, np.float32), lost=False)
        hear([self])
        yield from self.progress()
        due = self._new_speech >= NEW_SPEECH
        self._new_speech = 0
        yield Progress(self.at, [], due, self._pace.finish())

    # --- a message in three steps, of which the second is for all its legs together ---

    def receive(
        self, data: bytes, offset_seconds: float | None, sequence: int | None, reached: int = 0
    ) -> None:
        """Decodes a message's bytes and places them; see `place`.

        Raises:
            BadInput: the bytes are no whole samples, or lie implausibly far away.
        """
        self.place(self._decoder.decode(data), offset_seconds, sequence, reached)

    def decode_legs(self, data: bytes, legs: int) -> list[FloatArray]:
        """Bytes of so many legs like this one, interleaved: what to `place` on each.

        Raises:
            BadInput: the bytes are no whole samples of all of them.
        """
        return self._decoder.decode_legs(data, legs)

    def place(
        self,
        samples: FloatArray,
        offset_seconds: float | None,
        sequence: int | None,
        reached: int = 0,
    ) -> None:
        """Places a message's decoded samples, float32 (n,) at the leg's own rate, in a call that
        has come to `reached` samples.

        Raises:
            BadInput: they lie implausibly far away.
        """
        reached_seconds = reached / SAMPLE_RATE_HERTZ
        self._take(self._placer.place(samples, offset_seconds, sequence, reached_seconds))
        length = len(samples) * SAMPLE_RATE_HERTZ // self.config.sample_rate_hertz
        self.longest_message = max(self.longest_message, length)

    def take(self) -> tuple[FloatArray, list[float]]:
        """The whole blocks received and not heard: float32 (k * BLOCK,), and of each of the k what
        share is lost."""
        unheard = self._unheard
        samples = unheard[0] if len(unheard) == 1 else np.concatenate([_NOTHING, *unheard])
        start, end = self.received - len(samples), self.received // BLOCK * BLOCK
        self._unheard = [samples[end - start :]] if end < self.received else []
        lost = self._take_lost(start, end) if self._lost else [0.0] * ((end - start) // BLOCK)
        return samples[: end - start], lost

    def _take_lost(self, start: int, end: int) -> list[float]:
        """Of the blocks in [start, end): what share of each was lost."""
        spans = self._lost
        self._lost = [(max(first, end), last) for first, last in spans if last > end]
        return [
            sum(max(0, min(last, at + BLOCK) - max(first, at)) for first, last in spans) / BLOCK
            for at in range(start, end, BLOCK)
        ]

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
                self._skip(stretch.skipped)
            samples = stretch.samples
            if self.line is not LineState.OPEN:
                samples = np.zeros_like(samples)
            # The resampler's delay (some ms) blurs where a lost stretch begins: harmless here.
            self._add(self._resampler.push(samples), stretch.lost)

    def _skip(self, blocks: int) -> None:
        hear([self])
        self.decide(Skipped(blocks))
        length = blocks * BLOCK
        self.received += length
        self._lost = [(first + length, last + length) for first, last in self._lost]

    def _add(self, samples: FloatArray, lost: bool) -> None:
        self._unheard.append(samples)
        start, self.received = self.received, self.received + len(samples)
        if lost:
            self._lost.append((start, self.received))

    def _follow(self, part: Decided | Skipped) -> Iterator[Progress]:
        if isinstance(part, Skipped):
            self.at += part.blocks * BLOCK
            self._tracker.skip(part.blocks)
            yield Progress(self.at, [], False, self._pace.skip(part.blocks))
            return
        sounds, vowels = part.blocks.sounds, part.blocks.vowels
        speech = [sound is _SPEECH for sound in sounds]
        # Remembered only of a leg that may be scored.
        heard = None if self.grant is None else part.remembered(speech)
        if heard is not None and self.at < self._granted_from:
            heard = heard.silent(min(-(-(self._granted_from - self.at) // BLOCK), len(speech)))
            speech = heard.speech
        enough = [] if heard is None else self._first_words(speech)
        for cut in self._cuts(len(speech), enough):
            if self.grant is not None and heard is not None:
                self.grant.history.add(heard.part(cut))
            paces = self._pace.follow(sounds[cut], vowels[cut])
            yield self._advance(sounds[cut], speech[cut], paces, cut.stop in enough)

    def _first_words(self, speech: list[bool]) -> list[int]:
        """After how many of these blocks the first words are enough. What was said before a whole
        window of silence is forgotten."""
        found: list[int] = []
        if self._missing() is None:  # nearly always
            return found
        for number, said in enumerate(speech, 1):
            self._quiet = 0 if said else self._quiet + BLOCK
            self._spoken = 0 if self._quiet >= WINDOW else self._spoken + said * BLOCK
            if said and self._spoken in FIRST_WORDS:
                found.append(number)
            if self._spoken >= FIRM_SPEECH:
                break
        return found

    def _cuts(self, blocks: int, enough: list[int]) -> list[slice]:
        """Splits new blocks where a window may be due: on the grid, and after the first words."""
        grid = SCORE_HOP // BLOCK
        first = grid - self.at // BLOCK % grid
        if blocks <= first and not enough:  # nearly always
            return [slice(0, blocks)]
        edges = sorted({0, *range(first, blocks, grid), *enough, blocks})
        return [slice(a, b) for a, b in pairwise(edges)]

    def _advance(
        self, sounds: Sequence[Sound], speech: list[bool], paces: list[Pace], enough: bool
    ) -> Progress:
        activities = self._tracker.follow(sounds)
        self.at += len(speech) * BLOCK
        self._new_speech += sum(speech) * BLOCK
        on_grid = self.at % SCORE_HOP == 0
        spoke = self.sound is Sound.SPEECH or self._new_speech >= NEW_SPEECH
        due = enough or (on_grid and spoke)
        if due:
            self._new_speech = 0
        return Progress(self.at, activities, due, paces)


_SPEECH = Sound.SPEECH  # a name is found ten times as fast as an enum's member
_NOTHING = np.zeros(0, np.float32)


def hear(legs: Sequence[Leg]) -> None:
    """Decides all whole blocks that these legs have received."""
    taken = [(leg, *leg.take()) for leg in legs]
    taken = [(leg, samples, lost) for leg, samples, lost in taken if len(samples)]
    if not taken:
        return
    answers = listen([leg.ear for leg, _, _ in taken], [samples for _, samples, _ in taken])
    for (leg, samples, lost), blocks in zip(taken, answers, strict=True):
        leg.decide(Decided(samples, lost, blocks))
