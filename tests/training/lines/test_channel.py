"""Codecs: as long, as loud, in the same place, and as true as each of them is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest

from emotion_service.audio.codecs import decode_pcma, decode_pcmu, encode_pcma, encode_pcmu
from emotion_service.errors import EmotionServiceError
from emotion_service.training.lines.channel import CODECS
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]

OWN = ("pcmu", "pcma", "gsm")
FFMPEG = ("amr-nb", "g722", "g726", "opus")
without_av = pytest.mark.skipif(
    find_spec("av") is None, reason="needs PyAV, which the extra [train] brings"
)
EVERY = [*OWN, *(pytest.param(name, marks=without_av) for name in FFMPEG)]


def sine(hertz: float, seconds: float = 1.0) -> FloatArray:
    time = np.arange(int(seconds * 8000)) / 8000
    return (0.1 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def snr_db(sent: FloatArray, heard: FloatArray) -> float:
    """Of what the best gain makes of the sound that was sent, without the first 200 ms."""
    sent, heard = sent[1600:].astype(np.float64), heard[1600:].astype(np.float64)
    wanted = sent * (sent @ heard) / (sent @ sent)
    return float(10 * np.log10(np.sum(wanted**2) / np.sum((heard - wanted) ** 2)))


def test_the_codecs_are_those_of_the_kit() -> None:
    assert list(CODECS) == ["pcmu", "pcma", "gsm", "amr-nb", "g722", "g726", "opus"]
    assert set(CODECS) == {*OWN, *FFMPEG}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("length", [0, 1, 161, 8001])
def test_a_clip_keeps_its_length(name: str, length: int, speech: Voice) -> None:
    heard = CODECS[name](speech(1.1, 3)[:length])
    assert heard.shape == (length,)
    assert heard.dtype == np.float32


@pytest.mark.parametrize("name", EVERY)
def test_the_same_clip_gives_the_same_bits_whatever_came_before(name: str, speech: Voice) -> None:
    first = CODECS[name](speech(1.0, 1))
    CODECS[name](speech(0.5, 2))
    assert CODECS[name](speech(1.0, 1)).tobytes() == first.tobytes()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_sound_moves(name: str, seed: int, speech: Voice) -> None:
    sent = speech(3.0, seed)
    heard = CODECS[name](sent)
    lags = np.arange(-200, 201)
    likeness = [np.roll(heard, -lag) @ sent for lag in lags]
    assert lags[int(np.argmax(likeness))] == 0


@pytest.mark.parametrize("name", EVERY)
def test_the_last_sound_is_not_lost(name: str, speech: Voice) -> None:
    sent = np.concatenate([speech(1.0, 1)[:7900], sine(500, 0.0625)])
    last = CODECS[name](sent)[-400:]
    assert 0.05 < np.sqrt(np.mean(last**2)) < 0.1


@pytest.mark.parametrize(
    ("name", "least_db"),
    [
        ("pcmu", 37.0),
        ("pcma", 37.0),
        ("gsm", 20.0),
        pytest.param("amr-nb", 10.0, marks=without_av),
        pytest.param("g722", 40.0, marks=without_av),
        pytest.param("g726", 30.0, marks=without_av),
        pytest.param("opus", 20.0, marks=without_av),
    ],
)
def test_a_tone_comes_out_as_true_as_the_codec_is(name: str, least_db: float) -> None:
    heard = CODECS[name](sine(1000))
    assert snr_db(sine(1000), heard) > least_db
    assert np.sqrt(np.mean(heard[1600:] ** 2) / np.mean(sine(1000)[1600:] ** 2)) == pytest.approx(
        1.0, abs=0.1
    )


@pytest.mark.parametrize("name", EVERY)
def test_what_is_too_loud_is_clipped(name: str, speech: Voice) -> None:
    loud = 30 * speech(0.5, 4)
    clipped = np.clip(loud, -1.0, 1.0)
    heard = CODECS[name](loud)
    assert np.array_equal(heard, CODECS[name](clipped))
    assert np.corrcoef(heard, clipped)[0, 1] > 0.8


def test_g711_is_that_of_the_service(speech: Voice) -> None:
    sent = speech(1.0, 5)
    assert np.array_equal(CODECS["pcmu"](sent), decode_pcmu(encode_pcmu(sent)))
    assert np.array_equal(CODECS["pcma"](sent), decode_pcma(encode_pcma(sent)))


@pytest.mark.parametrize("name", ["pcmu", "pcma"])
def test_a_second_time_changes_nothing_more(name: str, speech: Voice) -> None:
    once = CODECS[name](speech(1.0, 5))
    assert np.array_equal(CODECS[name](once), once)


@pytest.mark.parametrize("name", FFMPEG)
def test_without_pyav_it_is_said_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(EmotionServiceError, match=r"needs PyAV.*'emotion-service\[train\]'"):
        CODECS[name](sine(1000))


@without_av
def test_a_pyav_without_the_codec_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.codecs_available", {"g722"})
    assert len(CODECS["g722"](sine(1000))) == 8000
    with pytest.raises(EmotionServiceError, match="was built without the codec libopencore_amrnb"):
        CODECS["amr-nb"](sine(1000))
