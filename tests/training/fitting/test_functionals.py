"""Statistics of the latest speech, against NumPy's and SciPy's; and what they may not hear."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from emotion_service.scoring.model import OUTPUTS
from emotion_service.training.fitting.functionals import (
    COUNT,
    EXTREME,
    OF_PITCHED,
    OF_SPEECH,
    RECENT_FRAMES,
    STATISTICS,
    Functionals,
    functionals,
)
from emotion_service.types import ENERGY, LOG_F0, MEL_BANDS, TILT

pytestmark = pytest.mark.usefixtures("one_thread")

Window = tuple[Tensor, Tensor, Tensor]
SERIES_OF_TILT = MEL_BANDS // 2 + 1
SERIES_OF_PITCH = OF_SPEECH
ALL_SPEECH = 2  # of the three windows


def of_speech(found: Tensor, series: int) -> list[float]:
    """Mean, deviation, skewness, rise and fall of a series over the latest speech."""
    return [float(found[s * OF_SPEECH + series]) for s in range(STATISTICS)]


def of_pitched(found: Tensor, series: int) -> list[float]:
    start = STATISTICS * OF_SPEECH
    return [float(found[start + s * OF_PITCHED + series]) for s in range(STATISTICS)]


def test_statistics_are_those_of_the_latest_speech(windows: Window) -> None:
    frames, voice, context = windows
    found = functionals(frames, voice, context)
    assert found.shape == (3, COUNT)
    tilt = frames[ALL_SPEECH, -RECENT_FRAMES:, TILT].double().numpy() / 5 + 1
    changes, shrunk = np.diff(tilt), tilt.std() ** 3 / (tilt.std() ** 3 + 0.01)
    assert of_speech(found[ALL_SPEECH], SERIES_OF_TILT) == pytest.approx(
        [
            tilt.mean(),
            tilt.std(),
            scipy.stats.skew(tilt) * shrunk,
            changes.clip(min=0).mean(),
            changes.clip(max=0).mean(),
        ],
        rel=1e-2,
        abs=1e-3,
    )


def test_pitch_counts_only_where_there_is_one(windows: Window) -> None:
    """And nothing rises from a frame to one that is not its neighbour."""
    frames, voice, context = windows
    found = functionals(frames, voice, context)[ALL_SPEECH]
    log_f0 = frames[ALL_SPEECH, -RECENT_FRAMES:, LOG_F0].double().numpy()
    relative = (log_f0[log_f0 > 0] - float(context[ALL_SPEECH, 0])) / 0.3
    mean, deviation, _, rise, fall = of_pitched(found, SERIES_OF_PITCH)
    assert (mean, deviation) == pytest.approx((relative.mean(), relative.std()), rel=1e-2, abs=1e-3)
    assert rise == fall == 0.0


def test_speech_of_before_is_forgotten(windows: Window) -> None:
    """Pauses do not count as speech: the latest is sought behind them."""
    frames, voice, context = windows
    voice[:, -50:] = 0.0
    earlier = frames.clone()
    earlier[:, : -50 - RECENT_FRAMES, :ENERGY] += 1.0
    before, after = (functionals(given, voice, context) for given in (frames, earlier))
    assert torch.allclose(before[1:], after[1:], atol=1e-5)
    earlier[:, -50 - RECENT_FRAMES] += 1.0
    assert not torch.allclose(before[1:], functionals(earlier, voice, context)[1:], atol=1e-5)


def test_level_is_taken_out_and_pitch_is_the_speakers_own(windows: Window) -> None:
    frames, voice, context = windows
    other, known = frames.clone(), context.clone()
    other[..., :MEL_BANDS] += 1.5
    other[..., ENERGY] += 6.5
    other[..., LOG_F0] += 0.4 * (frames[..., LOG_F0] > 0)
    known[:, 0] += 0.4
    before, after = functionals(frames, voice, context), functionals(other, voice, known)
    assert torch.allclose(before, after, atol=2e-3)
    assert not torch.allclose(before, functionals(other, voice, context), atol=0.1)


def test_pace_counts_by_itself_and_against_the_speakers_own(windows: Window) -> None:
    frames, voice, context = windows
    found = functionals(frames, voice, context)
    assert found[:, -2].tolist() == pytest.approx([-1.0, 0.0, -2.0])
    assert found[:, -1].tolist() == pytest.approx([-1 / 3, 1 / 3, -2 / 3], abs=1e-6)


def test_what_is_usual_is_nothing_of_note(windows: Window) -> None:
    torch.manual_seed(1)
    listener = Functionals().eval()
    given = functionals(*windows)
    listener.expect(given)
    standardised = (given - listener.mean) / listener.deviation
    assert standardised.mean(dim=0).abs().max() < 1e-3
    assert listener(*windows).shape == (3, len(OUTPUTS))


def test_nothing_is_further_than_the_extreme(windows: Window) -> None:
    """A sound that no voice makes says no more than one at the edge."""
    torch.manual_seed(1)
    listener = Functionals().eval()
    listener.expect(functionals(*windows))
    with torch.no_grad():
        listener.classifier[1].weight.fill_(1.0)
        listener.classifier[1].bias.zero_()
        listener.classifier[4].weight.fill_(1.0)
        listener.classifier[4].bias.zero_()
        frames, voice, context = windows
        hidden = listener.classifier[1].out_features
        assert listener(1e4 * frames, voice, context).max() <= hidden * EXTREME * COUNT


def test_without_speech_or_pitch_all_are_numbers(windows: Window) -> None:
    frames, voice, context = windows
    assert torch.isfinite(functionals(frames, torch.zeros_like(voice), context)).all()
    frames[..., LOG_F0] = 0.0
    silent = functionals(frames, voice, context)
    assert torch.isfinite(silent).all()
    assert of_pitched(silent[ALL_SPEECH], SERIES_OF_PITCH)[0] == 0.0
