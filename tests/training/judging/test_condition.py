"""A line changes what its condition says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emotion_service.audio.codecs import encode_pcma, encode_pcmu
from emotion_service.audio.ear import Ear, listen
from emotion_service.training.corpora.corpus import active_level_db
from emotion_service.training.judging.condition import Condition, first_speech
from emotion_service.training.lines.channel import CODECS
from emotion_service.types import FloatArray, Sound

Voice = Callable[[float, int], FloatArray]


def line(condition: Condition, samples: FloatArray, seed: int = 0) -> FloatArray:
    return condition.line(samples, np.random.default_rng(seed))


def test_a_plain_line_delivers_the_clip_as_it_is(speech: Voice) -> None:
    samples = speech(1.0, 0)
    assert line(Condition(), samples).tobytes() == samples.tobytes()
    assert Condition().encoded(samples) == encode_pcmu(samples)
    assert Condition("pcma").encoded(samples) == encode_pcma(samples)
    assert Condition("pcma").encoding == "audio/PCMA"


def test_other_codecs_come_through_a_gateway_as_mu_law(speech: Voice) -> None:
    samples, gsm = speech(1.0, 0), Condition("gsm")
    delivered = line(gsm, samples)
    assert delivered.tobytes() == CODECS["gsm"](samples).tobytes() != samples.tobytes()
    assert (gsm.encoding, gsm.encoded(delivered)) == ("audio/PCMU", encode_pcmu(delivered))


@pytest.mark.parametrize("gain_db", [-12.0, 12.0])
def test_gain_is_in_decibels_and_clips_at_full_scale(speech: Voice, gain_db: float) -> None:
    samples = speech(1.0, 0)
    expected = np.clip(samples * 10 ** (gain_db / 20), -1, 1)
    assert line(Condition(gain_db=gain_db), samples) == pytest.approx(expected, abs=1e-6)


def test_lost_packets_are_concealed_and_no_others_touched(speech: Voice) -> None:
    samples = speech(4.0, 0)
    heard = line(Condition(loss=0.1), samples)
    packets = np.abs(heard - samples).reshape(-1, 160).max(axis=1) > 0
    assert 0.03 < packets.mean() < 0.3  # and those in which what was made up gives way
    assert np.abs(heard).reshape(-1, 160).max(axis=1).min() > 0
    assert np.array_equal(heard, line(Condition(loss=0.1), samples))


def test_what_goes_beyond_full_scale_is_said() -> None:
    samples = np.full(160, 0.5, np.float32)
    assert not Condition(gain_db=6.0).clips(samples)
    assert Condition(gain_db=6.1).clips(-samples)


@pytest.mark.parametrize("snr_db", [20.0, 0.0])
def test_noise_lies_so_far_below_the_active_speech(speech: Voice, snr_db: float) -> None:
    samples = speech(2.0, 0)
    noise = line(Condition(snr_db=snr_db), samples) - samples
    level_db = 10 * np.log10(np.mean(noise.astype(np.float64) ** 2))
    assert active_level_db(samples) - level_db == pytest.approx(snr_db, abs=0.1)
    assert line(Condition(snr_db=snr_db), samples) - samples == pytest.approx(noise)
    assert line(Condition(snr_db=snr_db), samples, seed=1) - samples != pytest.approx(noise)


# --- length -----------------------------------------------------------------------------------


def spoken(samples: FloatArray) -> int:
    """Samples of speech, as a leg hears them."""
    (blocks,) = listen([Ear()], [samples[: len(samples) // 160 * 160]])
    return sum(sound is Sound.SPEECH for sound in blocks.sounds) * 160


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0])
def test_a_clip_ends_with_the_block_that_completes_its_speech(
    speech: Voice, seconds: float
) -> None:
    samples = speech(5.0, 1)
    cut, reached = first_speech(samples, seconds)
    assert reached
    assert cut.tobytes() == samples[: len(cut)].tobytes()
    assert spoken(cut) == seconds * 8000
    assert spoken(cut[:-160]) == seconds * 8000 - 160


def test_a_clip_with_less_speech_is_heard_whole(speech: Voice) -> None:
    samples = speech(1.0, 1)
    cut, reached = first_speech(samples, 2.0)
    assert (reached, cut.tobytes()) == (False, samples.tobytes())
    assert first_speech(samples[:100], 0.5)[1] is False
