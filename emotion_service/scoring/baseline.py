"""What is usual for this speaker, and how far a window is from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from emotion_service.types import SAMPLE_RATE_HERTZ, Prosody, Reason

PRIOR_SECONDS = 4.0  # of speech that the typical speaker's values weigh
OWN_SECONDS = 8.0  # of speech from which the baseline is called the speaker's own
NOTABLE = 0.75  # standard deviations from which a shift is given as a reason


@dataclass(frozen=True, slots=True)
class Typical:
    """Mean and standard deviation of a quantity over the windows of the training speech."""

    mean: float
    deviation: float


class Baseline:
    """Running means of a speaker's prosody, weighted by new speech, shrunk towards a prior."""

    def __init__(self, prior: Mapping[str, Typical]) -> None:
        self._prior = prior
        self._weight = dict.fromkeys(QUANTITIES, 0.0)
        self._sum = dict.fromkeys(QUANTITIES, 0.0)

    def copy(self) -> Baseline:
        """An independent baseline that knows the same."""
        same = Baseline(self._prior)
        same._weight, same._sum = dict(self._weight), dict(self._sum)
        return same

    def update(self, prosody: Prosody, new_speech: int) -> None:
        """Adds a window in which `new_speech` samples of speech were not counted before."""
        weight = new_speech / SAMPLE_RATE_HERTZ
        for name, quantity in QUANTITIES.items():
            value = quantity.of(prosody)
            if value is not None:
                self._weight[name] += weight
                self._sum[name] += weight * value

    def mean(self, name: str) -> float:
        """The speaker's usual value of a quantity, in its own unit."""
        prior = self._prior[name].mean * PRIOR_SECONDS
        return (prior + self._sum[name]) / (PRIOR_SECONDS + self._weight[name])

    def shifts(self, prosody: Prosody) -> tuple[Reason, ...]:
        """Every quantity of a window against what is usual, the furthest first."""
        found = [self._shift(name, q, prosody) for name, q in QUANTITIES.items()]
        return tuple(sorted(filter(None, found), key=lambda reason: -abs(reason.shift)))

    def _shift(self, name: str, quantity: Quantity, prosody: Prosody) -> Reason | None:
        value = quantity.of(prosody)
        if value is None:
            return None
        usual = self.mean(name)
        shift = (value - usual) / self._prior[name].deviation
        own = self._weight[name] >= OWN_SECONDS
        shown, shown_usual = quantity.shown(value), quantity.shown(usual)
        return Reason(
            feature=name,
            value=shown,
            baseline=shown_usual,
            unit=quantity.unit,
            shift=shift,
            own_baseline=own,
            text=quantity.text(shown, shown_usual, "their usual" if own else "what is typical"),
        )


@dataclass(frozen=True, slots=True)
class Quantity:
    """One entry of the baseline: where it comes from, and how it is put in words."""

    of: Callable[[Prosody], float | None]
    shown: Callable[[float], float]
    unit: str
    text: Callable[[float, float, str], str]


def notable(shifts: Sequence[Reason]) -> tuple[Reason, ...]:
    """Those that are worth telling."""
    return tuple(shift for shift in shifts if abs(shift.shift) >= NOTABLE)


def _percent(noun: str) -> Callable[[float, float, str], str]:
    def text(value: float, usual: float, whose: str) -> str:
        above = "above" if value > usual else "below"
        if usual == 0:  # nobody's, but what is typical may come from sounds that have no syllables
            return f"{noun} {above} {whose}"
        return f"{noun} {abs(100 * (value / usual - 1)):.0f} % {above} {whose}"

    return text


def _either(higher: str, lower: str) -> Callable[[float, float, str], str]:
    def text(value: float, usual: float, whose: str) -> str:
        return f"{higher if value > usual else lower} than {whose}"

    return text


def _same(value: float) -> float:
    return value


QUANTITIES: dict[str, Quantity] = {
    "pitch": Quantity(lambda p: p.pitch, math.exp, "Hz", _percent("pitch")),
    "pitch_range": Quantity(
        lambda p: p.pitch_range,
        _same,
        "semitones",
        _either("pitch moves more widely", "pitch moves more narrowly"),
    ),
    "pace": Quantity(lambda p: p.pace, _same, "syllables/s", _percent("pace")),
    "brightness": Quantity(
        lambda p: p.tilt, _same, "dB/octave", _either("voice brighter, harder", "voice softer")
    ),
    "roughness": Quantity(
        lambda p: p.roughness, _same, "per cent", _either("voice rougher", "voice smoother")
    ),
}
