"""Syllables from the level alone: of made-up and of real speech, however it is cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.ear import Ear, listen
from emotion_service.audio.features import CONTEXT, extract
from emotion_service.audio.pace import DIP_DB, LOUD_DB, RANGE_DB, PaceTracker
from emotion_service.audio.prosody import syllable_nuclei
from emotion_service.training.corpora.corpus import read_audio, read_corpus
from emotion_service.types import BLOCK, FloatArray, Pace, Sound, VoicedAudio

SECOND = 50  # blocks


def power(*levels_db: float) -> list[float]:
    return [10.0 ** (level_db / 10.0) for level_db in levels_db]


def hills(count: int, blocks: int = 10, depth_db: float = 12.0) -> list[float]:
    """So many syllables: raised cosines of that depth, below LOUD_DB."""
    phase = 2 * np.pi * (np.arange(count * blocks) + 0.5) / blocks
    return power(*(LOUD_DB - depth_db * (0.5 + 0.5 * np.cos(phase))).tolist())


def heard(vowels: list[float], sound: Sound = Sound.SPEECH) -> list[Pace]:
    tracker = PaceTracker("agent")
    return tracker.follow([sound] * len(vowels), vowels) + tracker.finish()


def syllables(vowels: list[float], sound: Sound = Sound.SPEECH) -> int:
    return sum(pace.syllables for pace in heard(vowels, sound))


def test_each_hill_is_a_syllable_by_the_second() -> None:
    paces = heard(hills(15))
    assert [(pace.start, pace.end, pace.speech) for pace in paces] == [
        (0, 8000, 8000),
        (8000, 16_000, 8000),
        (16_000, 24_000, 8000),
    ]
    assert sum(pace.syllables for pace in paces) == 15
    assert max(pace.syllables for pace in paces) <= 5


@pytest.mark.parametrize(("depth_db", "count"), [(2.0 * DIP_DB, 10), (0.9 * DIP_DB, 0)])
def test_a_dip_must_be_deep_enough(depth_db: float, count: int) -> None:
    assert syllables(hills(10, depth_db=depth_db)) == count


def test_a_syllable_that_speech_breaks_off_counts() -> None:
    vowels = power(*[LOUD_DB] * 10, *[LOUD_DB - 40.0] * 4)
    sounds = [Sound.SPEECH] * 10 + [Sound.SILENCE] * 4
    tracker = PaceTracker("agent")
    assert tracker.follow(sounds, vowels) == []
    assert tracker.finish() == [Pace("agent", 0, 14 * BLOCK, 1, 10 * BLOCK)]


@pytest.mark.parametrize("sound", [Sound.SILENCE, Sound.MUSIC, Sound.TONE])
def test_what_is_no_speech_has_no_pace(sound: Sound) -> None:
    assert heard(hills(10), sound) == []


def test_what_is_too_quiet_is_no_syllable() -> None:
    quiet = [value * 10 ** (-(RANGE_DB + 1) / 10) for value in hills(10)]
    assert syllables(quiet) == 0
    assert syllables([0.0] * 50) == 0


def test_a_gap_breaks_off_and_the_grid_stays() -> None:
    tracker = PaceTracker("agent")
    first = tracker.follow([Sound.SPEECH] * 60, hills(6))
    (before,) = tracker.skip(100)
    (after,) = tracker.follow([Sound.SPEECH] * 40, hills(4))
    assert [pace.start for pace in first] == [0]
    assert (before.start, before.end) == (8000, 60 * BLOCK)
    assert (after.start, after.end, after.speech) == (3 * 8000, 4 * 8000, 40 * BLOCK)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
def test_any_cut_gives_the_same(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    vowels = power(*rng.uniform(LOUD_DB - 40, LOUD_DB + 5, sum(cuts)).tolist())
    said = np.repeat(rng.random(len(vowels)) < 0.6, rng.integers(1, 30, len(vowels)))
    sounds = [Sound.SPEECH if speech else Sound.SILENCE for speech in said[: len(vowels)]]
    whole, parts = PaceTracker("agent"), PaceTracker("agent")
    expected = whole.follow(sounds, vowels) + whole.finish()
    found, at = [], 0
    for cut in cuts:
        found += parts.follow(sounds[at : at + cut], vowels[at : at + cut])
        at += cut
    assert found + parts.finish() == expected


# --- against prosody, which looks ahead and asks for a pitch ----------------------------------


def both_counts(samples: FloatArray) -> tuple[int, int, int]:
    """Syllables as counted here and by prosody, and blocks of speech."""
    whole = samples[: len(samples) // BLOCK * BLOCK]
    (blocks,) = listen([Ear()], [whole])
    tracker = PaceTracker("agent")
    paces = tracker.follow(blocks.sounds, blocks.vowels) + tracker.finish()
    voice = np.repeat([sound is Sound.SPEECH for sound in blocks.sounds], 2)
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), whole])
    (frames,) = extract([VoicedAudio("agent", -CONTEXT, padded, voice)])
    count = sum(pace.syllables for pace in paces)
    return count, len(syllable_nuclei(frames)), int(voice.sum()) // 2


def test_a_made_up_voice_has_as_many_as_prosody_finds(
    speech: Callable[[float, int], FloatArray],
) -> None:
    here, there = np.sum([both_counts(speech(8.0, seed))[:2] for seed in range(4)], axis=0)
    assert here == pytest.approx(there, rel=0.1)


@pytest.mark.parametrize(("corpus", "every"), [("emodb", 3), ("nemo", 30), ("ravdess", 12)])
def test_real_speech_has_as_many_as_prosody_finds(corpora: Path, corpus: str, every: int) -> None:
    """Measured over 436 clips: ratio emodb 1.01, nemo 1.04, ravdess 1.09; correlation of the counts
    0.96, 0.94 and 0.57 (all of ravdess's clips have seven syllables), of the rates 0.78, 0.85 and
    0.77."""
    clips = [both_counts(read_audio(clip.path)) for clip in read_corpus(corpora / corpus)[::every]]
    here, there, blocks = np.array([counts for counts in clips if counts[2] >= SECOND]).T
    assert len(here) > 80
    assert here.sum() / there.sum() == pytest.approx(1.05, abs=0.06)
    assert np.corrcoef(here / blocks, there / blocks)[0, 1] >= 0.7
