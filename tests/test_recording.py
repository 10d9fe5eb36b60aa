"""Files become legs exactly, and messages put together are the file again."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.errors import BadInput
from emotion_service.recording import (
    Channel,
    Encoding,
    LegRecording,
    as_legs,
    cut,
    default_parties,
    read_channels,
)
from emotion_service.types import EncodedAudio, LegConfig, Party

RAMP = np.arange(-32768, 32768, 7, dtype=np.int16)


def channel(samples: object, rate: int = 8000) -> Channel:
    return Channel(rate, np.asarray(samples, dtype=np.float32))


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_stereo_file_of_16_bits_comes_back_sample_by_sample(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"call.{suffix}"
    soundfile.write(file, np.stack([RAMP, RAMP[::-1]], axis=1), 16000, subtype="PCM_16")
    left, right = read_channels([file])
    assert left.sample_rate_hertz == right.sample_rate_hertz == 16000
    np.testing.assert_array_equal(left.samples * 32768, RAMP)
    np.testing.assert_array_equal(right.samples * 32768, RAMP[::-1])


def test_ogg_is_read_at_its_own_rate(tmp_path: Path) -> None:
    file = tmp_path / "call.ogg"
    tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000) / 2
    soundfile.write(file, tone, 8000)
    (only,) = read_channels([file])
    assert only.sample_rate_hertz == 8000
    rms = float(np.sqrt(np.mean(only.samples**2)))
    assert rms == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


@pytest.mark.parametrize(
    ("suffix", "encoding", "silence"),
    [
        ("ul", Encoding.PCMU, 0xFF),
        ("ulaw", Encoding.PCMU, 0xFF),
        ("al", Encoding.PCMA, 0xD5),
        ("alaw", Encoding.PCMA, 0xD5),
    ],
)
def test_raw_g711_passes_through_unchanged(
    tmp_path: Path, suffix: str, encoding: Encoding, silence: int
) -> None:
    # 0x7F is mu-law's negative zero: it decodes to 0, as 0xFF does.
    codes = bytes(code for code in range(256) if code != 0x7F) + bytes([silence])
    file = tmp_path / f"call.{suffix}"
    file.write_bytes(codes)
    (only,) = read_channels([file])
    assert abs(only.samples[-1]) <= 8 / 32768
    (leg,) = as_legs([only], [Party.CUSTOMER], encoding)
    assert leg.data == codes
    assert leg.config == LegConfig("customer", Party.CUSTOMER, encoding.value, 8000)


def test_floats_are_scaled_by_32768_and_clipped(tmp_path: Path) -> None:
    file = tmp_path / "float.wav"
    soundfile.write(file, np.array([0.0, 0.5, -1.0, 1.0, 3.0]), 8000, subtype="FLOAT")
    (leg,) = as_legs(read_channels([file]), [Party.CUSTOMER], Encoding.PCM)
    assert np.frombuffer(leg.data, "<i2").tolist() == [0, 16384, -32768, 32767, 32767]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        (Encoding.L16, b"\x00\x00\x03\xe8\x80\x00"),
        (Encoding.PCM, b"\x00\x00\xe8\x03\x00\x80"),
        (Encoding.PCMU, b"\xff\xce\x00"),
        (Encoding.PCMA, b"\xd5\xfa\x2a"),
    ],
)
def test_known_bytes_of_each_encoding(encoding: Encoding, expected: bytes) -> None:
    samples = channel([0.0, 1000 / 32768, -1.0])
    (leg,) = as_legs([samples], [Party.AGENT], encoding)
    assert leg.data == expected


@pytest.mark.parametrize(
    ("encoding", "file_rate", "sent_rate"),
    [
        (Encoding.PCMU, 16000, 8000),
        (Encoding.L16, 16000, 16000),
        (Encoding.L16, 11025, 8000),
        (Encoding.PCM, 44100, 44100),
    ],
)
def test_rates_that_the_service_takes_are_kept(
    encoding: Encoding, file_rate: int, sent_rate: int
) -> None:
    silence = channel(np.zeros(file_rate * 2), file_rate)
    (leg,) = as_legs([silence], [Party.CUSTOMER], encoding)
    assert leg.config.sample_rate_hertz == sent_rate
    assert leg.duration_seconds == pytest.approx(2.0, abs=1e-3)


def test_a_resampled_sine_keeps_its_level() -> None:
    sine = channel(np.sin(2 * np.pi * 1000 * np.arange(96000) / 96000) / 2, 96000)
    (leg,) = as_legs([sine], [Party.CUSTOMER], Encoding.PCM)
    middle = np.frombuffer(leg.data, "<i2")[1000:7000] / 32768
    assert len(leg.data) == 2 * 8000
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_legs_are_named_after_their_parties() -> None:
    channels = [channel(np.zeros(8))] * 3
    legs = as_legs(channels, [Party.CUSTOMER, Party.AGENT, Party.AGENT], Encoding.PCMU)
    assert [leg.config.leg for leg in legs] == ["customer", "agent", "agent-2"]


def test_default_parties() -> None:
    assert default_parties(1, mixed=False) == (Party.CUSTOMER,)
    assert default_parties(1, mixed=True) == (Party.MIXED,)
    assert default_parties(2, mixed=True) == (Party.CUSTOMER, Party.AGENT)


def leg_of(name: str, data: bytes, rate: int = 8000, encoding: str = "audio/PCMU") -> LegRecording:
    return LegRecording(LegConfig(name, Party.CUSTOMER, encoding, rate), data)


def test_chunks_of_both_legs_alternate_and_carry_their_offset() -> None:
    legs = [leg_of("customer", b"abcdefgh" * 100), leg_of("agent", b"x" * 500)]
    chunks = list(cut(legs, chunk_ms=50))
    assert [(c.leg, c.offset_seconds, len(c.data)) for c in chunks] == [
        ("customer", 0.0, 400),
        ("agent", 0.0, 400),
        ("customer", 0.05, 400),
        ("agent", 0.05, 100),
    ]


@given(
    data=st.binary(min_size=2, max_size=4000),
    chunk_ms=st.integers(1, 300),
    rate=st.sampled_from([8000, 16000, 44100]),
)
def test_messages_put_together_are_the_leg(data: bytes, chunk_ms: int, rate: int) -> None:
    data = data[: len(data) // 2 * 2]
    leg = leg_of("customer", data, rate, "audio/L16")
    chunks = list(cut([leg], chunk_ms))
    assert b"".join(chunk.data for chunk in chunks) == data
    placed = 0
    for chunk in chunks:
        assert chunk == EncodedAudio("customer", chunk.data, offset_seconds=placed / rate)
        placed += len(chunk.data) // 2


def write_three_channels(file: Path) -> None:
    soundfile.write(file, np.zeros((10, 3)), 8000, format="WAV")


def write_not_a_number(file: Path) -> None:
    soundfile.write(file, np.full(10, np.nan), 8000, format="WAV", subtype="FLOAT")


def write_a_truncated_flac(file: Path) -> None:
    noise = np.random.default_rng(0).integers(-3000, 3000, 40000)
    soundfile.write(file, noise.astype(np.int16), 8000, format="FLAC")
    file.write_bytes(file.read_bytes()[:30])


@pytest.mark.parametrize(
    ("name", "write", "reason", "says"),
    [
        ("missing.wav", lambda file: None, "UNREADABLE_FILE", "No such file"),
        ("folder.wav", Path.mkdir, "UNREADABLE_FILE", "directory"),
        ("text.wav", lambda f: f.write_text("hello"), "UNREADABLE_FILE", "not a recording"),
        ("cut.flac", write_a_truncated_flac, "UNREADABLE_FILE", "damaged"),
        ("empty.ul", Path.touch, "UNREADABLE_FILE", "no audio"),
        ("nan.wav", write_not_a_number, "UNREADABLE_FILE", "not only numbers"),
        ("three.wav", write_three_channels, "TOO_MANY_CHANNELS", "has 3 channels"),
    ],
)
def test_files_that_cannot_be_used(
    tmp_path: Path, name: str, write: object, reason: str, says: str
) -> None:
    assert callable(write)
    write(tmp_path / name)
    with pytest.raises(BadInput, match=says) as caught:
        read_channels([tmp_path / name])
    assert caught.value.reason == reason


def test_two_files_must_be_mono(tmp_path: Path) -> None:
    mono, stereo = tmp_path / "mono.wav", tmp_path / "stereo.wav"
    soundfile.write(mono, np.zeros(10), 8000)
    soundfile.write(stereo, np.zeros((10, 2)), 8000)
    assert len(read_channels([mono, mono])) == 2
    with pytest.raises(BadInput, match="both must be mono"):
        read_channels([mono, stereo])


def test_three_files_are_too_many(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="3 files were given"):
        read_channels([tmp_path / "a", tmp_path / "b", tmp_path / "c"])


def test_one_party_for_each_leg() -> None:
    with pytest.raises(BadInput, match=r"1 leg\(s\), but 2 parties"):
        as_legs([channel(np.zeros(8))], [Party.CUSTOMER, Party.AGENT], Encoding.PCMU)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    file, pipe = tmp_path / "a.wav", tmp_path / "pipe"
    soundfile.write(file, np.linspace(-0.5, 0.5, 4000), 8000)
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as writer:
        writer.submit(lambda: pipe.write_bytes(file.read_bytes()))
        (piped,) = read_channels([pipe])
    (read,) = read_channels([file])
    assert np.array_equal(piped.samples, read.samples)
