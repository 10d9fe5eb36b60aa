"""Which promises were kept, by figures that are known."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.claims import Claims
from benchmarks.nonspeech import sounds, table, total, verdicts
from emotion_service.errors import CorpusError

QUIET = {
    "music_band": Claims(calls=2, seconds=60.0, speech=15.0, windows=20, enough=10, scored=0),
    "burst: amusement": Claims(calls=1, seconds=8.0, windows=10, enough=5, scored=2),
    "speech: emodb": Claims(calls=3, seconds=9.0, enough=100, scored=97, cues=Counter(HAPPY=2)),
}


def test_cues_of_speech_break_nothing() -> None:
    assert list(verdicts(QUIET).values()) == [True, True, True]


@pytest.mark.parametrize(
    ("kind", "changed", "kept"),
    [
        ("music_band", Claims(cues=Counter(NEUTRAL=1)), [False, True, True]),
        ("burst: amusement", Claims(cues=Counter(HAPPY=1)), [False, True, True]),
        ("burst: amusement", Claims(cues=Counter(AGITATED=1)), [False, False, True]),
        ("speech: nemo", Claims(enough=100, scored=96), [True, True, False]),
    ],
)
def test_each_promise_can_be_broken(kind: str, changed: Claims, kept: list[bool]) -> None:
    assert list(verdicts(QUIET | {kind: changed}).values()) == kept


def test_the_table_has_a_row_a_kind_and_a_sum_for_each_block() -> None:
    shown = table(QUIET)
    assert list(shown.columns[0].cells) == [
        "music_band",
        "burst: amusement",
        "all no speech",
        "speech: emodb",
        "all speech",
    ]
    assert list(shown.columns[3].cells) == ["25%", "0%", "22%", "0%", "0%"]
    assert list(shown.columns[6].cells)[2:4] == ["2 (13.3%)", "97 (97.0%)"]


def test_speech_and_the_rest_are_summed_apart() -> None:
    assert (total(QUIET, True).calls, total(QUIET, False).calls) == (3, 3)
    assert QUIET["music_band"].calls == 2


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="expected the folders vocal_bursts and background"):
        sounds(tmp_path, 2.0, 0)
