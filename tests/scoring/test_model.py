"""A sound model folder is loaded; each way of damaging it says what is wrong and what to do."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from emotion_service.errors import ModelMismatch
from emotion_service.scoring.baseline import Typical
from emotion_service.scoring.model import (
    CONTEXT_NAMES,
    GOLDEN_TOLERANCE,
    OUTPUTS,
    EmotionModel,
    ModelCard,
    is_speech,
    load,
)
from emotion_service.types import FEATURE_NAMES, FEATURE_VERSION, FloatArray

Damage = Callable[[Path], None]


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of its own, to be damaged."""
    return Path(shutil.copytree(model_folder, tmp_path / "tiny-1"))


def golden(folder: Path) -> dict[str, FloatArray]:
    with np.load(folder / "golden.npz") as file:
        return dict(file)


def refusal(folder: Path) -> str:
    with pytest.raises(ModelMismatch) as caught:
        load(folder)
    return str(caught.value)


def card_with(**fields: object) -> Damage:
    """Overwrites fields of model.json; None removes one."""

    def damage(folder: Path) -> None:
        card = json.loads((folder / "model.json").read_text(encoding="utf-8")) | fields
        kept = {name: value for name, value in card.items() if value is not None}
        (folder / "model.json").write_text(json.dumps(kept), encoding="utf-8")

    return damage


def golden_with(**arrays: FloatArray | None) -> Damage:
    """Overwrites arrays of golden.npz; None removes one."""

    def damage(folder: Path) -> None:
        changed: Mapping[str, FloatArray | None] = golden(folder) | arrays
        kept = {name: array for name, array in changed.items() if array is not None}
        np.savez(folder / "golden.npz", **kept)  # type: ignore[arg-type]

    return damage


def bytes_of(name: str, content: bytes) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def replaced_onnx(folder: Path, onnx: bytes) -> None:
    """Another model.onnx, with a model.json that agrees to it."""
    (folder / "model.onnx").write_bytes(onnx)
    card_with(onnx_sha256=hashlib.sha256(onnx).hexdigest())(folder)


# --- sound ------------------------------------------------------------------------------------


def test_a_sound_folder_is_loaded_with_its_card(folder: Path) -> None:
    card = load(folder).card
    assert isinstance(card, ModelCard)
    assert (card.name, card.version, card.licence) == ("tiny", "1", "CC0-1.0")
    assert card.feature_version == FEATURE_VERSION
    assert (card.feature_names, card.context_names) == (FEATURE_NAMES, CONTEXT_NAMES)
    assert (card.labels, card.hop_samples, card.window_frames) == (OUTPUTS, 80, 400)
    assert card.typical["pace"] == Typical(4.0, 2.0)
    assert card.training_speakers == ("one", "two")
    onnx = (folder / "model.onnx").read_bytes()
    assert card.onnx_sha256 == hashlib.sha256(onnx).hexdigest()


def test_fields_for_people_are_welcome(folder: Path) -> None:
    card_with(data=["emodb"], figures={"uar": 0.8})(folder)
    assert load(folder).card.name == "tiny"


def test_windows_become_probabilities(folder: Path) -> None:
    windows = golden(folder)
    rows = load(folder).run(windows["frames"], windows["voice"], windows["context"])
    assert rows.shape == (3, len(OUTPUTS))
    assert rows.dtype == np.float32
    assert rows.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert np.abs(rows - windows["probabilities"]).max() <= GOLDEN_TOLERANCE


@pytest.mark.parametrize(
    ("outputs", "claimed"),
    [
        ([0.5, 0.125, 0.125, 0.125, 0.125], True),
        ([0.0, 0.0, 0.0, 0.375, 0.625], False),
        ([0.2, 0.2, 0.2, 0.15, 0.25], False),  # less likely than speech, but than no emotion
        ([0.375, 0.125, 0.125, 0.0, 0.375], True),  # a tie is no victory
        ([-7.5, -9.0, -8.0, -8.0, -7.75], True),
        ([-7.5, -9.0, -8.0, -8.0, -7.25], False),
    ],
)
def test_non_speech_has_to_beat_every_emotion(outputs: list[float], claimed: bool) -> None:
    assert is_speech(np.array(outputs, np.float32)) is claimed


def test_company_in_the_batch_gives_the_same_bits(folder: Path) -> None:
    model, windows = load(folder), golden(folder)
    inputs = [windows[name] for name in ("frames", "voice", "context")]
    together = model.run(*inputs)
    reverse = model.run(*(array[::-1] for array in inputs))
    alone = [model.run(*(array[i : i + 1] for array in inputs))[0] for i in range(3)]
    assert np.array_equal(together, np.stack(alone))
    assert np.array_equal(reverse[::-1], together)


# --- missing or altered -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.json", "model.onnx", "golden.npz"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    message = refusal(folder)
    assert message.startswith(f"{folder / name} cannot be read (No such file or directory)")
    assert "a model folder holds model.onnx, model.json and golden.npz" in message
    assert "give one with --model" in message


def test_no_folder_at_all(tmp_path: Path) -> None:
    assert "give one with --model" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_altered_byte_shows_both_hashes(folder: Path, at: int) -> None:
    path = folder / "model.onnx"
    onnx = bytearray(path.read_bytes())
    expected = hashlib.sha256(onnx).hexdigest()
    onnx[at] ^= 1
    path.write_bytes(onnx)
    message = refusal(folder)
    assert hashlib.sha256(onnx).hexdigest() in message
    assert expected in message
    assert "restore the folder" in message


def test_the_hash_is_checked_before_the_bytes_are_parsed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(self: EmotionModel, card: ModelCard, onnx: bytes) -> None:
        raise AssertionError("parsed before it was checked")

    monkeypatch.setattr(EmotionModel, "__init__", parse)
    (folder / "model.onnx").write_bytes(b"not the model")
    assert "SHA-256" in refusal(folder)


# --- made for something else ------------------------------------------------------------------

OTHER = {
    "feature_version": ("0", f"feature_version is '0', this service computes '{FEATURE_VERSION}'"),
    "feature_names": (["f0"], "feature_names is ('f0',), this service computes ('log_mel_00'"),
    "context_names": (["pace"], "context_names is ('pace',), this service computes ('usual_log_f0"),
    "hop_samples": (160, "hop_samples is 160, this service computes 80"),
    "window_frames": (300, "window_frames is 300, this service computes 400"),
    "labels": (
        ["anger", "happiness", "sadness", "neutral"],
        "labels is ('anger', 'happiness', 'sadness', 'neutral'), "
        "this service computes ('anger', 'happiness', 'sadness', 'neutral', 'non_speech')",
    ),
    "typical": (
        {"pace": {"mean": 4.0, "deviation": 1.0}},
        "typical is ('pace',), this service computes ('pitch', 'pitch_range', 'pace'",
    ),
}


@pytest.mark.parametrize("field", OTHER)
def test_a_model_for_other_features_shows_both_values(folder: Path, field: str) -> None:
    value, told = OTHER[field]
    card_with(**{field: value})(folder)
    message = refusal(folder)
    assert message.startswith(f"{folder / 'model.json'}: {told}")
    assert "use a model exported by this version, or the version that exported" in message


@pytest.mark.parametrize("field", ["feature_version", "licence", "typical", "onnx_sha256"])
def test_a_missing_field_is_named(folder: Path, field: str) -> None:
    card_with(**{field: None})(folder)
    message = refusal(folder)
    assert message == f"{folder / 'model.json'} lacks the field '{field}': restore the folder"


@pytest.mark.parametrize(
    "damage",
    [
        bytes_of("model.json", b"{"),
        bytes_of("model.json", b"\xff\xfe"),
        bytes_of("model.json", b"[]"),
        bytes_of("model.json", b"null"),
        card_with(typical=["pace"]),
        card_with(typical={"pace": 4.0}),
        card_with(typical={"pace": {"mean": 4.0}}),
        card_with(typical={"pace": {"mean": "4", "deviation": 1.0}}),
        card_with(typical={"pace": {"mean": 4.0, "deviation": 0.0}}),
        card_with(typical={"pace": {"mean": float("nan"), "deviation": 1.0}}),
        card_with(arousal={"anger": 1.0}),
        card_with(arousal={"anger": 10.0, "happiness": 0.8, "sadness": 0.1, "neutral": 0.3}),
        bytes_of("model.json", b'{"a":' * 100_000),
        card_with(valence=dict.fromkeys(OUTPUTS, 0.5)),
        card_with(valence=3),
        card_with(licence=3),
        card_with(training_speakers="ann"),
    ],
)
def test_a_malformed_card_cannot_be_read(folder: Path, damage: Damage) -> None:
    damage(folder)
    message = refusal(folder)
    assert message.startswith(f"{folder / 'model.json'} cannot be read (")
    assert message.endswith("restore the folder")


# --- the golden replay ------------------------------------------------------------------------


def shifted(folder: Path, by: float) -> None:
    probabilities = golden(folder)["probabilities"].copy()
    probabilities[1, 2] += np.float32(by)
    golden_with(probabilities=probabilities)(folder)


def test_a_replay_that_differs_shows_by_how_much(folder: Path) -> None:
    shifted(folder, 0.02)
    message = refusal(folder)
    assert message.startswith(f"{folder / 'golden.npz'}: the replay differs by 0.02, at most 0.001")
    assert message.endswith("do not serve")


def test_a_replay_within_the_tolerance_is_another_processor(folder: Path) -> None:
    shifted(folder, 0.0009)
    assert load(folder).card.name == "tiny"


def test_a_replay_that_is_no_number_differs(folder: Path) -> None:
    golden_with(probabilities=np.full((3, 5), np.nan, np.float32))(folder)
    assert "the replay differs by nan" in refusal(folder)


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros((1, 4), np.float32))
    return file.getvalue()


def half_a_header() -> bytes:
    """An .npz of an array whose description of itself does not end."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("frames.npy", npy().replace(b")", b"("))
    return file.getvalue()


def cut(folder: Path) -> None:
    path = folder / "golden.npz"
    path.write_bytes(path.read_bytes()[:-200])


def altered(folder: Path) -> None:
    path = folder / "golden.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        bytes_of("golden.npz", b""),
        bytes_of("golden.npz", b"PK\x03\x04 no archive"),
        bytes_of("golden.npz", b"no archive"),
        bytes_of("golden.npz", npy()),
        bytes_of("golden.npz", half_a_header()),
        cut,
        altered,
        golden_with(context=None),
        golden_with(probabilities=None),
        golden_with(frames=np.array(["a"], object)),
        golden_with(frames=np.array(1.0, np.float32)),
    ],
    ids=[
        "0",
        "zip",
        "text",
        "npy",
        "header",
        "cut",
        "altered",
        "short",
        "no answer",
        "pickle",
        "scalar",
    ],
)
def test_a_malformed_golden_file_cannot_be_read(folder: Path, damage: Damage) -> None:
    damage(folder)
    message = refusal(folder)
    assert message.startswith(f"{folder / 'golden.npz'} cannot be read (")
    assert message.endswith("restore the folder")


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        (
            "frames",
            np.zeros((0, 400, 48)),
            "frames is float32 (0, 400, 48), expected float32 (1, 4",
        ),
        (
            "frames",
            np.zeros((3, 300, 48)),
            "frames is float32 (3, 300, 48), expected float32 (3, 4",
        ),
        ("voice", np.zeros((2, 400)), "voice is float32 (2, 400), expected float32 (3, 400)"),
        ("context", np.zeros((3, 2)), "context is float32 (3, 2), expected float32 (3, 3)"),
        (
            "probabilities",
            np.zeros((3, 4)),
            "probabilities is float32 (3, 4), expected float32 (3, 5",
        ),
    ],
)
def test_golden_arrays_of_another_shape_show_both(
    folder: Path, name: str, array: np.ndarray, told: str
) -> None:
    golden_with(**{name: array.astype(np.float32)})(folder)
    assert refusal(folder).startswith(f"{folder / 'golden.npz'}: {told}")


def test_golden_arrays_of_another_type_show_both(folder: Path) -> None:
    golden_with(context=np.zeros((3, 3)))(folder)  # type: ignore[arg-type]
    told = f"{folder / 'golden.npz'}: context is float64 (3, 3), expected float32 (3, 3)"
    assert refusal(folder) == f"{told}: restore the folder"


# --- a model that is none, though its hash is right -------------------------------------------


def test_bytes_that_are_no_model_cannot_be_run(folder: Path) -> None:
    replaced_onnx(folder, b"no model")
    message = refusal(folder)
    assert message.startswith(f"{folder / 'model.onnx'} cannot be run (")
    assert message.endswith("restore the folder")


def test_a_model_with_other_inputs_cannot_be_run(folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(folder / "model.onnx")
    model.graph.input[1].name = "loudness"
    model.graph.node[0].input[0] = "loudness"
    replaced_onnx(folder, model.SerializeToString())
    message = refusal(folder)
    assert message.startswith(f"{folder / 'model.onnx'} cannot be run (")
