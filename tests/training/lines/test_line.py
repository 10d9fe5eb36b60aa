"""One line: each condition as asked for, in its order, with a chance of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from emotion_service.errors import EmotionServiceError
from emotion_service.training.corpora.corpus import active_level_db
from emotion_service.training.lines.channel import CODECS
from emotion_service.training.lines.line import Line, Surroundings, amplified, narrowed, overdriven
from emotion_service.training.lines.loss import lost_packets, silenced
from emotion_service.types import FloatArray

Voice = Callable[[float, int], FloatArray]
NOTHING = Surroundings()


def sine(hertz: float, seconds: float = 2.0) -> FloatArray:
    time = np.arange(int(seconds * 8000)) / 8000
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def carried(
    line: Line, samples: FloatArray, around: Surroundings = NOTHING, seed: int = 0
) -> FloatArray:
    return line.carry(samples, around, np.random.default_rng(seed))


def level_db(samples: FloatArray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def test_a_line_without_conditions_is_its_codec(speech: Voice) -> None:
    voice = speech(1.0, 0)
    assert np.array_equal(carried(Line(), voice), CODECS["pcmu"](voice))
    assert np.array_equal(carried(Line(codec="gsm"), voice), CODECS["gsm"](voice))


def test_gateways_hand_other_codecs_on_as_mu_law() -> None:
    named = {codec: Line(codec=codec).encoding for codec in CODECS}
    assert named.pop("pcma") == "audio/PCMA"
    assert set(named.values()) == {"audio/PCMU"}


@pytest.mark.parametrize(
    ("hertz", "low", "high"),
    [(100, -99, -24), (300, -3.2, -2.8), (1000, -0.2, 0.2), (3400, -3.2, -2.8), (3900, -99, -24)],
)
def test_the_band_ends_at_300_and_3400_hz(hertz: float, low: float, high: float) -> None:
    inside = slice(4000, 12_000)  # without the edges
    change_db = level_db(narrowed(sine(hertz))[inside]) - level_db(sine(hertz)[inside])
    assert low < change_db < high


@pytest.mark.parametrize("gain_db", [-20.0, -12.0, 6.0, 20.0])
def test_a_gain_is_exact(gain_db: float, speech: Voice) -> None:
    voice = speech(1.0, 0)
    assert level_db(amplified(voice, gain_db)) - level_db(voice) == pytest.approx(gain_db, abs=1e-4)
    louder = carried(Line(level_db=gain_db), voice)
    assert np.array_equal(louder, CODECS["pcmu"](np.clip(amplified(voice, gain_db), -1.0, 1.0)))


@pytest.mark.parametrize("cut_db", [3.0, 12.0])
def test_an_overdriven_clip_loses_its_peaks_only(cut_db: float, speech: Voice) -> None:
    voice = speech(1.0, 0)
    cut = overdriven(voice, cut_db)
    ceiling = np.abs(voice).max() * 10 ** (-cut_db / 20)
    assert np.abs(cut).max() == pytest.approx(ceiling, rel=1e-5)
    below = np.abs(voice) < ceiling * 0.999
    assert np.array_equal(cut[below], voice[below])
    assert np.array_equal(overdriven(voice, 0.0), voice)


@pytest.mark.parametrize("noise", ["white", "pink", "brown", "recording"])
def test_noise_reaches_its_ratio(noise: str, speech: Voice) -> None:
    voice, around = speech(3.0, 0), Surroundings(recordings=[sine(900, 1.3), sine(333, 7.0)])
    line = Line(noise=noise, noise_snr_db=10.0)
    heard = line._with_noise(voice, around.recordings, np.random.default_rng(0))
    assert active_level_db(voice) - level_db(heard - voice) == pytest.approx(10.0, abs=0.01)
    assert np.array_equal(carried(line, voice, around), carried(line, voice, around))
    assert not np.array_equal(carried(line, voice, around), carried(line, voice, around, seed=1))


def test_babble_reaches_its_ratio_to_the_speaker_whatever_else_is_heard(speech: Voice) -> None:
    voice, around = speech(3.0, 0), Surroundings(voices=[speech(2.0, s) for s in range(1, 7)])
    noisy = voice + np.float32(0.5) * sine(200, 3.0)
    heard = Line(babble_snr_db=5.0)._with_babble(
        noisy, voice, around.voices, np.random.default_rng(0)
    )
    assert active_level_db(voice) - level_db(heard - noisy) == pytest.approx(5.0, abs=0.01)


def test_hum_lies_at_its_mains(speech: Voice) -> None:
    voice = speech(2.0, 0)
    hum = carried(Line(hum_hertz=60.0, hum_snr_db=10.0), voice) - carried(Line(), voice)
    assert int(np.abs(np.fft.rfft(hum)).argmax()) / 2 == 60


def test_packets_are_lost_after_the_codec(speech: Voice) -> None:
    voice = speech(4.0, 0)
    heard = carried(Line(loss=0.1, burst=3.0, concealment="zeros"), voice, seed=4)
    of_loss = np.random.default_rng(4).spawn(5)[4]
    lost = lost_packets(200, 0.1, 3.0, of_loss)
    assert lost.any()
    assert np.array_equal(heard, silenced(CODECS["pcmu"](voice), lost))


def test_pauses_are_kept_back_before_the_codec(speech: Voice) -> None:
    voice = np.concatenate([speech(1.0, 0), np.zeros(8000, np.float32), speech(1.0, 0)])
    voice += np.float32(1e-3) * sine(1000, 3.0)
    heard = carried(Line(pauses="gaps"), voice)
    assert np.abs(carried(Line(), voice)[12_000:15_000]).max() > 0
    assert not heard[12_000:15_000].any()


def test_noise_does_not_change_which_packets_are_lost(speech: Voice) -> None:
    voice = speech(4.0, 0)
    lossy = Line(loss=0.1, burst=3.0, concealment="zeros")
    clean, noisy = (
        np.abs(carried(line, voice)).reshape(-1, 160).max(axis=1) == 0.0
        for line in (lossy, replace(lossy, noise_snr_db=10.0))
    )
    assert 0 < noisy.sum() < 60
    assert np.array_equal(clean, noisy)


def test_all_at_once_stays_in_range_and_is_as_long_as_the_speed_makes_it(speech: Voice) -> None:
    line = Line(1.1, 1.5, "brown", 5.0, 10.0, 60.0, 20.0, 6.0, 20.0, True, "comfort", "gsm", 0.1)
    around = Surroundings(voices=[speech(2.0, 1)])
    heard = carried(line, speech(2.0, 0), around)
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(16_000 / 1.1, abs=1)
    assert np.abs(heard).max() <= 1.0
    assert np.array_equal(carried(line, speech(2.0, 0), around), heard)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (Line(noise="recording", noise_snr_db=10.0), "recorded noise"),
        (Line(babble_snr_db=10.0), "babble"),
    ],
)
def test_what_was_not_brought_is_asked_for(line: Line, what: str, speech: Voice) -> None:
    with pytest.raises(EmotionServiceError, match=f"a line with {what} was asked for"):
        carried(line, speech(0.5, 0))
