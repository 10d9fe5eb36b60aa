"""One telephone line: all that happens to a clip between the mouth and the serving decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from emotion_service.errors import EmotionServiceError
from emotion_service.training.lines.channel import CODECS
from emotion_service.training.lines.loss import CONCEALMENTS, lost_packets, packet_count
from emotion_service.training.lines.noise import NOISES, babble, excerpt, hum, mixed
from emotion_service.training.lines.pause import FILLINGS
from emotion_service.training.lines.voice import pitched, speeded
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

RECORDING = "recording"  # the noise that is not made up
TALKERS = 4  # of a babble, or as many as there are
_BAND = butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE_HERTZ, output="sos")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What may be heard beside a speaker: audio at 8 kHz, float32 (n,) each.

    The voices must never be the speaker's own, nor those of speakers on the other side of a split:
    a model that heard them behind others has heard them.
    """

    recordings: Sequence[FloatArray] = ()
    voices: Sequence[FloatArray] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """Its conditions in the order in which they act; by default, G.711 µ-law and nothing else."""

    speed: float = 1.0  # of tempo and pitch together
    pitch_semitones: float = 0.0  # at the same tempo
    noise: str = "pink"  # of NOISES, or RECORDING
    noise_snr_db: float | None = None  # against the active level of the speech; None is none
    babble_snr_db: float | None = None
    hum_hertz: float = 50.0
    hum_snr_db: float | None = None
    overdrive_db: float = 0.0  # by how much the clip's highest peak is cut off
    level_db: float = 0.0  # gain; what lies beyond full scale then is clipped
    band: bool = False  # 300-3400 Hz
    pauses: str = "sent"  # of FILLINGS
    codec: str = "pcmu"  # of CODECS
    loss: float = 0.0  # share of 20 ms packets
    burst: float = 1.5  # packets lost in a row, on average
    concealment: str = "repeat"  # of CONCEALMENTS

    @property
    def encoding(self) -> str:
        """As which the service receives it: gateways hand other codecs on as µ-law."""
        return "audio/PCMA" if self.codec == "pcma" else "audio/PCMU"

    def carry(
        self, samples: FloatArray, surroundings: Surroundings, random: np.random.Generator
    ) -> FloatArray:
        """Float32 (n,) at 8 kHz to the same in -1..1, of another length where the speed changes.

        Each condition has a chance of its own: whether there is noise does not change which
        packets are lost.

        Raises:
            EmotionServiceError: a recording or a voice is wanted and there is none, or the codec
                needs what is not installed.
        """
        of_noise, of_babble, of_hum, of_pauses, of_loss = random.spawn(5)
        spoken = self._spoken(samples)
        room = self._with_noise(spoken, surroundings.recordings, of_noise)
        room = self._with_babble(room, spoken, surroundings.voices, of_babble)
        sent = self._sent(room, of_hum)
        coded = CODECS[self.codec](FILLINGS[self.pauses](sent, of_pauses))
        lost = lost_packets(packet_count(coded), self.loss, self.burst, of_loss)
        heard: FloatArray = np.clip(CONCEALMENTS[self.concealment](coded, lost), -1.0, 1.0)
        return heard

    def _spoken(self, samples: FloatArray) -> FloatArray:
        faster = speeded(samples, self.speed) if self.speed != 1.0 else samples
        return pitched(faster, self.pitch_semitones) if self.pitch_semitones else faster

    def _with_noise(
        self, spoken: FloatArray, recordings: Sequence[FloatArray], random: np.random.Generator
    ) -> FloatArray:
        if self.noise_snr_db is None:
            return spoken
        if self.noise != RECORDING:
            return mixed(spoken, NOISES[self.noise](len(spoken), random), self.noise_snr_db)
        _need(recordings, "recorded noise", "recording")
        chosen = recordings[int(random.integers(len(recordings)))]
        return mixed(spoken, excerpt(chosen, len(spoken), random), self.noise_snr_db)

    def _with_babble(
        self,
        room: FloatArray,
        spoken: FloatArray,
        voices: Sequence[FloatArray],
        random: np.random.Generator,
    ) -> FloatArray:
        if self.babble_snr_db is None:
            return room
        _need(voices, "babble", "voice")
        chosen = random.choice(len(voices), min(TALKERS, len(voices)), replace=False)
        others = babble([voices[i] for i in chosen], len(spoken), random)
        return room + (mixed(spoken, others, self.babble_snr_db) - spoken)

    def _sent(self, room: FloatArray, random: np.random.Generator) -> FloatArray:
        """What the telephone set and the analogue line make of the sound in the room."""
        line = room
        if self.hum_snr_db is not None:
            line = mixed(line, hum(len(line), self.hum_hertz, random), self.hum_snr_db)
        louder = amplified(overdriven(line, self.overdrive_db), self.level_db)
        clipped: FloatArray = np.clip(louder, -1.0, 1.0)
        return narrowed(clipped) if self.band else clipped


def narrowed(samples: FloatArray) -> FloatArray:
    """Float32 (n,), with the 300-3400 Hz that analogue lines carry; 3 dB less at both edges."""
    narrow: FloatArray = sosfilt(_BAND, samples).astype(np.float32)
    return narrow


def amplified(samples: FloatArray, gain_db: float) -> FloatArray:
    """Float32 (n,), beyond -1..1 where the gain takes it there."""
    return samples * np.float32(10 ** (gain_db / 20))


def overdriven(samples: FloatArray, cut_db: float) -> FloatArray:
    """Float32 (n,), all peaks cut off that come closer than this to the highest."""
    ceiling = np.abs(samples).max(initial=0.0) * np.float32(10 ** (-cut_db / 20))
    cut: FloatArray = np.clip(samples, -ceiling, ceiling)
    return cut


def _need(material: Sequence[FloatArray], what: str, one: str) -> None:
    if not material:
        raise EmotionServiceError(
            f"a line with {what} was asked for, but no {one} was given to take it from: give at "
            f"least one, or take {what} out of the recipe"
        )
