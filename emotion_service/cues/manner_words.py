"""The components of URGENT and CURT as reasons, in words."""

from __future__ import annotations

from collections.abc import Callable

from emotion_service.cues.usual import Compared
from emotion_service.types import Reason


def reason(feature: str, compared: Compared) -> Reason:
    """A component as it is told."""
    unit, text = WORDS[feature]
    whose = "their usual" if compared.own_baseline else "what is typical"
    return Reason(
        feature=feature,
        value=compared.value,
        baseline=compared.baseline,
        unit=unit,
        shift=compared.shift,
        own_baseline=compared.own_baseline,
        text=text(compared.value, compared.baseline, whose),
    )


def _either(higher: str, lower: str) -> Callable[[float, float, str], str]:
    def text(value: float, usual: float, whose: str) -> str:
        return f"{higher if value > usual else lower} than {whose}"

    return text


def _pace(value: float, usual: float, whose: str) -> str:
    change = 100 * (value / usual - 1)
    return f"pace {abs(change):.0f} % {'above' if change > 0 else 'below'} {whose}"


def _delay(value: float, usual: float, _: str) -> str:
    return f"answers after {value:.1f} s, before after {usual:.1f} s"


def _length(value: float, usual: float, _: str) -> str:
    return f"answers last {value:.1f} s, before {usual:.1f} s"


def _interruptions(value: float, usual: float, _: str) -> str:
    return f"broke in {value:.0f} × in the last minute, before {usual:.1f} × a minute"


WORDS: dict[str, tuple[str, Callable[[float, float, str], str]]] = {
    "pace": ("syllables/s", _pace),
    "pitch_range": (
        "semitones",
        _either("pitch moves more widely", "pitch moves more narrowly"),
    ),
    "brightness": ("dB/octave", _either("voice brighter, harder", "voice softer")),
    "arousal": ("", _either("sounds more aroused", "sounds less aroused")),
    "anger": ("", _either("sounds angrier", "sounds less angry")),
    "reply_delay": ("s", _delay),
    "reply_length": ("s", _length),
    "interruptions": ("a minute", _interruptions),
}
