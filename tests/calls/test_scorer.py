"""From requests to scores: what the model is shown, when nothing is claimed, and that nobody's
score depends on who else is in the batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.features import CONTEXT
from emotion_service.calls.scorer import Scorer, look, skipped
from emotion_service.scoring.baseline import notable
from emotion_service.scoring.model import EmotionModel, load
from emotion_service.scoring.request import ScoringRequest
from emotion_service.scoring.speaker import WINDOW_FRAMES, Speaker
from emotion_service.types import (
    HOP,
    SAMPLE_RATE_HERTZ,
    Abstain,
    Consent,
    EmotionScore,
    FloatArray,
    Party,
    Permit,
    Probabilities,
    Quality,
    VoicedAudio,
)
from tests.stub_card import stub_card

PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
STEP = 50  # frames (500 ms) between windows
SPEECH = (0.375, 0.1875, 0.09375, 0.09375, 0.25)
NOISE = (0.25, 0.125, 0.0625, 0.0625, 0.5)


class Listener(EmotionModel):
    """Gives the same answer to everything, and keeps what it was shown."""

    def __init__(self, answer: Sequence[float] = SPEECH) -> None:
        self.answer = np.array(answer, np.float32)
        self.card = stub_card(
            "listener",
            version="3",
            arousal={"anger": 0.9, "happiness": 0.8, "sadness": 0.2, "neutral": 0.4},
            valence={"anger": 0.1, "happiness": 0.9, "sadness": 0.2, "neutral": 0.5},
            onnx_sha256="ab" * 32,
        )
        self.shown: list[tuple[FloatArray, FloatArray, FloatArray]] = []

    def run(self, frames: FloatArray, voice: FloatArray, context: FloatArray) -> FloatArray:
        self.shown.append((frames, voice, context))
        return np.tile(self.answer, (len(frames), 1))


class Deaf(Listener):
    """Fails as long as it is told to."""

    fails = True

    def run(self, frames: FloatArray, voice: FloatArray, context: FloatArray) -> FloatArray:
        if self.fails:
            raise ZeroDivisionError
        return super().run(frames, voice, context)


def speech(seed: int, windows: int) -> FloatArray:
    """Harmonics on a pitch that wanders, in four syllables a second; CONTEXT stands before it."""
    rng = np.random.default_rng(seed)
    time = np.arange(CONTEXT + windows * STEP * HOP) / SAMPLE_RATE_HERTZ
    pitch = rng.uniform(100, 250) * np.exp(0.2 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HERTZ
    voice = sum(np.sin(k * phase) / k**1.5 for k in range(1, 12))
    noise = 0.002 * rng.standard_normal(len(time))
    return np.asarray(0.1 * voice * np.sin(4 * np.pi * time) ** 2 + noise, np.float32)


def audio(samples: FloatArray, first: int, last: int, voiced: int | None = None) -> VoicedAudio:
    """Frames first..last of `samples`; the last `voiced` of them (all, if not said) are voice."""
    count = last - first
    voice = np.arange(count) >= count - (count if voiced is None else voiced)
    cut = samples[first * HOP : CONTEXT + last * HOP]
    return VoicedAudio("customer", first * HOP - CONTEXT, cut, voice)


def requests(speaker: Speaker, seed: int, windows: int) -> list[ScoringRequest]:
    """A speaker's windows in order, one every 500 ms."""
    samples = speech(seed, windows)
    edges = pairwise(range(0, (windows + 1) * STEP, STEP))
    return [
        ScoringRequest(PERMIT, number, audio(samples, *edge), speaker, Quality())
        for number, edge in enumerate(edges)
    ]


def single(
    speaker: Speaker, frames: int = 100, voiced: int | None = None, quality: Quality | None = None
) -> ScoringRequest:
    sound = audio(speech(0, -(-frames // STEP)), 0, frames, voiced)
    return ScoringRequest(PERMIT, 7, sound, speaker, quality or Quality())


def only(scorer: Scorer, request: ScoringRequest) -> EmotionScore:
    (score,) = scorer.score([request]).scores
    return score


@pytest.fixture
def scorer() -> Scorer:
    return Scorer(Listener())


# --- one score --------------------------------------------------------------------------------


def test_a_score_says_what_it_rests_on() -> None:
    scorer = Scorer(Listener())
    quality = Quality(lost_fraction=0.1, clipped_fraction=0.2, skipped_windows=3)
    request = single(scorer.new_speaker(), frames=200, voiced=150, quality=quality)
    score = only(scorer, request)
    assert score.permit is PERMIT
    assert (score.leg, score.sequence) == ("customer", 7)
    assert (score.start, score.end, score.end) == (0, 200 * HOP, request.end)
    assert score.evidence == 150 * HOP
    assert score.quality is quality
    assert score.model_version == "listener-3"
    assert score.confidence == 0.5
    assert score.non_speech == 0.25
    assert score.provisional is False
    assert score.abstain is None


def test_indices_are_weighted_sums_of_the_probabilities(scorer: Scorer) -> None:
    score = only(scorer, single(scorer.new_speaker()))
    assert score.probabilities is not None
    probabilities = score.probabilities
    # Given that it is speech: each of the four by their sum, which is 0.75.
    assert probabilities == Probabilities(0.5, 0.25, 0.125, 0.125)
    arousal = 0.5 * 0.9 + 0.25 * 0.8 + 0.125 * 0.2 + 0.125 * 0.4
    valence = 0.5 * 0.1 + 0.25 * 0.9 + 0.125 * 0.2 + 0.125 * 0.5
    assert score.indices is not None
    assert score.indices.arousal == pytest.approx(arousal)
    assert score.indices.valence == pytest.approx(valence)


def test_the_scorer_names_its_model(scorer: Scorer) -> None:
    assert (scorer.model_name, scorer.model_version) == ("listener", "listener-3")
    assert (scorer.model_licence, scorer.model_sha256) == ("CC0-1.0", "ab" * 32)


def test_a_batch_says_how_long_its_stages_took(scorer: Scorer) -> None:
    batch = scorer.score([single(scorer.new_speaker())])
    assert 0 < batch.features_ms < 5000
    assert 0 < batch.model_ms < 5000


def test_the_model_is_shown_the_padded_window_and_its_context() -> None:
    model = Listener()
    scorer = Scorer(model)
    speaker = scorer.new_speaker()
    (window,) = look([single(speaker.copy())])
    scorer.score([single(speaker)])
    ((frames, voice, context),) = model.shown
    assert (frames.shape, voice.shape) == ((1, WINDOW_FRAMES, 48), (1, WINDOW_FRAMES))
    assert np.array_equal(frames[0, -100:], window.frames.values)
    assert not frames[0, :-100].any()
    assert voice[0].tolist() == [0.0] * 300 + [1.0] * 100
    # Nothing is known of the speaker yet: the prior's pitch and pace beside the window's pace.
    assert context.dtype == np.float32
    assert context[0] == pytest.approx([4.0, window.prosody.pace, 4.0])
    assert window.prosody.pace > 0


def test_reasons_compare_with_the_baseline_before_the_window(scorer: Scorer) -> None:
    speaker = scorer.new_speaker()
    request = single(speaker, frames=200)
    (window,) = look([single(speaker.copy(), frames=200)])
    score = only(scorer, request)
    assert score.reasons == notable(window.shifts)
    assert all(reason.text.endswith("what is typical") for reason in score.reasons)
    assert window.prosody.tilt is not None
    (brightness,) = (r for r in score.reasons if r.feature == "brightness")
    assert brightness.shift == pytest.approx((window.prosody.tilt - 4.0) / 2.0)


# --- when nothing is claimed ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("voiced", "lost", "abstain", "provisional"),
    [
        (0, 0.0, Abstain.TOO_LITTLE_SPEECH, True),
        (59, 0.0, Abstain.TOO_LITTLE_SPEECH, True),
        (60, 0.0, None, True),  # 0.6 s
        (119, 0.0, None, True),
        (120, 0.0, None, False),  # 1.2 s
        (120, 0.25, None, False),
        (120, 0.26, Abstain.AUDIO_LOST, False),
        (60, 1.0, Abstain.AUDIO_LOST, True),
        (59, 1.0, Abstain.TOO_LITTLE_SPEECH, True),
    ],
)
def test_evidence_and_loss_decide_whether_anything_is_claimed(
    scorer: Scorer, voiced: int, lost: float, abstain: Abstain | None, provisional: bool
) -> None:
    score = only(scorer, single(scorer.new_speaker(), 150, voiced, Quality(lost_fraction=lost)))
    assert (score.abstain, score.provisional) == (abstain, provisional)
    assert score.evidence == voiced * HOP
    assert (score.probabilities is None) == (score.indices is None) == (abstain is not None)
    assert score.non_speech == (0.25 if abstain is None else None)
    assert score.confidence == (0.5 if abstain is None else 0.0)


def test_the_model_is_not_asked_about_windows_that_claim_nothing() -> None:
    model = Listener()
    scorer = Scorer(model)
    lost = Quality(lost_fraction=0.5)
    batch = [
        single(scorer.new_speaker(), 100, 0),
        single(scorer.new_speaker(), 100),
        single(scorer.new_speaker(), 100, quality=lost),
    ]
    abstained = [score.abstain for score in scorer.score(batch).scores]
    assert abstained == [Abstain.TOO_LITTLE_SPEECH, None, Abstain.AUDIO_LOST]
    assert [len(frames) for frames, _, _ in model.shown] == [1]
    scorer.score([single(scorer.new_speaker(), 100, 0)])
    assert len(model.shown) == 1


def test_where_non_speech_wins_nothing_is_claimed() -> None:
    scorer, quality = Scorer(Listener(NOISE)), Quality(clipped_fraction=0.5)
    score = only(scorer, single(scorer.new_speaker(), 200, 150, quality))
    assert (score.abstain, score.non_speech) == (Abstain.NON_SPEECH, 0.5)
    assert (score.probabilities, score.indices, score.confidence) == (None, None, 0.0)
    assert score.reasons == ()  # nor is anything said of a voice that may be none
    assert (score.evidence, score.quality, score.permit) == (150 * HOP, quality, PERMIT)
    heard = Scorer(Listener())
    assert only(heard, single(heard.new_speaker(), 200, 150, quality)).reasons != ()


def test_a_tie_with_an_emotion_is_speech() -> None:
    scorer = Scorer(Listener((0.375, 0.25, 0.0, 0.0, 0.375)))
    score = only(scorer, single(scorer.new_speaker()))
    assert (score.abstain, score.non_speech) == (None, 0.375)
    assert score.probabilities == Probabilities(0.6, 0.4, 0.0, 0.0)


def test_a_silent_window_still_says_from_when_to_when(scorer: Scorer) -> None:
    score = only(scorer, single(scorer.new_speaker(), 100, 0))
    assert (score.start, score.end, score.evidence) == (0, 8000, 0)


@pytest.mark.parametrize(("end", "start"), [(4000, 0), (32_000, 0), (40_000, 8000)])
def test_a_skipped_window_claims_nothing_because_of_overload(end: int, start: int) -> None:
    quality = Quality(skipped_windows=1)
    score = skipped(PERMIT, 5, end, evidence=9599, quality=quality, model_version="listener-3")
    assert (score.start, score.end, score.sequence) == (start, end, 5)
    assert score.abstain is Abstain.OVERLOADED
    assert (score.probabilities, score.indices, score.reasons) == (None, None, ())
    assert (score.evidence, score.provisional) == (9599, True)
    assert (score.permit, score.quality) == (PERMIT, quality)
    assert not skipped(PERMIT, 5, end, 9600, quality, "listener-3").provisional


# --- several windows of one speaker -----------------------------------------------------------


def test_windows_of_one_speaker_in_one_batch_follow_on_each_other() -> None:
    model = Listener()
    scorer = Scorer(model)
    batch = requests(scorer.new_speaker(), seed=1, windows=12)
    scores = scorer.score(batch).scores
    assert [score.sequence for score in scores] == list(range(12))
    assert [score.end for score in scores] == [(n + 1) * STEP * HOP for n in range(12)]
    # Four seconds at most, and then the window moves on.
    assert [score.start // HOP for score in scores] == [0] * 8 + [50, 100, 150, 200]
    ((frames, _, context),) = model.shown
    assert np.array_equal(frames[1, -STEP:], frames[2, -2 * STEP : -STEP])
    # What is usual moves from the prior to the speaker, with the windows that came before.
    usual_pitch = context[:, 0].tolist()
    assert usual_pitch == sorted(usual_pitch)
    assert len(set(usual_pitch)) == len(usual_pitch)


def test_a_failed_batch_can_be_scored_again() -> None:
    model = Deaf()
    scorer = Scorer(model)
    speakers = [scorer.new_speaker(), scorer.new_speaker()]
    batch = [request for seed in (1, 2) for request in requests(speakers[seed - 1], seed, 4)]
    with pytest.raises(ZeroDivisionError):
        scorer.score(batch)
    model.fails = False
    fresh = Scorer(Listener())
    unhurt = [r for seed in (1, 2) for r in requests(fresh.new_speaker(), seed, 4)]
    assert scorer.score(batch).scores == fresh.score(unhurt).scores


def test_garbage_that_cannot_be_scored_leaves_the_others_as_they_were(scorer: Scorer) -> None:
    speaker = scorer.new_speaker()
    first, second = requests(speaker, 1, 2)
    short = VoicedAudio("customer", 0, np.zeros(10, np.float32), np.ones(1, np.bool_))
    garbage = ScoringRequest(PERMIT, 0, short, scorer.new_speaker(), Quality())
    with pytest.raises(ValueError, match="the span needs"):
        scorer.score([first, garbage, second])
    expected = Scorer(Listener()).score(requests(scorer.new_speaker(), 1, 2)).scores
    assert scorer.score([first, second]).scores == expected


# --- company ----------------------------------------------------------------------------------

SPEAKERS, WINDOWS = 4, 6


def everyone(scorer: Scorer) -> list[list[ScoringRequest]]:
    return [requests(scorer.new_speaker(), seed, WINDOWS) for seed in range(SPEAKERS)]


def alone(scorer: Scorer) -> dict[tuple[int, int], EmotionScore]:
    """Each window by itself, speaker after speaker."""
    return {
        (speaker, request.sequence): only(scorer, request)
        for speaker, windows in enumerate(everyone(scorer))
        for request in windows
    }


def in_company(
    scorer: Scorer, random: Random, sizes: Iterable[int]
) -> dict[tuple[int, int], EmotionScore]:
    """All speakers' windows shuffled, each speaker's in order, in batches of these sizes."""
    waiting = everyone(scorer)
    turns = [speaker for speaker in range(SPEAKERS) for _ in range(WINDOWS)]
    random.shuffle(turns)
    order = [(speaker, waiting[speaker].pop(0)) for speaker in turns]
    scores: dict[tuple[int, int], EmotionScore] = {}
    for size in [*sizes, len(order)]:
        batch, order = order[:size], order[size:]
        if batch:
            found = scorer.score([request for _, request in batch]).scores
            pairs = zip(batch, found, strict=True)
            scores |= {(speaker, request.sequence): score for (speaker, request), score in pairs}
    return scores


@pytest.fixture(scope="module")
def tiny(model_folder: Path) -> Scorer:
    """A real ONNX model."""
    return Scorer(load(model_folder))


@pytest.fixture(scope="module")
def expected(tiny: Scorer) -> dict[tuple[int, int], EmotionScore]:
    return alone(tiny)


@given(random=st.randoms(use_true_random=False), sizes=st.lists(st.integers(1, 12), max_size=8))
@settings(max_examples=15, deadline=None)
def test_company_does_not_change_a_single_bit(
    tiny: Scorer,
    expected: dict[tuple[int, int], EmotionScore],
    random: Random,
    sizes: list[int],
) -> None:
    assert in_company(tiny, random, sizes) == expected


def test_different_speech_gets_different_scores(
    expected: dict[tuple[int, int], EmotionScore],
) -> None:
    """Without which the test above would say nothing."""
    last = [expected[speaker, WINDOWS - 1].probabilities for speaker in range(SPEAKERS)]
    assert None not in last
    assert len(set(last)) == SPEAKERS
