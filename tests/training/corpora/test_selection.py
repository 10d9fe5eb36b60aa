"""Whom a model was trained on it is not judged on; what is left out is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.selection import Selection, select

HEADER = "file,speaker,sex,language,emotion"


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Corpora "one" (ann: anger, fear; bob: neutral) and "two" (eve: sadness)."""
    rows = {
        "one": ("a,ann,f,de,anger", "b,ann,f,de,fear", "c,bob,m,de,neutral"),
        "two": ("a,eve,f,pl,sadness",),
    }
    for name, lines in rows.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.csv").write_text("\n".join([HEADER, *lines]) + "\n")
        for line in lines:
            soundfile.write(
                tmp_path / name / line[0], np.zeros(80), 8000, format="FLAC", subtype="PCM_16"
            )
    return tmp_path


def counts(selection: Selection) -> tuple[str, list[str], int, int, int]:
    return (
        selection.corpus,
        [f"{clip.speaker} {clip.emotion}" for clip in selection.clips],
        selection.found,
        selection.other_emotions,
        selection.trained_speakers,
    )


def test_other_emotions_are_left_out_and_counted(corpora: Path) -> None:
    one, two = select(corpora, (), skip_trained=False)
    assert counts(one) == ("one", ["ann anger", "bob neutral"], 3, 1, 0)
    assert counts(two) == ("two", ["eve sadness"], 1, 0, 0)
    assert select(corpora / "one", (), skip_trained=False) == [one]


def test_speakers_the_model_was_trained_on_are_refused(corpora: Path) -> None:
    with pytest.raises(CorpusError, match=r"2 of the 3 speakers \(of one, two\)") as refused:
        select(corpora, ("eve", "ann", "zoe"), skip_trained=False)
    assert "--skip-trained-speakers" in str(refused.value)


def test_or_left_out_and_counted(corpora: Path) -> None:
    one, two = select(corpora, ("eve", "ann"), skip_trained=True)
    assert counts(one) == ("one", ["bob neutral"], 3, 1, 1)
    assert counts(two) == ("two", [], 1, 0, 1)


def test_a_trial_needs_a_clip(corpora: Path) -> None:
    with pytest.raises(CorpusError, match="no clip to judge"):
        select(corpora, ("eve", "ann", "bob"), skip_trained=True)
    with pytest.raises(CorpusError, match="holds no corpus"):
        select(corpora / "nowhere", (), skip_trained=True)


def test_of_every_emotion_of_a_speaker_one_in_so_many_is_judged(tmp_path: Path) -> None:
    rows = [f"{name},ann,f,de,{'neutral' if name in 'bd' else 'anger'}" for name in "abcdef"]
    (tmp_path / "index.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    for name in "abcdef":
        soundfile.write(tmp_path / name, np.zeros(80), 8000, format="FLAC", subtype="PCM_16")
    (thinned,) = select(tmp_path, (), False, every=2)
    assert [clip.path.name for clip in thinned.clips] == ["a", "b", "e"]
    assert thinned.found == 6
