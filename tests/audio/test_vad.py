"""webrtcvad itself is the oracle; ours is what stands before and after it."""

from __future__ import annotations

import numpy as np
import pytest
import webrtcvad
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.vad import MODE, QUIET_DB, VoiceDetector
from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, FloatArray


def vowel(level_db: float, blocks: int) -> FloatArray:
    """Harmonics of 150 Hz, falling by 6 dB an octave; every 20 ms hold three whole periods."""
    phase = 2 * np.pi * 150 * np.arange(blocks * BLOCK) / SAMPLE_RATE_HERTZ
    voice = np.sum([np.sin(k * phase) / k for k in range(1, 25)], axis=0)
    scaled: FloatArray = voice * 10 ** (level_db / 20) / np.sqrt(np.mean(voice**2))
    return scaled.astype(np.float32)


def talk(seed: int, blocks: int) -> FloatArray:
    """Vowel and noise by turns, at levels from -70 to +6 dB."""
    rng = np.random.default_rng(seed)
    noise = 0.1 * rng.standard_normal((blocks, BLOCK))
    voiced = vowel(-18, blocks).reshape(-1, BLOCK)
    mixed = np.where(rng.random((blocks, 1)) < 0.5, voiced, noise)
    gain = 10 ** (rng.uniform(-50, 24, (blocks, 1)) / 20)
    return (mixed * gain).astype(np.float32).reshape(-1)


def test_a_vowel_is_voice_and_silence_is_not() -> None:
    assert VoiceDetector().detect(vowel(-18, 50)).all()
    assert not VoiceDetector().detect(np.zeros(50 * BLOCK, np.float32)).any()


def test_what_lies_25_decibels_below_levelled_speech_is_no_voice() -> None:
    # The first 60 ms: later webrtcvad takes what never changes for background, at any level.
    assert VoiceDetector().detect(vowel(QUIET_DB + 0.1, 3)).all()
    assert not VoiceDetector().detect(vowel(QUIET_DB - 0.1, 3)).any()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_loud_blocks_are_what_webrtcvad_says_of_the_clipped_16_bits(seed: int) -> None:
    samples = talk(seed, 40)
    oracle = webrtcvad.Vad(MODE)
    expected = []
    for block in samples.reshape(-1, BLOCK):
        pcm = np.trunc(np.clip(block.astype(np.float64) * 32768, -32768, 32767))
        says = oracle.is_speech(pcm.astype("<i2").tobytes(), SAMPLE_RATE_HERTZ)
        expected.append(says and 10 * np.log10(np.mean(block.astype(np.float64) ** 2)) >= QUIET_DB)
    assert VoiceDetector().detect(samples).tolist() == expected


@pytest.mark.parametrize("peak", [1.0, 1.5, 40.0])
def test_samples_beyond_full_scale_are_clipped_and_do_not_wrap(peak: float) -> None:
    loud = np.float32(peak / 0.3) * vowel(-18, 50)
    assert np.array_equal(
        VoiceDetector().detect(loud), VoiceDetector().detect(np.clip(loud, -1.0, 1.0))
    )
    assert VoiceDetector().detect(loud).all()


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=30)
def test_any_split_into_whole_blocks_decides_the_same(seed: int, cuts: list[int]) -> None:
    samples = talk(seed, 60)
    detector = VoiceDetector()
    parts = np.split(samples, [cut * BLOCK for cut in sorted(cuts)])
    voice = np.concatenate([detector.detect(part) for part in parts])
    assert np.array_equal(voice, VoiceDetector().detect(samples))
    assert voice.dtype == np.bool_
