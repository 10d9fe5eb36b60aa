"""When a leg begins and stops to carry a sound: blocks in, debounced activity out."""

from __future__ import annotations

from collections.abc import Sequence

from emotion_service.types import BLOCK, Sound, SpeechActivity

# A sound counts from the block with which an unbroken run of it began, once it has lasted:
RUN_BLOCKS = {
    Sound.SPEECH: 3,  # 60 ms: shorter than any word
    Sound.MUSIC: 5,
    Sound.TONE: 3,
    Sound.SILENCE: 15,  # 300 ms: longer than the closure of a plosive, shorter than a pause
}


class ActivityTracker:
    """The current sound of one leg. Decisions are dated by the audio that settled them."""

    def __init__(self, leg: str) -> None:
        self._leg = leg
        self.sound = Sound.SILENCE
        self._candidate = Sound.SILENCE
        self._run = 0
        self._sequence = 0
        self._at = 0

    def follow(self, sounds: Sequence[Sound]) -> list[SpeechActivity]:
        """The next blocks' sounds, in order; returns the changes they settle."""
        if 0 < len(sounds) == sounds.count(self.sound):  # as before, nearly always
            self._at += len(sounds) * BLOCK
            self._run = len(sounds) + (self._run if self._candidate is self.sound else 0)
            self._candidate = self.sound
            return []
        changes = []
        for sound in sounds:
            self._at += BLOCK
            if self._settles(sound):
                changes.append(self._change(sound))
        return changes

    def skip(self, blocks: int) -> None:
        """So many blocks of the same sound as the last one went by unheard."""
        self._at += blocks * BLOCK

    def fall_silent(self) -> list[SpeechActivity]:
        """No more audio comes, for now: what the leg carried ends with it, or where a silence has
        begun already."""
        if self.sound is Sound.SILENCE:
            return []
        if self._candidate is not Sound.SILENCE:
            self._candidate, self._run = Sound.SILENCE, 0
        return [self._change(Sound.SILENCE)]

    def _settles(self, sound: Sound) -> bool:
        self._run = self._run + 1 if sound is self._candidate else 1
        self._candidate = sound
        return sound is not self.sound and self._run >= RUN_BLOCKS[sound]

    def _change(self, sound: Sound) -> SpeechActivity:
        self.sound = sound
        activity = SpeechActivity(
            self._leg, self._sequence, sound, self._at - self._run * BLOCK, self._at
        )
        self._sequence += 1
        return activity
