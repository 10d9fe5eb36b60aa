"""What happens to a clip between the speaker's mouth and the service: one trial's conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emotion_service.audio.ear import Ear, listen
from emotion_service.training.fitting.windows import ENCODERS
from emotion_service.training.lines.channel import CODECS
from emotion_service.training.lines.loss import CONCEALMENTS, lost_packets, packet_count
from emotion_service.training.lines.noise import mixed, pink_noise
from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, FloatArray, Sound

SERVED = {"pcmu": "audio/PCMU", "pcma": "audio/PCMA"}  # what the service decodes by itself
GATEWAY = "audio/PCMU"  # what a gateway makes of all other codecs
BURST = 1.5  # packets lost in a row, on average


@dataclass(frozen=True, slots=True)
class Condition:
    """`seconds`: how much speech of the judged clip is heard at most; None is all of it."""

    codec: str = "pcmu"
    gain_db: float = 0.0
    snr_db: float | None = None  # of pink noise; None is without
    seconds: float | None = None
    loss: float = 0.0  # share of 20 ms packets, concealed as a telephone does

    @property
    def encoding(self) -> str:
        """As which the service receives it."""
        return SERVED.get(self.codec, GATEWAY)

    def line(self, samples: FloatArray, random: np.random.Generator) -> FloatArray:
        """Clips at ACTIVE_LEVEL_DB, float32 (n,), to what the line delivers, before encoding.

        Raises:
            EmotionServiceError: the codec needs PyAV, which is not installed.
        """
        noisy = samples
        if self.snr_db is not None:
            noisy = mixed(samples, pink_noise(len(samples), random), self.snr_db)
        louder: FloatArray = np.clip(noisy * self._gain, -1.0, 1.0)
        coded = louder if self.codec in SERVED else CODECS[self.codec](louder)
        if not self.loss:
            return coded
        lost = lost_packets(packet_count(coded), self.loss, BURST, random)
        return CONCEALMENTS["repeat"](coded, lost)

    def clips(self, samples: FloatArray) -> bool:
        """Whether the gain drives them beyond full scale."""
        return bool(np.abs(samples * self._gain).max() > 1.0)

    @property
    def _gain(self) -> np.float32:
        return np.float32(10 ** (self.gain_db / 20))

    def encoded(self, delivered: FloatArray) -> bytes:
        """What the line delivers, as the bytes the service receives."""
        return ENCODERS[self.encoding](delivered)


def first_speech(delivered: FloatArray, seconds: float) -> tuple[FloatArray, bool]:
    """The audio up to where it has held so many seconds of speech, as the service hears it, and
    whether it holds that much."""
    whole = delivered[: len(delivered) // BLOCK * BLOCK]
    if not len(whole):
        return delivered, False
    (blocks,) = listen([Ear()], [whole])
    heard = np.cumsum([sound is Sound.SPEECH for sound in blocks.sounds]) * BLOCK
    enough = int(np.searchsorted(heard, seconds * SAMPLE_RATE_HERTZ))
    if enough == len(heard):
        return delivered, False
    return delivered[: (enough + 1) * BLOCK], True
