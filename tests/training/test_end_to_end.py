"""From a folder of audio to a cue: a tiny model is trained and served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")
pytest.importorskip("onnx", reason="needs the extra [train]: make train-environment")

from emotion_service.commands.demo import service
from emotion_service.training.corpora.corpus import COLUMNS
from emotion_service.training.lines.voice import speeded
from emotion_service.types import FloatArray

Run: TypeAlias = Callable[..., tuple[int, str, str]]
Voice: TypeAlias = Callable[[float, int], FloatArray]

# How a made-up speaker shows what: the speed of his speech, and how bright it is.
MANNERS = {
    "anger": (1.4, -0.9),
    "happiness": (1.4, 0.9),
    "sadness": (0.7, 0.9),
    "neutral": (0.7, -0.9),
}
CLIPS = 3  # of each emotion and speaker
RECIPE = """
epochs = 8
draws = 2
batch = 16
lines_per_clip = 1
sounds_each = 1
averaging = 0.9
"""


def spoken(speech: Voice, emotion: str, seconds: float, seed: int) -> FloatArray:
    """Speech in one of the manners, float32 (n,)."""
    speed, pole = MANNERS[emotion]
    voice = speeded(speech(seconds * speed, seed), speed)
    coloured = lfilter([1.0], [1.0, -pole], voice)
    levelled: FloatArray = (0.05 * coloured / np.sqrt(np.mean(coloured**2))).astype(np.float32)
    return levelled


@pytest.fixture
def corpus(speech: Voice, tmp_path: Path) -> Path:
    folder = tmp_path / "made_up"
    folder.mkdir()
    lines = [",".join(COLUMNS)]
    for speaker, sex in (("ann", "f"), ("bob", "m")):
        for emotion in MANNERS:
            for number in range(CLIPS):
                name = f"{speaker}_{emotion}_{number}.flac"
                samples = spoken(speech, emotion, 2.5, len(lines))
                soundfile.write(folder / name, samples, 8000)
                lines.append(f"{name},{speaker},{sex},en,{emotion}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_tiny_model_is_trained_and_served_to_a_cue(
    run: Run, corpus: Path, speech: Voice, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    learning = ("--corpus", corpus, "--recipe", recipe, "--cache", tmp_path / "windows")
    out, fit, model = tmp_path / "run", tmp_path / "fit", tmp_path / "tiny-1"
    code, report, _ = run("crossval", *learning, "--protocol", "loso", "--out", out)
    assert code == 0
    assert json.loads(report)["uar"] > 0.5  # chance is 0.25
    assert run("train", *learning, "--out", fit)[0] == 0
    code, _, _ = run(
        "export", "--fit", fit, "--crossval", out / "crossval.json", "--licence", "CC0-1.0",
        "--out", model,
    )  # fmt: skip
    assert code == 0

    call = tmp_path / "call.wav"
    customer = spoken(speech, "anger", 15.0, 99)  # whom the model never heard
    soundfile.write(call, np.stack([customer, np.zeros_like(customer)], axis=1), 8000)
    with service("--model", str(model)) as server:
        code, said, _ = run(
            "stream", call, "--fast", "--json", "--server", server,
            "--disclosure-given", "--consent", "granted",
        )  # fmt: skip
    assert code == 0
    cues = [message["cue"] for line in said.splitlines() if "cue" in (message := json.loads(line))]
    begun = [cue["kind"] for cue in cues if cue["phase"].endswith("ONSET")]
    assert begun[-1] == "CUE_KIND_AGITATED"
    assert {cue["model_version"] for cue in cues} == {"tiny-1"}
