"""Legs on hold: whoever waits there has been told so, and mostly hears music."""

from __future__ import annotations

from emotion_service.cues.timeline import Hold
from emotion_service.types import Sound, SpeechActivity


class Holds:
    """What counts as heard on each leg: on hold it is music, whatever its audio.

    Not so on a muted leg: nobody has told the others why they hear nothing.
    """

    def __init__(self) -> None:
        self._heard: dict[str, Sound] = {}
        self._held: set[str] = set()

    def hear(self, activity: SpeechActivity) -> list[SpeechActivity]:
        """The activity, unless the leg is on hold."""
        self._heard[activity.leg] = activity.sound
        return [] if activity.leg in self._held else [activity]

    def turn(self, hold: Hold) -> list[SpeechActivity]:
        """The activity that a hold, or its end, amounts to, if it changes anything."""
        leg, at = hold.leg, hold.at
        if hold.held == (leg in self._held):
            return []
        if hold.held:
            self._held.add(leg)
            return [SpeechActivity(leg, hold.sequence, Sound.MUSIC, at, at)]
        self._held.discard(leg)
        heard = self._heard.get(leg, Sound.SILENCE)
        return [SpeechActivity(leg, hold.sequence, heard, at, at)]
