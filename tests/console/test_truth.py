"""The truth beside a demo call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emotion_service.console.truth import TruthSegment, read_truth
from emotion_service.errors import BadInput


def written(folder: Path, content: object) -> Path:
    file = folder / "truth.json"
    file.write_text(json.dumps(content))
    return file


def segment(kind: str, **more: object) -> dict[str, object]:
    return {"leg": "customer", "start_seconds": 1, "end_seconds": 2.5, "kind": kind, **more}


def test_a_synthetic_call_is_labelled_by_manner(tmp_path: Path) -> None:
    segments = [segment("speech", manner="pressed"), segment("ringback", manner="calm")]
    truth = read_truth(written(tmp_path, {"synthetic": True, "segments": segments}))
    assert truth.segments == (
        TruthSegment("customer", 1.0, 2.5, "pressed"),
        TruthSegment("customer", 1.0, 2.5, ""),
    )
    assert truth.remark().startswith("The voices are synthetic")


@pytest.mark.parametrize(
    ("heard", "says"),
    [
        (False, "the model never heard this speaker."),
        (True, "the model was trained on this speaker, so expect less of others."),
        (None, "speech, speaker emodb_03."),
    ],
)
def test_a_human_call_is_labelled_by_emotion(tmp_path: Path, heard: bool | None, says: str) -> None:
    content = {
        "synthetic": False,
        "speaker": "emodb_03",
        "model_heard_speaker": heard,
        "segments": [segment("speech", emotion="anger"), segment("speech")],
    }
    truth = read_truth(written(tmp_path, content))
    assert [s.label for s in truth.segments] == ["anger", ""]
    assert truth.remark().endswith(says)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"synthetic": True},
        {"synthetic": True, "segments": [{"leg": "a"}]},
        {"synthetic": True, "segments": ["no"]},
        {"synthetic": True, "segments": 3},
        {"synthetic": True, "segments": [], "model_heard_speaker": "yes"},
        "text",
        None,
    ],
)
def test_what_is_no_truth(tmp_path: Path, content: object) -> None:
    with pytest.raises(BadInput, match='it needs "synthetic" and "segments"') as caught:
        read_truth(written(tmp_path, content))
    assert caught.value.reason == "UNREADABLE_TRUTH"


def test_no_json_and_no_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"\xff{")
    with pytest.raises(BadInput, match="is not the truth"):
        read_truth(broken)
    with pytest.raises(BadInput, match="No such file"):
        read_truth(tmp_path / "missing.json")
