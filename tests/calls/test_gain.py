"""How loud a line is makes no difference to who is heard speaking, and when."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.leg import Leg
from emotion_service.types import BLOCK, FloatArray, LegConfig, Party, Sound, SpeechActivity

Voice = Callable[[float, int], FloatArray]
SECONDS = 8


def activities(samples: FloatArray, encoding: str) -> list[SpeechActivity]:
    leg = Leg(LegConfig("customer", Party.CUSTOMER, encoding, 8000))
    linear = np.clip(samples * 32768, -32768, 32767).astype("<i2").tobytes()
    data = linear if encoding == "audio/pcm" else encode_pcmu(samples)
    return [activity for step in leg.push(data, None, None) for activity in step.activities]


def speaking(found: list[SpeechActivity]) -> FloatArray:
    """One entry a block."""
    blocks = np.zeros(SECONDS * 8000 // BLOCK, np.float32)
    for activity in found:
        blocks[activity.start // BLOCK :] = activity.sound is Sound.SPEECH
    return blocks


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gain_db", [-12, -6, 6, 12])
@pytest.mark.parametrize("encoding", ["audio/pcm", "audio/PCMU"])
def test_twelve_decibels_up_or_down_move_no_edge(
    speech: Voice, seed: int, gain_db: int, encoding: str
) -> None:
    voice = speech(SECONDS, seed)
    plain = activities(voice, encoding)
    changed = activities(np.clip(voice * np.float32(10 ** (gain_db / 20)), -1, 1), encoding)
    assert [activity.sound for activity in changed] == [activity.sound for activity in plain]
    for before, after in zip(plain, changed, strict=True):
        assert abs(after.start - before.start) <= 2 * BLOCK
    assert np.mean(speaking(plain) == speaking(changed)) >= 0.99
    assert len(plain) >= 3
