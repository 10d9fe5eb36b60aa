"""What is counted of a call: known events, then a call of silence and one of speech."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.claims import Claims, claims, hear
from emotion_service.app import load_scorer
from emotion_service.types import (
    Abstain,
    CallSummary,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    EndReason,
    FloatArray,
    LegSummary,
    Party,
    Permit,
    Placement,
    Quality,
)

PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)


def score(evidence: int, abstain: Abstain | None) -> EmotionScore:
    return EmotionScore(
        permit=PERMIT,
        sequence=0,
        start=0,
        end=4000,
        evidence=evidence,
        quality=Quality(),
        model_version="",
        probabilities=None,
        indices=None,
        provisional=False,
        abstain=abstain,
        reasons=(),
    )


def cue(kind: CueKind, phase: CuePhase) -> Cue:
    return Cue("customer", 0, kind, phase, 0, 1, 1, 0.5, 0)


def summary(duration: int, speech: int) -> CallSummary:
    leg = LegSummary("customer", Party.CUSTOMER, speech, 1.0, 0, 0, 0, None, Placement())
    return CallSummary(duration, EndReason.COMPLETED, (leg,), (), 0, "")


def test_windows_and_onsets_are_counted() -> None:
    found = claims(
        [
            score(4799, Abstain.TOO_LITTLE_SPEECH),
            score(4800, None),
            score(9600, Abstain.NON_SPEECH),
            cue(CueKind.INSUFFICIENT_EVIDENCE, CuePhase.ONSET),
            cue(CueKind.AGITATED, CuePhase.ONSET),
            cue(CueKind.AGITATED, CuePhase.UPDATE),
            cue(CueKind.AGITATED, CuePhase.OFFSET),
            cue(CueKind.NEUTRAL, CuePhase.ONSET),
            cue(CueKind.TALK_OVER, CuePhase.ONSET),
            summary(80_000, 20_000),
        ]
    )
    assert found == Claims(
        calls=1,
        seconds=10.0,
        speech=2.5,
        windows=3,
        enough=2,
        scored=1,
        abstained=Counter(TOO_LITTLE_SPEECH=1, NON_SPEECH=1),
        cues=Counter(AGITATED=1, NEUTRAL=1),
    )
    assert (found.share_passed, found.share_scored) == (0.25, 0.5)


def test_figures_are_json() -> None:
    found = Claims(calls=1, seconds=2.0, speech=1.0, windows=3, cues=Counter(HAPPY=1))
    assert json.loads(json.dumps(found.figures())) == {
        "calls": 1,
        "seconds": 2.0,
        "share_passed": 0.5,
        "windows": 3,
        "enough": 0,
        "scored": 0,
        "abstained": {},
        "cues": {"HAPPY": 1},
    }


def test_claims_add_up() -> None:
    both = Claims(calls=1, seconds=2.0, enough=4, scored=1, cues=Counter(HAPPY=1))
    both.add(Claims(calls=2, seconds=3.0, enough=4, scored=3, cues=Counter(HAPPY=2, NEUTRAL=1)))
    assert (both.calls, both.seconds, both.share_scored) == (3, 5.0, 0.5)
    assert both.cues == Counter(HAPPY=3, NEUTRAL=1)


def test_of_nothing_nothing_is_claimed(model_folder: Path) -> None:
    found = hear(np.zeros(24_000, np.float32), load_scorer(model_folder))
    assert found == Claims(calls=1, seconds=3.0)
    assert (found.share_passed, found.share_scored) == (0.0, 1.0)


def test_of_speech_every_window_with_enough_is_scored(
    model_folder: Path, speech: Callable[[float, int], FloatArray]
) -> None:
    found = hear(speech(6.0, 0), load_scorer(model_folder))
    assert found.calls == 1
    assert found.seconds == pytest.approx(6.0, abs=0.02)
    assert found.speech > 4.0
    assert found.windows >= found.enough == found.scored >= 8
    assert found.abstained.total() == found.windows - found.scored
