"""The jitter buffer, in sample time: messages in any order become one gapless time axis.

What is in order goes through at once. What is ahead waits until 200 ms of audio have come; then
the hole before it becomes a gap. A sender counts in samples (an offset with each message) or in
messages (a sequence number): a scale knows what that means, all else is the same for both.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emotion_service.audio.rate import RateWatch
from emotion_service.errors import BadInput
from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, FloatArray, Placement

HOLD_MS = 200
SNAP_MS = 5  # offsets are often truncated to milliseconds
MAX_JUMP_SECONDS = 600
STALE_SECONDS = 30  # of messages in a row that bring nothing new: they are counted from elsewhere
GAP_BEGIN_SECONDS = 1  # of a long gap, for what ends in it: a resampler's delay, a speech
GAP_END_SECONDS = 6  # and for what looks back from its end: a window, the sound gate
GAPS_REMEMBERED = 100  # to tell late audio from repeated audio


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the time axis: float32 (n,) at the leg's own rate, zeros where `lost`.

    Before it `skipped` blocks of a long gap are left out: nobody needs to hear all of it.
    """

    samples: FloatArray
    lost: bool = False
    skipped: int = 0


class Placer:
    """Places the decoded messages of one leg.

    All stretches together are the leg's audio since the call began, each sample once, but for
    the middle of gaps of more than 7 s, which would hold up the other calls. Nothing lies 5 ms or
    more from where its offset puts it, and never more than 200 ms are held.
    """

    def __init__(self, sample_rate_hertz: int) -> None:
        self._rate = sample_rate_hertz
        self._hold = sample_rate_hertz * HOLD_MS // 1000
        self._snap = -(-sample_rate_hertz * SNAP_MS // 1000)
        self._offsets, self._sequences = _Offsets(self._snap), _Sequences()
        self._scale: _Scale = self._offsets
        self._next_sequence: int | None = None
        self._rates = RateWatch(sample_rate_hertz)
        self._front = _Front()
        self._held: list[_Message] = []  # by start
        self._early: list[int] = []  # where messages start that nothing has yet come in before
        self._gap_keys: deque[tuple[int, int]] = deque(maxlen=GAPS_REMEMBERED)
        self._gaps = self._lost = 0
        self._stale = 0  # samples that came since the last that were new
        self._overlaps = self._duplicates = self._reordered = self._late = 0

    def place(
        self,
        samples: FloatArray,
        offset_seconds: float | None,
        sequence: int | None,
        reached_seconds: float = 0.0,
    ) -> list[Stretch]:
        """Takes a message's mono audio, float32 (n,); returns what has become certain.

        The offset places it, without one the sequence number, with neither it follows on. The
        first sequence number is taken for the beginning of the call. `reached_seconds`: how far
        the call has come on its other legs.

        Raises:
            BadInput: IMPLAUSIBLE_OFFSET, when negative, not finite, over 10 minutes ahead of this
                leg and of the others, or after 30 s in which all lay behind;
                RATE_CONTRADICTED, when the offsets have long implied another rate.
        """
        if offset_seconds is not None and not 0 <= offset_seconds * self._rate < math.inf:
            raise _implausible("The offset of a message is negative or not a number")
        ready = self._choose_scale(offset_seconds, sequence)
        start = self._start(offset_seconds, sequence)
        missing = self._scale.missing(start, self._front)
        reached = max(self._front.position, round(reached_seconds * self._rate))
        if missing + self._front.position > reached + MAX_JUMP_SECONDS * self._rate:
            raise _implausible("A message is more than 10 minutes ahead of the audio before it")
        if offset_seconds is None:
            self._rates.forget()
        else:
            self._rates.follow(start, samples, sequence)
        if sequence is not None:
            self._next_sequence = max(sequence + 1, self._next_sequence or 0)
        end = start + self._scale.width(samples)
        if start == end:
            return ready + self._release(self._hold)
        if missing == 0 and self._follows_on(start, end):
            return ready + self._pass(samples, end)  # nearly always; the same as what follows
        self._accept(_Message(start, end, samples))
        return ready + self._release(self._hold)

    def flush(self) -> list[Stretch]:
        """Everything held; its holes become gaps."""
        return self._release(0)

    @property
    def counters(self) -> Placement:
        """So far, lengths in samples at 8 kHz; what is still held is not counted as received."""
        return Placement(
            received=self._at_8_khz(self._front.position - self._lost),
            gaps=self._gaps,
            lost=self._at_8_khz(self._lost),
            overlaps=self._overlaps,
            duplicates=self._duplicates,
            reordered=self._reordered,
            late=self._late,
        )

    def _at_8_khz(self, samples: int) -> int:
        return round(samples * SAMPLE_RATE_HERTZ / self._rate)

    def _choose_scale(self, offset_seconds: float | None, sequence: int | None) -> list[Stretch]:
        """What was held on the other scale cannot be compared with what comes: it is released."""
        scale: _Scale = self._scale
        if offset_seconds is not None:
            scale = self._offsets
        elif sequence is not None:
            scale = self._sequences
        if scale is self._scale:
            return []
        ready = self.flush()
        self._scale = scale
        self._gap_keys.clear()
        self._front.key = self._front.position
        if offset_seconds is None and sequence is not None:
            self._front.key = sequence if self._next_sequence is None else self._next_sequence
        return ready

    def _start(self, offset_seconds: float | None, sequence: int | None) -> int:
        if offset_seconds is not None:
            return round(offset_seconds * self._rate)
        if sequence is not None:
            return sequence
        return self._held[-1].end if self._held else self._front.key

    def _accept(self, message: _Message) -> None:
        """Holds what is new in `message`; what came first stays."""
        parts = self._new_parts(message)
        if not parts:
            self._count_stale(message)
            return
        if parts[0] is not message:
            self._overlaps += 1
        start = parts[0].start
        self._reordered += sum(early > start for early in self._early)
        self._early = [early for early in self._early if early <= start] + [start]
        for part in parts:
            insort(self._held, part, key=lambda held: held.start)

    def _new_parts(self, message: _Message) -> list[_Message]:
        parts: list[_Message] = []
        blur = self._blur(message.start, message.end)
        at = message.start
        if self._is_behind(message.start, message.end):
            at = max(at, self._front.key)
        for held in self._held:
            if held.start < at and held.end - at < blur:
                continue
            if message.end < held.end and message.end - held.start < blur:
                break
            if at < held.start:
                parts.append(message.part(at, held.start))
            at = held.end
        if at < message.end:
            parts.append(message.part(at, message.end))
        return parts

    def _follows_on(self, start: int, end: int) -> bool:
        """Whether nothing waits, and all of the message is new."""
        return not self._held and not self._is_behind(start, end)

    def _is_behind(self, start: int, end: int) -> bool:
        return self._scale.is_behind(start, self._blur(start, end), self._front)

    def _blur(self, start: int, end: int) -> int:
        """An overlap shorter than this is a truncated timestamp; one of all of it never is."""
        return min(self._snap, end - start)

    def _count_stale(self, message: _Message) -> None:
        blur = self._blur(message.start, message.end)
        overlaps = (min(message.end, b) - max(message.start, a) for a, b in self._gap_keys)
        if any(overlap >= blur for overlap in overlaps):
            self._late += 1
        else:
            self._duplicates += 1
        self._stale += len(message.samples)
        if self._stale > STALE_SECONDS * self._rate:
            raise _implausible(
                f"For {STALE_SECONDS} s all messages have lain where there was audio already, as "
                "if their offsets or sequence numbers had begun anew, or wrapped"
            )

    def _release(self, patience: int) -> list[Stretch]:
        """What follows the front; and what does not, once `patience` samples are held."""
        ready: list[Stretch] = []
        while self._held:
            missing = self._scale.missing(self._held[0].start, self._front)
            if missing > 0 and self._scale.ahead(self._held, self._front) < patience:
                break
            ready += self._advance(self._held.pop(0), missing)
        waiting_from = self._held[0].start if self._held else math.inf
        self._early = [early for early in self._early if early >= waiting_from]
        return ready

    def _advance(self, message: _Message, missing: int) -> list[Stretch]:
        """Moves the front over a gap, if any, and the message."""
        front, ready = self._front, []
        if missing > 0:
            ready += self._gap(missing)
            self._gap_keys.append((front.key, message.start))
            self._gaps += 1
            self._lost += missing
            front.position += missing
        # Behind the front by SNAP or more only when timestamps drift: the offset is right.
        ready += self._pass(message.samples[max(0, -missing) :], message.end)
        front.length = len(message.samples) or front.length  # with what was cut off
        return ready

    def _pass(self, samples: FloatArray, end: int) -> list[Stretch]:
        """Moves the front over a message that ends at `end` and of which so much is new."""
        front = self._front
        front.position += len(samples)
        front.key = max(front.key, end)
        front.length = len(samples) or front.length
        self._stale = 0
        return [Stretch(samples)] if len(samples) else []

    def _gap(self, missing: int) -> list[Stretch]:
        block = self._rate * BLOCK // SAMPLE_RATE_HERTZ
        skipped = (missing - self._rate * (GAP_BEGIN_SECONDS + GAP_END_SECONDS)) // block
        if skipped <= 0:
            return [Stretch(np.zeros(missing, np.float32), lost=True)]
        begin = self._rate * GAP_BEGIN_SECONDS
        end = missing - begin - skipped * block
        return [
            Stretch(np.zeros(begin, np.float32), lost=True),
            Stretch(np.zeros(end, np.float32), lost=True, skipped=skipped),
        ]


@dataclass(frozen=True, slots=True)
class _Message:
    """Audio for [start, end) of the sender's scale."""

    start: int
    end: int
    samples: FloatArray

    def part(self, start: int, end: int) -> _Message:
        """[start, end) of it. A message counted by sequence number has no other part than all."""
        if (start, end) == (self.start, self.end):
            return self
        return _Message(start, end, self.samples[start - self.start : end - self.start])


@dataclass(slots=True)
class _Front:
    """How far the time axis has come."""

    position: int = 0  # samples released
    key: int = 0  # the same instant on the sender's scale
    length: int = 0  # samples of the last message that had any


class _Scale(Protocol):
    """What a sender counts in."""

    def width(self, samples: FloatArray) -> int:
        """How much of the scale a message takes."""

    def missing(self, start: int, front: _Front) -> int:
        """Samples between the front and `start`."""

    def is_behind(self, start: int, blur: int, front: _Front) -> bool:
        """Whether a message that starts there begins before the front."""

    def ahead(self, held: list[_Message], front: _Front) -> int:
        """Samples from the front to the end of all that is held."""


class _Offsets:
    """Counts samples. A difference below SNAP is none; it is taken against what was really
    released, so that differences never add up."""

    def __init__(self, snap: int) -> None:
        self._snap = snap

    def width(self, samples: FloatArray) -> int:
        return len(samples)

    def missing(self, start: int, front: _Front) -> int:
        difference = start - front.position
        return 0 if abs(difference) < self._snap else difference

    def is_behind(self, start: int, blur: int, front: _Front) -> bool:
        return front.position - start >= blur

    def ahead(self, held: list[_Message], front: _Front) -> int:
        return held[-1].end - front.position


class _Sequences:
    """Counts messages. A missing one is taken to be as long as the one before it."""

    def width(self, samples: FloatArray) -> int:
        return 1

    def missing(self, start: int, front: _Front) -> int:
        return (start - front.key) * front.length

    def is_behind(self, start: int, blur: int, front: _Front) -> bool:
        return start < front.key

    def ahead(self, held: list[_Message], front: _Front) -> int:
        total, key, length = 0, front.key, front.length
        for message in held:
            total += (message.start - key) * length
            length = len(message.samples) or length  # an empty one must not wait for ever
            total += length
            key = message.end
        return total


def _implausible(what: str) -> BadInput:
    return BadInput(
        "IMPLAUSIBLE_OFFSET",
        f"{what}. Offsets count seconds since the start of the call, sequence numbers messages, "
        "and neither goes back; after a longer pause open the call again, and count anew.",
    )
