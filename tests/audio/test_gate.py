"""What is no speech stops being taken for it, and speech does not: sounds of our own, then
real ones. The gate is heard behind level and voice activity, as on a leg."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from emotion_service.audio.gate import SoundGate
from emotion_service.audio.level import Level
from emotion_service.audio.vad import VoiceDetector
from emotion_service.training.corpora.corpus import read_audio, read_corpus
from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, BoolArray, FloatArray, Sound

Hear: TypeAlias = Callable[[FloatArray], tuple[FloatArray, BoolArray, list[Sound]]]

RATE = SAMPLE_RATE_HERTZ
BLOCKS_A_SECOND = RATE // BLOCK
C, A_MINOR, F, G = (
    (261.6, 329.6, 392.0),
    (220.0, 261.6, 329.6),
    (349.2, 440.0, 523.3),
    (392.0, 493.9, 587.3),
)
SCALE = tuple((hertz,) for hertz in (261.6, 293.7, 329.6, 349.2, 392.0, 440.0, 493.9, 523.3))
KEYS = [(low, high) for low in (697, 770, 852, 941) for high in (1209, 1336, 1477, 1633)]


def at_level(samples: np.ndarray, level_db: float) -> FloatArray:
    scaled: FloatArray = samples * 10 ** (level_db / 20) / np.sqrt(np.mean(samples**2))
    return scaled.astype(np.float32)


def tone(*hertz: float, seconds: float, level_db: float = -20.0) -> FloatArray:
    time = np.arange(int(seconds * RATE)) / RATE
    return at_level(np.sum([np.sin(2 * np.pi * f * time) for f in hertz], axis=0), level_db)


def noise(falling_db: float, seconds: float, level_db: float, seed: int = 0) -> FloatArray:
    """White noise at 0, pink at 3 dB an octave."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(int(seconds * RATE)))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1.0) ** (falling_db / 6.02)
    return at_level(np.fft.irfft(spectrum), level_db)


def music(
    chords: Sequence[tuple[float, ...]], note: float, attack: float, seconds: float
) -> FloatArray:
    """Chord after chord of six harmonics each (1/h), every note fading in and out."""
    time = np.arange(int(note * RATE)) / RATE
    fade = np.minimum(1.0, np.minimum(time, note - time) / attack)
    parts = [
        fade * sum(np.sin(2 * np.pi * f * h * time) / h for f in chord for h in range(1, 7))
        for chord in islice(cycle(chords), int(seconds / note))
    ]
    return at_level(np.concatenate(parts), -26.0)


def talk(seconds: float, seed: int) -> FloatArray:
    """Five syllables a second: three formants each, on a pitch that is never still."""
    rng = np.random.default_rng(seed)
    count, length = int(5 * seconds), RATE // 5
    edges = np.arange(2 * count + 1) * length / 2
    pitch = np.interp(np.arange(count * length), edges, rng.uniform(90, 220, 2 * count + 1))
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0.0).reshape(count, length)
    for i, formants in enumerate(rng.uniform((300, 900, 2500), (800, 2100, 2700), (count, 3))):
        for formant in formants:
            pole = 0.965 * np.exp(2j * np.pi * formant / RATE)
            pulses[i] = signal.lfilter([1], np.poly([pole, pole.conjugate()]).real, pulses[i])
        pulses[i] *= np.hanning(length) / np.sqrt(np.mean(pulses[i] ** 2))
    return at_level(pulses.reshape(-1) + 0.005 * rng.standard_normal(count * length), -26.0)


def quiet(seconds: float) -> FloatArray:
    return np.zeros(int(seconds * RATE), np.float32)


def spoken_until(sounds: list[Sound]) -> float:
    """Seconds from the start to the end of the last block taken for speech."""
    last = max((i for i, sound in enumerate(sounds) if sound is Sound.SPEECH), default=-1)
    return (last + 1) / BLOCKS_A_SECOND


# --- no speech --------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", [0.005, 0.02, 0.1])
@pytest.mark.parametrize("note", [0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("chords", [(C, A_MINOR, F, G), SCALE], ids=["chords", "scale"])
def test_hold_music_is_no_speech_after_two_and_a_half_seconds(
    hear: Hear, chords: Sequence[tuple[float, ...]], note: float, attack: float
) -> None:
    _, _, sounds = hear(music(chords, note, attack, seconds=8))
    assert spoken_until(sounds) <= 2.5  # measured: 1.1
    assert sounds.count(Sound.MUSIC) > len(sounds) // 2


@pytest.mark.parametrize("level_db", [-40.0, -26.0, -10.0])
@pytest.mark.parametrize("hertz", [(425,), (440, 480), (350, 440), (480, 620)])
def test_call_progress_tones_are_no_speech_after_160_ms(
    hear: Hear, hertz: tuple[float, ...], level_db: float
) -> None:
    _, _, sounds = hear(tone(*hertz, seconds=2, level_db=level_db))
    assert spoken_until(sounds) <= 0.16
    assert set(sounds[8:]) == {Sound.TONE}


def test_a_ring_is_as_short_a_second_time(hear: Hear) -> None:
    ring = tone(440, 480, seconds=2)
    _, _, sounds = hear(np.concatenate([ring, quiet(4), ring]))
    assert sounds[6 * BLOCKS_A_SECOND :].count(Sound.SPEECH) <= 8


@pytest.mark.parametrize("level_db", [-36.0, -10.0])
@pytest.mark.parametrize("key", KEYS)
def test_dtmf_is_no_speech_after_160_ms(
    hear: Hear, key: tuple[float, float], level_db: float
) -> None:
    _, _, sounds = hear(np.concatenate([quiet(0.2), tone(*key, seconds=0.5, level_db=level_db)]))
    assert spoken_until(sounds) - 0.2 <= 0.16


@pytest.mark.parametrize("key", KEYS)
def test_dtmf_as_telephones_send_it_is_no_speech_after_160_ms(
    hear: Hear, key: tuple[float, float]
) -> None:
    """The high tone 2 dB above the low one (ITU-T Q.23 leaves room for it)."""
    low, high = (tone(f, seconds=0.5) for f in key)
    _, _, sounds = hear(np.concatenate([quiet(0.2), low + np.float32(1.26) * high]))
    assert spoken_until(sounds) - 0.2 <= 0.16


@pytest.mark.parametrize("level_db", [-70.0, -56.0, -50.0, -44.0, -30.0, -15.0])
@pytest.mark.parametrize("seed", range(3))
def test_steady_pink_noise_is_no_speech_after_1200_ms(
    hear: Hear, level_db: float, seed: int
) -> None:
    _, _, sounds = hear(noise(3.0, 4, level_db, seed))
    assert spoken_until(sounds) <= 1.2


@pytest.mark.parametrize("level_db", [-70.0, -56.0, -46.0, -30.0, -15.0])
@pytest.mark.parametrize("seed", range(3))
def test_steady_white_noise_is_no_speech_after_1200_ms(
    hear: Hear, level_db: float, seed: int
) -> None:
    _, _, sounds = hear(noise(0.0, 4, level_db, seed))
    assert spoken_until(sounds) <= 1.2


def test_silence_is_silence(hear: Hear) -> None:
    assert set(hear(quiet(3))[2]) == {Sound.SILENCE}


# --- speech -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_talk_is_speech(hear: Hear, seed: int) -> None:
    _, voice, sounds = hear(talk(4, seed))
    assert sounds.count(Sound.SPEECH) >= 0.95 * voice.sum() > 100


@pytest.mark.parametrize("seed", range(4))
def test_talk_after_hold_music_is_speech_once_the_music_is_two_seconds_past(
    hear: Hear, seed: int
) -> None:
    """While the ring holds music it may come back; emodb's speech takes 0.5-0.9 s, 1.3 at most."""
    hold = music((C, A_MINOR, F, G), note=0.5, attack=0.02, seconds=5)
    _, voice, sounds = hear(np.concatenate([hold, talk(5, seed)]))
    after = slice(7 * BLOCKS_A_SECOND, None)
    assert sounds[after].count(Sound.SPEECH) >= 0.95 * voice[after].sum() > 100


# --- invariants -------------------------------------------------------------------------------

EVERYTHING = np.concatenate(
    [talk(1.2, 0), tone(425, seconds=0.3), noise(3.0, 1.5, -30), music((C, G), 0.5, 0.02, 2)]
)


@given(cuts=st.lists(st.integers(1, len(EVERYTHING) // BLOCK - 1), unique=True, max_size=20))
@settings(max_examples=20, deadline=None)
def test_any_split_into_whole_blocks_hears_the_same(cuts: list[int]) -> None:
    levelled = Level().apply(EVERYTHING[: len(EVERYTHING) // BLOCK * BLOCK])
    voice = VoiceDetector().detect(levelled)
    gate, sounds = SoundGate(), []
    parts = np.split(levelled, [cut * BLOCK for cut in sorted(cuts)])
    for part, said in zip(parts, np.split(voice, sorted(cuts)), strict=True):
        sounds += gate.classify(part, said)
    assert sounds == SoundGate().classify(levelled, voice)
    assert set(sounds) == set(Sound)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_what_is_no_voice_is_silence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    voice = rng.random(100) < 0.5
    samples = rng.standard_normal(100 * BLOCK).astype(np.float32)
    silent = [sound is Sound.SILENCE for sound in SoundGate().classify(samples, voice)]
    assert np.array(silent)[~voice].all()


# --- real sounds ------------------------------------------------------------------------------


@pytest.mark.parametrize(("corpus", "every"), [("emodb", 3), ("nemo", 30), ("ravdess", 12)])
def test_real_speech_loses_at_most_2_per_cent_of_its_voice(
    hear: Hear, corpora: Path, corpus: str, every: int
) -> None:
    """Measured over all clips, mean and worst: emodb 0.5 and 8 %, nemo 0.4 and 50 % (drawn out
    like song; 15 of 3491 clips lose more than 10 %), ravdess 0.2 and 12 %."""
    lost = []
    for clip in read_corpus(corpora / corpus)[::every]:
        _, voice, sounds = hear(read_audio(clip.path))
        lost.append(1 - sounds.count(Sound.SPEECH) / voice.sum())
    assert len(lost) > 100
    assert np.mean(lost) <= 0.02


@pytest.mark.parametrize(
    ("piece", "limit"),  # measured: 0, 0, 0 and 9 %
    [("arcade_music", 0.02), ("cinematic", 0.02), ("piano", 0.02), ("jazz_guitar", 0.15)],
)
def test_real_music_is_hardly_speech_after_two_and_a_half_seconds(
    hear: Hear, corpora: Path, piece: str, limit: float
) -> None:
    path = corpora / "background" / "audio" / f"{piece}.flac"
    _, voice, sounds = hear(read_audio(path))
    after = sounds[int(2.5 * BLOCKS_A_SECOND) :]
    assert voice.mean() > 0.7  # which is why there is a gate
    assert after.count(Sound.SPEECH) <= limit * len(after)
