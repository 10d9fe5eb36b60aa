"""Bytes of a telephone line to float32 samples, and those to the core's 8 kHz.

G.711 is built here from the recommendation (ITU-T G.711, 11/1988): the standard library's
`audioop` is gone since Python 3.13.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

from emotion_service.errors import BadInput
from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, FloatArray

Int16Array: TypeAlias = npt.NDArray[np.int16]
IntArray: TypeAlias = npt.NDArray[np.int64]

FULL_SCALE = 32768
MAX_CHANNELS = 2


def int16_to_float(x: Int16Array) -> FloatArray:
    """Samples in -1..1, a full-scale negative one being exactly -1."""
    return x.astype(np.float32) / np.float32(FULL_SCALE)


def _float_to_int16(x: FloatArray) -> Int16Array:
    """The nearest int16; what lies beyond full scale is clipped to it."""
    scaled: FloatArray = np.rint(x * np.float32(FULL_SCALE))
    return scaled.clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


# --- G.711 ------------------------------------------------------------------------------------
# Both laws have 128 magnitudes: 8 segments (twice as coarse each) of 16 intervals. In 16-bit
# units: `*_FROM` is where interval n begins (its decision value), `*_VALUE` what it decodes to.

_N: IntArray = np.arange(128)
_STEP, _SEGMENT = _N & 15, _N >> 4
_SHIFT = np.maximum(_SEGMENT, 1) - 1  # A-law's two lowest segments are equally fine

_PCMU_FROM: IntArray = ((_STEP + 16) << (_SEGMENT + 3)) - 132
_PCMU_VALUE: IntArray = ((2 * _STEP + 33) << (_SEGMENT + 2)) - 132
_PCMA_FROM: IntArray = (_STEP + 16 * (_SEGMENT > 0)) << (_SHIFT + 4)
_PCMA_VALUE: IntArray = (2 * _STEP + 1 + 32 * (_SEGMENT > 0)) << (_SHIFT + 3)


def _decode_table(values: IntArray, mask: int) -> FloatArray:
    """float32 (256,): the sample of each code. `mask` is what the line inverts of
    sign (set for positive) and magnitude."""
    sign_and_magnitude = np.arange(256) ^ mask
    magnitude = values[sign_and_magnitude & 127]
    positive = (sign_and_magnitude & 128) > 0
    return int16_to_float(np.where(positive, magnitude, -magnitude).astype(np.int16))


def _encode(samples: FloatArray, begins: IntArray, mask: int) -> bytes:
    """The code of the interval each magnitude lies in; a decision value opens its interval."""
    x = _float_to_int16(samples).astype(np.int64)
    magnitude = np.searchsorted(begins[1:], np.abs(x), side="right")
    sign_and_magnitude = magnitude + np.where(x >= 0, 128, 0)
    return (sign_and_magnitude ^ mask).astype(np.uint8).tobytes()


_PCMU_MASK = 0b0111_1111  # only the magnitude is inverted
_PCMA_MASK = 0b0101_0101  # every even bit is inverted
_PCMU = _decode_table(_PCMU_VALUE, _PCMU_MASK)
_PCMA = _decode_table(_PCMA_VALUE, _PCMA_MASK)


def decode_pcmu(data: bytes) -> FloatArray:
    """G.711 µ-law, one byte a sample."""
    return _PCMU.take(np.frombuffer(data, np.uint8))  # twice as fast as indexing


def decode_pcma(data: bytes) -> FloatArray:
    """G.711 A-law, one byte a sample."""
    return _PCMA.take(np.frombuffer(data, np.uint8))


def encode_pcmu(samples: FloatArray) -> bytes:
    """Samples in -1..1 as G.711 µ-law; louder ones are clipped."""
    return _encode(samples, _PCMU_FROM, _PCMU_MASK)


def encode_pcma(samples: FloatArray) -> bytes:
    """Samples in -1..1 as G.711 A-law; louder ones are clipped."""
    return _encode(samples, _PCMA_FROM, _PCMA_MASK)


# --- linear -----------------------------------------------------------------------------------


def decode_l16(data: bytes) -> FloatArray:
    """16 bits a sample, big-endian (RFC 3551, 4.5.11)."""
    return int16_to_float(np.frombuffer(data, ">i2"))


def decode_pcm(data: bytes) -> FloatArray:
    """16 bits a sample, little-endian."""
    return int16_to_float(np.frombuffer(data, "<i2"))


# --- a leg ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Codec:
    """How one encoding is read. `decode` keeps channels interleaved: float32 (n,)."""

    decode: Callable[[bytes], FloatArray]
    bytes_per_sample: int
    sample_rates_hertz: tuple[int, ...]


def find_codec(encoding: str) -> Codec:
    """The codec of a media type, whose case does not matter.

    Raises:
        BadInput: UNKNOWN_ENCODING.
    """
    for name, codec in DECODERS.items():
        if name.lower() == encoding.lower():
            return codec
    known = ", ".join(DECODERS)
    raise BadInput("UNKNOWN_ENCODING", f"Unknown encoding. Send the leg as one of {known}.")


class LegDecoder:
    """Decodes the messages of one leg. Keeps nothing between them.

    Raises:
        BadInput: UNKNOWN_ENCODING, UNSUPPORTED_RATE or UNSUPPORTED_CHANNELS.
    """

    def __init__(self, encoding: str, sample_rate_hertz: int, channels: int = 1) -> None:
        codec = find_codec(encoding)
        if sample_rate_hertz not in codec.sample_rates_hertz:
            allowed = ", ".join(str(rate) for rate in codec.sample_rates_hertz)
            raise BadInput(
                "UNSUPPORTED_RATE",
                f"{sample_rate_hertz} Hz is no rate of this encoding. Send it at {allowed} Hz.",
            )
        if not 1 <= channels <= MAX_CHANNELS:
            raise BadInput(
                "UNSUPPORTED_CHANNELS",
                f"{channels} channels in one leg. Send 1 to {MAX_CHANNELS}, or several legs.",
            )
        self._codec = codec
        self._channels = channels
        self.frame_bytes = codec.bytes_per_sample * channels  # one instant, all channels

    def decode(self, data: bytes) -> FloatArray:
        """float32 (n,) in -1..1 at the leg's own rate, its channels averaged.

        Raises:
            BadInput: TRUNCATED_AUDIO, when `data` is not a whole number of samples.
        """
        if len(data) % self.frame_bytes:
            raise BadInput(
                "TRUNCATED_AUDIO",
                f"{len(data)} bytes of audio are not whole samples of {self.frame_bytes} bytes. "
                "Split messages between samples, and all channels of one instant together.",
            )
        return self._mono(self._codec.decode(data))

    def decode_legs(self, data: bytes, legs: int) -> list[FloatArray]:
        """The same for each of so many legs of this format, whose instants are interleaved.

        Raises:
            BadInput: BAD_INTERLEAVING, when `data` is not a whole number of all their samples.
        """
        if len(data) % (self.frame_bytes * legs):
            raise badly_interleaved(len(data), legs)
        table = self._codec.decode(data).reshape(-1, legs, self._channels)
        # Copies: what is kept of one leg must not keep the others' audio in memory.
        return [self._mono(table[:, leg].copy()) for leg in range(legs)]

    def _mono(self, samples: FloatArray) -> FloatArray:
        if self._channels == 1:
            return samples.reshape(-1)
        mono: FloatArray = samples.reshape(-1, self._channels).mean(axis=1, dtype=np.float32)
        return mono


def badly_interleaved(size: int, legs: int) -> BadInput:
    """Of a message without a leg."""
    return BadInput(
        "BAD_INTERLEAVING",
        "audio without a leg holds all legs sample by sample: they must share encoding, rate and "
        f"channels, and its {size} bytes must be whole samples of all {legs} legs; name the leg, "
        "or send equal lengths",
    )


class Resampler:
    """One leg's audio to 8 kHz, as it comes in.

    Output sample n is the input's instant n / 8000 s, and the output is the same to the bit
    however the input is split; n input samples give n * 8000 / rate, rounded half up, in all.
    Quality MQ: flat within 0.1 dB to 3.4 kHz, 5 kHz down by more than 100 dB (LQ loses 8 dB
    at 3.4 kHz, HQ is no faster). soxr filters in blocks, so output waits for a block to fill.
    When it does depends on how soxr was fed: it gets 20 ms at a time, so that how much has come
    out after n input samples does not depend on the split either.
    Its least and greatest lag behind whole 20 ms of input, measured with soxr 1.1, in ms: 16 kHz
    10-118, 24 kHz 10-75, 32 kHz 11-117, 44.1 kHz 12-82, 48 kHz 11-75; nothing at 8 kHz. In
    between, what has come of the next 20 ms waits too.
    """

    def __init__(self, sample_rate_hertz: int) -> None:
        self._rate = sample_rate_hertz
        self._stream: soxr.ResampleStream | None = None
        if sample_rate_hertz != SAMPLE_RATE_HERTZ:
            self._stream = soxr.ResampleStream(
                sample_rate_hertz, SAMPLE_RATE_HERTZ, 1, dtype="float32", quality="MQ"
            )
        self._part = sample_rate_hertz * BLOCK // SAMPLE_RATE_HERTZ
        self._waiting = np.zeros(0, np.float32)  # less than a part
        self._taken = self._given = 0  # samples in, at the leg's own rate, and out

    @property
    def held(self) -> int:
        """Samples at 8 kHz that are still to come of what was pushed."""
        return self._taken * SAMPLE_RATE_HERTZ // self._rate - self._given

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray:
        """float32 (n,) in, float32 (m,) out: what is now settled; all the rest on `last`, after
        which nothing may follow."""
        if self._stream is None:
            return samples
        self._taken += len(samples)
        waiting = np.concatenate([self._waiting, samples])
        whole = len(waiting) // self._part * self._part
        parts = [waiting[at : at + self._part] for at in range(0, whole, self._part)]
        self._waiting = waiting[whole:]
        out = [self._stream.resample_chunk(part) for part in parts]
        if last:
            out.append(self._stream.resample_chunk(self._waiting, last))
        settled: FloatArray = np.concatenate([np.zeros(0, np.float32), *out])
        self._given += len(settled)
        return settled


_WIDEBAND = (8000, 16000, 24000, 32000, 44100, 48000)

DECODERS: dict[str, Codec] = {
    "audio/PCMU": Codec(decode_pcmu, 1, (8000,)),
    "audio/PCMA": Codec(decode_pcma, 1, (8000,)),
    "audio/L16": Codec(decode_l16, 2, _WIDEBAND),
    "audio/pcm": Codec(decode_pcm, 2, _WIDEBAND),
}
