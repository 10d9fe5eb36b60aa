"""Senders that fall silent while nobody speaks (discontinuous transmission), and what fills in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from emotion_service.training.corpora.corpus import ACTIVE_MARGIN_DB, active_level_db
from emotion_service.training.lines.loss import PACKET, runs
from emotion_service.types import BoolArray, FloatArray

HANGOVER = 7  # packets that are still sent after speech, as AMR does (3GPP TS 26.093)
QUIETEST_DB = 127  # below overload: the least level that a comfort noise packet can state

Filling: TypeAlias = Callable[[FloatArray, np.random.Generator], FloatArray]


def unsent(samples: FloatArray) -> BoolArray:
    """The full packets that are kept back, bool (n // 160,): those more than 15.9 dB below the
    active level of the speech (ITU-T P.56), from the eighth of a pause on."""
    packets = samples[: len(samples) // PACKET * PACKET].reshape(-1, PACKET)
    power = (packets.astype(np.float64) ** 2).mean(axis=1)
    speech = power >= 10 ** ((active_level_db(samples) - ACTIVE_MARGIN_DB) / 10)
    order = np.arange(len(speech))
    latest = np.maximum.accumulate(np.where(speech, order, -1))
    kept_back: BoolArray = order - latest > HANGOVER
    return kept_back


def all_sent(samples: FloatArray, random: np.random.Generator) -> FloatArray:
    """The clip as it is."""
    return samples


def gaps(samples: FloatArray, random: np.random.Generator) -> FloatArray:
    """Float32 (n,), zeros for what was kept back."""
    heard = samples.copy()
    for begin, end in runs(unsent(samples), len(samples)):
        heard[begin:end] = 0.0
    return heard


def comfort_noise(samples: FloatArray, random: np.random.Generator) -> FloatArray:
    """Float32 (n,), white noise for what was kept back, as loud as that was in each pause.

    As RFC 3389 in its shortest form: the level alone is sent, in whole dB below overload.
    """
    heard = samples.copy()
    for begin, end in runs(unsent(samples), len(samples)):
        amplitude = _amplitude(float(np.mean(samples[begin:end].astype(np.float64) ** 2)))
        heard[begin:end] = amplitude * random.standard_normal(end - begin)
    return heard


def _amplitude(power: float) -> float:
    below_db = QUIETEST_DB if power == 0.0 else round(-10 * np.log10(power))
    return float(10 ** (-min(max(below_db, 0), QUIETEST_DB) / 20))


FILLINGS: dict[str, Filling] = {"sent": all_sent, "comfort": comfort_noise, "gaps": gaps}
