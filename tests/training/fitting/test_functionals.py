"""Statistics of speech and of its latest, against NumPy and SciPy; and what they may not hear."""

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
LEVEL, SERIES_OF_TILT = MEL_BANDS // 2 + 1, MEL_BANDS // 2 + 2
SERIES_OF_PITCH = OF_PITCHED - 3  # of those of speech with a pitch
ALL, LATEST = 0, 1
WHOLE = 2  # of the three windows: all speech


def of_speech(found: Tensor, stretch: int, series: int) -> list[float]:
    """Mean, deviation, skewness, rise and fall of a series, of all speech or of its latest."""
    return [float(found[(2 * s + stretch) * OF_SPEECH + series]) for s in range(STATISTICS)]


def of_pitched(found: Tensor, stretch: int, series: int) -> list[float]:
    start = 2 * STATISTICS * OF_SPEECH
    return [
        float(found[start + (2 * s + stretch) * OF_PITCHED + series]) for s in range(STATISTICS)
    ]


@pytest.mark.parametrize(("stretch", "first"), [(ALL, 0), (LATEST, -RECENT_FRAMES)])
def test_statistics_are_those_of_the_speech_and_its_latest(
    windows: Window, stretch: int, first: int
) -> None:
    frames, voice, context = windows
    found = functionals(frames, voice, context)
    assert found.shape == (3, COUNT)
    tilt = frames[WHOLE, first:, TILT].double().numpy() / 5 + 1
    changes, shrunk = np.diff(tilt), tilt.std() ** 3 / (tilt.std() ** 3 + 0.01)
    assert of_speech(found[WHOLE], stretch, SERIES_OF_TILT) == pytest.approx(
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


@pytest.mark.parametrize(("stretch", "first"), [(ALL, 0), (LATEST, -RECENT_FRAMES)])
def test_pitch_counts_only_where_there_is_one(windows: Window, stretch: int, first: int) -> None:
    """And nothing rises from a frame to one that is not its neighbour."""
    frames, voice, context = windows
    found = functionals(frames, voice, context)[WHOLE]
    log_f0 = frames[WHOLE, first:, LOG_F0].double().numpy()
    relative = (log_f0[log_f0 > 0] - float(context[WHOLE, 0])) / 0.3
    mean, deviation, _, rise, fall = of_pitched(found, stretch, SERIES_OF_PITCH)
    assert (mean, deviation) == pytest.approx((relative.mean(), relative.std()), rel=1e-2, abs=1e-3)
    assert rise == fall == 0.0


def test_the_latest_knows_nothing_of_before(windows: Window) -> None:
    """Pauses do not count as speech: the latest is sought behind them."""
    frames, voice, context = windows
    voice[:, -50:] = 0.0
    earlier = frames.clone()
    earlier[:, : -50 - RECENT_FRAMES, :ENERGY] += torch.randn(MEL_BANDS)
    before, after = (functionals(given, voice, context) for given in (frames, earlier))
    for stretch in (ALL, LATEST):
        heard = [
            torch.tensor([of_speech(found[WHOLE], stretch, n) for n in range(OF_SPEECH)])
            for found in (before, after)
        ]
        differs = (heard[0] - heard[1]).abs().amax(dim=1) > 1e-3
        assert differs.nonzero()[:, 0].tolist() == (
            list(range(LEVEL - 1)) if stretch == ALL else []
        )
    earlier[:, -50 - RECENT_FRAMES, :ENERGY] += torch.randn(MEL_BANDS)
    after = functionals(earlier, voice, context)
    assert of_speech(before[WHOLE], LATEST, 0) != pytest.approx(
        of_speech(after[WHOLE], LATEST, 0), abs=1e-3
    )


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
    assert of_pitched(silent[WHOLE], ALL, SERIES_OF_PITCH)[0] == 0.0
