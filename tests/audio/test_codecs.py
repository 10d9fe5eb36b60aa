"""G.711 against two independent implementations, linear PCM against known bytes, the resampler
against analytic signals."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import (
    DECODERS,
    LegDecoder,
    Resampler,
    encode_pcma,
    encode_pcmu,
    int16_to_float,
)
from emotion_service.errors import BadInput
from emotion_service.types import FloatArray

EVERY_INT16 = np.arange(-32768, 32768, dtype=np.int16)
EVERY_CODE = bytes(range(256))
WIDEBAND = [16000, 24000, 32000, 44100, 48000]

Codes = npt.NDArray[np.uint8]


def codes(data: bytes) -> Codes:
    return np.frombuffer(data, np.uint8)


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(BadInput) as caught:
        call()
    return caught.value.reason


# --- linear -----------------------------------------------------------------------------------


def test_int16_is_divided_by_32768() -> None:
    x = int16_to_float(np.array([-32768, -1, 0, 1, 16384, 32767], np.int16))
    assert x.dtype == np.float32
    assert x.tolist() == [-1.0, -1 / 32768, 0.0, 1 / 32768, 0.5, 32767 / 32768]


@pytest.mark.parametrize(
    ("encoding", "data"), [("audio/L16", b"\x40\x00\xff\xff"), ("audio/pcm", b"\x00\x40\xff\xff")]
)
def test_byte_order(encoding: str, data: bytes) -> None:
    assert LegDecoder(encoding, 16000).decode(data).tolist() == [0.5, -1 / 32768]


# --- G.711 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "subtype"), [("audio/PCMU", "ULAW"), ("audio/PCMA", "ALAW")])
def test_every_code_decodes_as_libsndfile_decodes_it(encoding: str, subtype: str) -> None:
    expected, _ = soundfile.read(
        io.BytesIO(EVERY_CODE),
        dtype="int16",
        format="RAW",
        subtype=subtype,
        samplerate=8000,
        channels=1,
    )
    assert np.array_equal(LegDecoder(encoding, 8000).decode(EVERY_CODE), expected / 32768)


@pytest.mark.parametrize(("encode", "subtype"), [(encode_pcmu, "ULAW"), (encode_pcma, "ALAW")])
def test_every_sample_encodes_as_libsndfile_encodes_it(
    encode: Callable[[FloatArray], bytes], subtype: str
) -> None:
    expected = io.BytesIO()
    soundfile.write(expected, EVERY_INT16, 8000, format="RAW", subtype=subtype)
    assert encode(int16_to_float(EVERY_INT16)) == expected.getvalue()


@pytest.mark.filterwarnings("ignore:'audioop' is deprecated:DeprecationWarning")
def test_every_code_and_sample_against_audioop() -> None:
    """audioop first drops the lowest bits of the two's complement. G.711's laws are symmetric,
    so below zero its input is the one that is dropped to there."""
    audioop = pytest.importorskip("audioop", reason="left the standard library in Python 3.13")
    for encoding, decode in (("audio/PCMU", audioop.ulaw2lin), ("audio/PCMA", audioop.alaw2lin)):
        linear = np.frombuffer(decode(EVERY_CODE, 2), np.int16)
        assert np.array_equal(LegDecoder(encoding, 8000).decode(EVERY_CODE), linear / 32768)

    to_14_bits = (EVERY_INT16 >> 2) << 2
    expected = codes(audioop.lin2ulaw(EVERY_INT16.tobytes(), 2))
    assert np.array_equal(codes(encode_pcmu(int16_to_float(to_14_bits))), expected)

    ones_complement = np.where(EVERY_INT16 < 0, EVERY_INT16 + 1, EVERY_INT16).astype(np.int16)
    lowest = ones_complement == 0  # -1 became 0, which has lost its sign
    expected = codes(audioop.lin2alaw(EVERY_INT16.tobytes(), 2))
    actual = codes(encode_pcma(int16_to_float(ones_complement)))
    assert np.array_equal(actual[~lowest], expected[~lowest])


@pytest.mark.parametrize(("encoding", "encode"), [("PCMU", encode_pcmu), ("PCMA", encode_pcma)])
def test_every_code_survives_decoding_and_encoding(
    encoding: str, encode: Callable[[FloatArray], bytes]
) -> None:
    again = codes(encode(LegDecoder(f"audio/{encoding}", 8000).decode(EVERY_CODE)))
    changed = np.flatnonzero(again != codes(EVERY_CODE))
    assert changed.tolist() == ([0x7F] if encoding == "PCMU" else [])  # µ-law's second zero


@pytest.mark.parametrize(
    ("encode", "loudest", "quietest"), [(encode_pcmu, 0x80, 0x00), (encode_pcma, 0xAA, 0x2A)]
)
def test_beyond_full_scale_is_clipped(
    encode: Callable[[FloatArray], bytes], loudest: int, quietest: int
) -> None:
    assert list(encode(np.array([1.0, 7.0, -1.0, -7.0], np.float32))) == [
        loudest,
        loudest,
        quietest,
        quietest,
    ]


# --- a leg ------------------------------------------------------------------------------------


def test_media_types_have_no_case() -> None:
    assert LegDecoder("AUDIO/pcmu", 8000).decode(b"\xff").tolist() == [0.0]
    assert LegDecoder("audio/l16", 48000).decode(b"\x40\x00").tolist() == [0.5]


def test_channels_are_averaged() -> None:
    data = np.array([16384, 0, -16384, -8192], "<i2").tobytes()
    assert LegDecoder("audio/pcm", 8000, 2).decode(data).tolist() == [0.25, -0.375]


@pytest.mark.parametrize("encoding", sorted(DECODERS))
def test_nothing_decodes_to_nothing(encoding: str) -> None:
    samples = LegDecoder(encoding, 8000, 2).decode(b"")
    assert samples.shape == (0,)
    assert samples.dtype == np.float32


def test_what_is_not_supported_is_named() -> None:
    assert reason(lambda: LegDecoder("audio/opus", 8000)) == "UNKNOWN_ENCODING"
    assert reason(lambda: LegDecoder("audio/PCMU", 16000)) == "UNSUPPORTED_RATE"
    assert reason(lambda: LegDecoder("audio/L16", 11025)) == "UNSUPPORTED_RATE"
    assert reason(lambda: LegDecoder("audio/L16", 8000, 0)) == "UNSUPPORTED_CHANNELS"
    assert reason(lambda: LegDecoder("audio/L16", 8000, 3)) == "UNSUPPORTED_CHANNELS"


def test_messages_say_what_would_do() -> None:
    with pytest.raises(BadInput, match="audio/PCMU, audio/PCMA, audio/L16, audio/pcm"):
        LegDecoder("", 8000)
    with pytest.raises(BadInput, match="8000, 16000, 24000, 32000, 44100, 48000 Hz"):
        LegDecoder("audio/pcm", 22050)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(DECODERS)), st.integers(1, 2), st.integers(1, 8), st.binary(max_size=99)
)
def test_interleaved_legs_decode_as_each_alone(
    encoding: str, channels: int, legs: int, data: bytes
) -> None:
    decoder = LegDecoder(encoding, 8000, channels)
    size = decoder.frame_bytes * legs
    if len(data) % size:
        assert reason(lambda: decoder.decode_legs(data, legs)) == "BAD_INTERLEAVING"
        data = data[: len(data) // size * size]
    found = decoder.decode_legs(data, legs)
    table = np.frombuffer(data, np.uint8).reshape(-1, legs, decoder.frame_bytes)
    assert len(found) == legs
    for leg, samples in enumerate(found):
        assert np.array_equal(samples, decoder.decode(table[:, leg].tobytes()))
        assert all(not np.shares_memory(samples, other) for other in found[:leg])


@settings(deadline=None)
@given(encoding=st.sampled_from(sorted(DECODERS)), channels=st.integers(1, 2), data=st.binary())
def test_whole_samples_decode_and_others_are_refused(
    encoding: str, channels: int, data: bytes
) -> None:
    decoder = LegDecoder(encoding, 8000, channels)
    size = DECODERS[encoding].bytes_per_sample * channels
    if len(data) % size:
        assert reason(lambda: decoder.decode(data)) == "TRUNCATED_AUDIO"
    else:
        samples = decoder.decode(data)
        assert samples.shape == (len(data) // size,)
        assert bool(np.all(np.abs(samples) <= 1))


# --- resampling -------------------------------------------------------------------------------


def resampled(x: FloatArray, rate: int, chunk: int) -> FloatArray:
    resampler = Resampler(rate)
    parts = [resampler.push(x[i : i + chunk]) for i in range(0, len(x), chunk)]
    return np.concatenate([*parts, resampler.push(np.zeros(0, np.float32), last=True)])


def sine(hertz: float, rate: int, seconds: float = 1.5) -> FloatArray:
    t = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def phasor(y: FloatArray, hertz: float) -> complex:
    """Amplitude and phase of a tone that began as 0.5 sin, relative to that; edges left out."""
    n = np.arange(2000, 10000)  # one second: whole periods of any whole frequency
    return complex(np.mean(y[n] * np.exp(-2j * np.pi * hertz * n / 8000)) * 4j)


def test_8_khz_passes_untouched() -> None:
    x = sine(440, 8000)
    assert np.array_equal(resampled(x, 8000, 160), x)


@pytest.mark.parametrize("rate", WIDEBAND)
@pytest.mark.parametrize("hertz", [50, 300, 1000, 2500, 3400])
def test_the_telephone_band_keeps_level_and_time(rate: int, hertz: int) -> None:
    tone = phasor(resampled(sine(hertz, rate), rate, rate // 50), hertz)
    delay_samples = -np.angle(tone) / (2 * np.pi * hertz) * 8000
    assert abs(20 * math.log10(abs(tone))) < 0.1
    assert abs(delay_samples) < 0.01


@pytest.mark.parametrize("rate", WIDEBAND)
def test_an_impulse_stays_where_it_was(rate: int) -> None:
    x = np.zeros(rate, np.float32)
    x[rate // 2] = 1
    assert int(np.argmax(np.abs(resampled(x, rate, 441)))) == 4000


@pytest.mark.parametrize("rate", WIDEBAND)
def test_what_8_khz_cannot_carry_is_gone(rate: int) -> None:
    y = resampled(sine(5000, rate), rate, rate // 50)[2000:10000]
    assert 20 * math.log10(float(np.sqrt(np.mean(y**2))) / (0.5 / math.sqrt(2))) < -100


@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from(WIDEBAND),
    total=st.integers(0, 30000),
    cuts=st.lists(st.floats(0, 1), max_size=12),
    seed=st.integers(0, 99),
)
def test_any_split_gives_the_same_bits(rate: int, total: int, cuts: list[float], seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-1, 1, total).astype(np.float32)
    resampler = Resampler(rate)
    pieces = np.split(x, sorted(int(cut * total) for cut in cuts))
    parts = [resampler.push(piece) for piece in pieces[:-1]]
    parts.append(resampler.push(pieces[-1], last=True))
    whole = Resampler(rate).push(x, last=True)
    assert np.array_equal(np.concatenate(parts), whole)
    assert len(whole) == math.floor(total * 8000 / rate + 0.5)


@pytest.mark.parametrize("rate", WIDEBAND)
@pytest.mark.parametrize(("step_ms", "most"), [(20, 119), (1, 139)])
def test_the_lag_is_what_the_docstring_says(rate: int, step_ms: int, most: int) -> None:
    """In ms, at least 9 once it runs; seen after every push."""
    resampler = Resampler(rate)
    step = rate * step_ms // 1000
    arrived = produced = 0
    lags = []
    for _ in range(1000 // step_ms):
        produced += len(resampler.push(np.zeros(step, np.float32)))
        arrived += step
        lags.append(1000 * (arrived / rate - produced / 8000))
    assert max(lags) < most
    assert min(lags[200 // step_ms :]) > 9


@pytest.mark.parametrize("rate", WIDEBAND)
def test_how_much_has_come_out_does_not_depend_on_the_split(rate: int) -> None:
    samples = np.zeros(rate * 2, np.float32)
    ends = [rate // 7, rate // 3, rate, rate + 1, 2 * rate]
    given: dict[int, list[tuple[int, int]]] = {}
    for step in (1, 677, 2 * rate):
        resampler, out, at = Resampler(rate), 0, 0
        given[step] = []
        for end in ends:
            while at < end:
                size = min(step, end - at)
                out, at = out + len(resampler.push(samples[at : at + size])), at + size
            given[step].append((out, resampler.held))
    assert given[1] == given[677] == given[2 * rate]
    assert all(
        out + held == end * 8000 // rate for (out, held), end in zip(given[1], ends, strict=True)
    )
