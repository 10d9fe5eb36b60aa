"""A recording as a platform would send it: files in, encoded legs out, cut into messages.

Mono files become one leg each, the channels of one stereo file become two. What leaves here is
what a telephone platform's media stream carries, so that `stream` and `analyze` feed the very
same bytes into the service.
"""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from emotion_service.audio.codecs import (
    FULL_SCALE,
    decode_pcma,
    decode_pcmu,
    encode_pcma,
    encode_pcmu,
    find_codec,
)
from emotion_service.errors import BadInput
from emotion_service.types import (
    SAMPLE_RATE_HERTZ,
    EncodedAudio,
    FloatArray,
    LegConfig,
    Party,
)

READABLE = "a WAV, FLAC or OGG file, or raw G.711 at 8 kHz (.ul, .ulaw, .al, .alaw)"


class Encoding(StrEnum):
    """What a leg can be sent as; the values are media types."""

    PCMU = "audio/PCMU"
    PCMA = "audio/PCMA"
    L16 = "audio/L16"
    PCM = "audio/pcm"


@dataclass(frozen=True, slots=True)
class Channel:
    """One voice of a file: float32 (n,) in -1..1 at `sample_rate_hertz`."""

    sample_rate_hertz: int
    samples: FloatArray


@dataclass(frozen=True, slots=True)
class LegRecording:
    """One leg: mono audio, encoded as `config` says, from the first moment of the call."""

    config: LegConfig
    data: bytes

    @property
    def bytes_per_sample(self) -> int:
        return find_codec(self.config.encoding).bytes_per_sample

    @property
    def duration_seconds(self) -> float:
        return len(self.data) / self.bytes_per_sample / self.config.sample_rate_hertz


def read_channels(files: Sequence[Path]) -> tuple[Channel, ...]:
    """The channels of one mono or stereo file, or of two mono files.

    Raises:
        BadInput: for any other number of files or channels, and for files that cannot be read.
    """
    if not 1 <= len(files) <= 2:
        raise BadInput(
            "TOO_MANY_FILES",
            f"{len(files)} files were given; give one file (mono or stereo) or two mono files, "
            "the customer's first.",
        )
    channels = [_read(file) for file in files]
    if len(files) == 2 and any(len(found) != 1 for found in channels):
        raise BadInput(
            "NOT_MONO",
            "Two files are read as one leg each, so both must be mono; give a stereo file alone.",
        )
    return tuple(channel for found in channels for channel in found)


def _read(file: Path) -> list[Channel]:
    try:
        with file.open("rb") as stream:
            samples, rate = _decode(stream, file.suffix.lower())
    except OSError as error:
        raise BadInput(
            "UNREADABLE_FILE", f"{file} cannot be opened ({error.strerror}); give {READABLE}."
        ) from None
    except soundfile.LibsndfileError:
        raise BadInput(
            "UNREADABLE_FILE",
            f"{file} is not a recording that can be decoded, or it is damaged; give {READABLE}.",
        ) from None
    if not len(samples) or not np.isfinite(samples).all():
        raise BadInput(
            "UNREADABLE_FILE", f"{file} holds no audio (or not only numbers); give {READABLE}."
        )
    if samples.shape[1] > 2:
        raise BadInput(
            "TOO_MANY_CHANNELS",
            f"{file} has {samples.shape[1]} channels; one (a leg) or two (customer and agent) "
            "are expected: split it into mono files.",
        )
    return [Channel(rate, column) for column in samples.T]


def _decode(stream: BinaryIO, suffix: str) -> tuple[FloatArray, int]:
    """float32 (n, channels) in -1..1 and the rate in hertz."""
    if suffix in RAW_DECODERS:
        return RAW_DECODERS[suffix](stream.read())[:, np.newaxis], SAMPLE_RATE_HERTZ
    whole = stream if stream.seekable() else io.BytesIO(stream.read())  # a pipe
    samples, rate = soundfile.read(whole, dtype="float32", always_2d=True)
    return samples, int(rate)


def as_legs(
    channels: Sequence[Channel], parties: Sequence[Party], encoding: Encoding
) -> tuple[LegRecording, ...]:
    """Each channel in `encoding`, named after its party ("customer", "agent", "agent-2").

    Raises:
        BadInput: unless there is one party for each channel.
    """
    if len(parties) != len(channels):
        raise BadInput(
            "WRONG_PARTIES",
            f"The recording has {len(channels)} leg(s), but {len(parties)} parties were given; "
            "name one for each leg, the first file or left channel first.",
        )
    return tuple(
        _as_leg(channel, party, _leg_name(parties, position), encoding)
        for position, (channel, party) in enumerate(zip(channels, parties, strict=True))
    )


def default_parties(count: int, mixed: bool) -> tuple[Party, ...]:
    """Customer first, then agent; a lone channel holds both when `mixed` says so."""
    if count == 1 and mixed:
        return (Party.MIXED,)
    return (Party.CUSTOMER, Party.AGENT)[:count]


def _leg_name(parties: Sequence[Party], position: int) -> str:
    party = parties[position]
    earlier = sum(other is party for other in parties[:position])
    return party.name.lower() + (f"-{earlier + 1}" if earlier else "")


def _as_leg(channel: Channel, party: Party, leg: str, encoding: Encoding) -> LegRecording:
    rate = channel.sample_rate_hertz
    if rate not in find_codec(encoding.value).sample_rates_hertz:
        rate = SAMPLE_RATE_HERTZ
    samples = channel.samples
    if rate != channel.sample_rate_hertz:
        samples = soxr.resample(samples, channel.sample_rate_hertz, rate)
    data = ENCODERS[encoding](samples)
    return LegRecording(LegConfig(leg, party, encoding.value, rate), data)


def _linear(samples: FloatArray, sample_type: str) -> bytes:
    """Exact for what came from 16 bits or fewer; the rest is rounded and clipped."""
    scaled: FloatArray = np.rint(samples * np.float32(FULL_SCALE))
    return scaled.clip(-FULL_SCALE, FULL_SCALE - 1).astype(sample_type).tobytes()


def cut(legs: Sequence[LegRecording], chunk_ms: int) -> Iterator[EncodedAudio]:
    """All legs in messages of `chunk_ms`, in the order in which they would have been spoken."""
    yield from heapq.merge(*(_cut_leg(leg, chunk_ms) for leg in legs), key=_offset)


def _cut_leg(leg: LegRecording, chunk_ms: int) -> Iterator[EncodedAudio]:
    rate, width = leg.config.sample_rate_hertz, leg.bytes_per_sample
    step = max(1, rate * chunk_ms // 1000)
    for first in range(0, len(leg.data) // width, step):
        data = leg.data[first * width : (first + step) * width]
        yield EncodedAudio(leg.config.leg, data, offset_seconds=first / rate)


def _offset(audio: EncodedAudio) -> float:
    return audio.offset_seconds or 0.0


RAW_DECODERS: dict[str, Callable[[bytes], FloatArray]] = {
    ".ul": decode_pcmu,
    ".ulaw": decode_pcmu,
    ".al": decode_pcma,
    ".alaw": decode_pcma,
}

ENCODERS: dict[Encoding, Callable[[FloatArray], bytes]] = {
    Encoding.PCMU: encode_pcmu,
    Encoding.PCMA: encode_pcma,
    Encoding.L16: lambda samples: _linear(samples, ">i2"),
    Encoding.PCM: lambda samples: _linear(samples, "<i2"),
}
