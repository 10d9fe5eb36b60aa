"""Codecs that a call may have passed before it reaches us: 8 kHz in, what is left of it out.

Each takes float32 (n,) in -1..1 at 8 kHz and returns as much. It begins anew with every clip, gives
the same bits for the same clip, and its delay is taken out again, to within half a sample in the
telephone's band. Below it AMR's high-pass filters turn the phase: a low voice then correlates best
2 samples early. Louder samples are clipped as a line clips them.

FFmpeg's codecs come with PyAV, which only this file imports, and only when one of them is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import soundfile
import soxr

from emotion_service.audio.codecs import (
    FULL_SCALE,
    Int16Array,
    decode_pcma,
    decode_pcmu,
    encode_pcma,
    encode_pcmu,
    int16_to_float,
)
from emotion_service.errors import EmotionServiceError
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

if TYPE_CHECKING:
    from types import ModuleType

Codec: TypeAlias = Callable[[FloatArray], FloatArray]
GSM_FRAME = 320  # samples that Microsoft's GSM in WAV holds together: two frames of 20 ms


@dataclass(frozen=True, slots=True)
class _Coding:
    """What FFmpeg is asked for.

    `delay`, in samples as they are decoded, is what encoder and decoder add and the container does
    not tell; `tail` is silence enough to drive the last sample out; `scale` is how much of full
    scale the encoder is given.
    """

    encoder: str
    decoder: str
    container: str
    rate_hertz: int
    bits_per_second: int
    delay: int
    tail: int = 640
    scale: float = 1.0
    options: Mapping[str, str] = field(default_factory=dict)


def _pcmu(samples: FloatArray) -> FloatArray:
    return decode_pcmu(encode_pcmu(samples))


def _pcma(samples: FloatArray) -> FloatArray:
    return decode_pcma(encode_pcma(samples))


def _gsm(samples: FloatArray) -> FloatArray:
    """GSM 06.10 full rate, 13 kb/s. It looks no sample ahead, so there is no delay."""
    whole = np.concatenate([samples, np.zeros(-len(samples) % GSM_FRAME, np.float32)])
    file = BytesIO()
    soundfile.write(file, _int16(whole), SAMPLE_RATE_HERTZ, format="WAV", subtype="GSM610")
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="int16")
    return int16_to_float(decoded[: len(samples)])


def _through_ffmpeg(coding: _Coding, samples: FloatArray) -> FloatArray:
    if not len(samples):
        return samples
    clipped = np.clip(np.append(samples, np.zeros(coding.tail, np.float32)), -1.0, 1.0)
    sent = soxr.resample(clipped * np.float32(coding.scale), SAMPLE_RATE_HERTZ, coding.rate_hertz)
    decoded, rate = _decoded(_encoded(_int16(sent), coding), coding)
    narrow = soxr.resample(decoded[coding.delay :], rate, SAMPLE_RATE_HERTZ)[: len(samples)]
    heard: FloatArray = np.clip(narrow / np.float32(coding.scale), -1.0, 1.0)
    return heard


def _encoded(samples: Int16Array, coding: _Coding) -> BytesIO:
    av, file = _av(coding), BytesIO()
    with av.open(file, "w", format=coding.container) as container:
        stream = container.add_stream(
            coding.encoder, rate=coding.rate_hertz, options=dict(coding.options), layout="mono"
        )
        stream.bit_rate = coding.bits_per_second
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = coding.rate_hertz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    return file


def _decoded(file: BytesIO, coding: _Coding) -> tuple[FloatArray, int]:
    """Float32 (n,) and its rate."""
    av = _av(coding)
    with av.open(file) as container:
        stream = container.streams.audio[0]
        context = stream.codec_context
        if context.codec.name != coding.decoder:
            context = av.CodecContext.create(coding.decoder, "r")
            context.sample_rate, context.layout = stream.rate, "mono"
        frames = [f for packet in container.demux(stream) for f in context.decode(packet)]
    samples = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
    floats = int16_to_float(samples) if samples.dtype == np.int16 else samples
    return floats, frames[0].sample_rate


def _av(coding: _Coding) -> ModuleType:
    try:
        import av  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise EmotionServiceError(
            f"the codec {coding.encoder} needs PyAV, which the service does without: run `make "
            "train-environment` in a checkout, or pip install 'emotion-service[train]'"
        ) from error
    if coding.encoder not in av.codecs_available:
        raise EmotionServiceError(
            f"PyAV {av.__version__} was built without the codec {coding.encoder}: install the "
            "wheel of the version that the extra 'emotion-service[train]' names"
        )
    module: ModuleType = av
    return module


def _int16(samples: FloatArray) -> Int16Array:
    """The nearest int16; what lies beyond full scale is clipped to it."""
    scaled: FloatArray = np.rint(samples * np.float32(FULL_SCALE))
    return scaled.clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


# FFmpeg's own decoder of AMR plays steady tones at less than half their level; OpenCORE's, which
# stems from the reference, does not.
_AMR_NB = _Coding("libopencore_amrnb", "libopencore_amrnb", "amr", 8000, 12_200, delay=40)
_G722 = _Coding("g722", "g722", "wav", 16_000, 64_000, delay=22)
# FFmpeg's G.726 takes what overshoots full scale for its opposite: half the scale leaves it room.
_G726 = _Coding("g726", "g726", "wav", 8000, 32_000, delay=0, scale=0.5)
_OPUS = _Coding(
    "libopus",
    "opus",
    "ogg",
    8000,
    12_000,
    delay=5,
    options={"application": "voip", "frame_duration": "20"},
)

CODECS: dict[str, Codec] = {
    "pcmu": _pcmu,
    "pcma": _pcma,
    "gsm": _gsm,
    "amr-nb": partial(_through_ffmpeg, _AMR_NB),
    "g722": partial(_through_ffmpeg, _G722),
    "g726": partial(_through_ffmpeg, _G726),
    "opus": partial(_through_ffmpeg, _OPUS),
}
