"""Syllables from the level alone: cheap enough for every leg, and no emotion model needs it.

Nuclei as `prosody.syllable_nuclei` finds them (N. H. de Jong & T. Wempe, Behavior Research Methods
41, 2009: peaks of the 330-2100 Hz level 3 dB above the dips around them), but causally, from the
20 ms blocks of the sound gate and without a pitch: what the gate takes for speech has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, Pace, Sound

DIP_DB = 3.0  # a nucleus stands this far above the dips on both sides
RANGE_DB = 25.0  # and at most this far below LOUD_DB; what is no speech is as quiet as that
LOUD_DB = 20.0  # the vowel level of levelled speech in its loud blocks
_QUIET_DB = LOUD_DB - RANGE_DB
_SPEECH = Sound.SPEECH  # a name is found ten times as fast as an enum's member
_QUIET = 10.0 ** (_QUIET_DB / 10.0)


class PaceTracker:
    """One leg's syllables by the second of its own time, an absolute grid.

    A nucleus counts in the second in which the level has fallen off its peak far enough, some
    60 ms after it.
    """

    def __init__(self, leg: str) -> None:
        self._leg = leg
        self._at = 0
        self._start = 0  # of the second that goes on
        self._syllables = 0
        self._speech = 0
        self._older = self._before = _QUIET_DB  # the levels of the last two blocks
        self._dip = self._peak = _QUIET_DB
        self._rising = False  # 3 dB above the dip: `_peak` may be a nucleus

    def follow(self, sounds: Sequence[Sound], vowels: Sequence[float]) -> list[Pace]:
        """The next blocks, as SoundGate has them; the seconds they complete in which something
        was said."""
        end = self._at + len(sounds) * BLOCK
        if end // SAMPLE_RATE_HERTZ == self._at // SAMPLE_RATE_HERTZ and self._stays_quiet(sounds):
            self._at = end
            return []
        paces = []
        for sound, power in zip(sounds, vowels, strict=True):
            self._at += BLOCK
            speech = sound is _SPEECH
            self._speech += speech
            self._hear(10.0 * log10(power) if speech and power > _QUIET else _QUIET_DB)
            if self._at % SAMPLE_RATE_HERTZ == 0:
                paces += self.finish()
        return paces

    def skip(self, blocks: int) -> list[Pace]:
        """So many blocks go by unheard, and break off what was being said."""
        paces = self.finish()
        self._at += blocks * BLOCK
        self._start = self._at // SAMPLE_RATE_HERTZ * SAMPLE_RATE_HERTZ
        return paces

    def finish(self) -> list[Pace]:
        """The second that goes on, as far as it has come."""
        start, self._start = self._start, self._at
        syllables, self._syllables = self._syllables, 0
        speech, self._speech = self._speech * BLOCK, 0
        return [Pace(self._leg, start, self._at, syllables, speech)] if speech else []

    def _stays_quiet(self, sounds: Sequence[Sound]) -> bool:
        """Whether the last blocks were quiet, as these are: then there is nothing to follow."""
        quiet = self._older == self._before == self._dip == _QUIET_DB
        return quiet and not self._rising and _SPEECH not in sounds

    def _hear(self, level_db: float) -> None:
        """Follows the level, smoothed over three blocks, from dip to peak to dip."""
        smooth = (self._older + 2.0 * self._before + level_db) / 4.0
        self._older, self._before = self._before, level_db
        if self._rising:
            if smooth > self._peak:
                self._peak = smooth
            elif self._peak - smooth >= DIP_DB:
                self._syllables += 1
                self._rising, self._dip = False, smooth
        elif smooth < self._dip:
            self._dip = smooth
        elif smooth - self._dip >= DIP_DB:
            self._rising, self._peak = True, smooth
