"""A recipe in a file: what it names changes, and what makes no sense is refused."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emotion_service.cli import app
from emotion_service.errors import RecipeError
from emotion_service.training.fitting.recipe import Recipe, read_recipe
from emotion_service.training.lines.augment import Chance, LineRecipe


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        epochs = 50
        [lines]
        band = 0.25
        noises = ["white", "recording"]
        burst_packets = [1, 2.5]
        codecs = { pcmu = 3, opus = 1 }
        [lines.loss]
        probability = 1
        low = 0.02
        high = 0.05
        """,
    )
    assert read_recipe(path) == Recipe(
        epochs=50,
        lines=LineRecipe(
            band=0.25,
            noises=("white", "recording"),
            burst_packets=(1.0, 2.5),
            codecs={"pcmu": 3.0, "opus": 1.0},
            loss=Chance(1.0, 0.02, 0.05),
        ),
    )


@pytest.mark.parametrize("text", ["", "[lines]"])
def test_what_is_not_named_stays_as_it_is(text: str, tmp_path: Path) -> None:
    assert asdict(read_recipe(written(tmp_path, text))) == asdict(Recipe(lines=LineRecipe()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bnad = 0.5", r"lines\.bnad in .* is no part of a recipe; .* one of speed, .*, band"),
        ("speed = {probability=1, low=1, hihg=2}", r"speed\.hihg in .* one of probability, low"),
        ("speed = {probability=1, low=1}", r"speed\.high in .* cannot be used: Field required"),
        ("band = 'often'", "band in .* cannot be used: Input should be a valid number"),
        ("band = 1.5", "must lie in 0 to 1"),
        ("gaps = 0.9\ncomfort_noise = 0.2", "comfort_noise and gaps together"),
        ("loss = {probability=1, low=0.2, high=0.9}", "loss must lie in 0 to 0.5"),
        ("loss = {probability=2, low=0.2, high=0.3}", "loss in .* probability of 0 to 1"),
        ("level_db = {probability=1, low=2, high=1}", "level_db in .* low not above high"),
        ("speed = {probability=1, low=0, high=1}", "speed must be above 0"),
        ("burst_packets = [3, 2]", "the lesser first"),
        ("noises = ['grey']", "noises must be some of white, pink, brown, recording"),
        ("noises = []", "noises must be some of"),
        ("codecs = {mp3 = 1}", "codecs must be some of pcmu, pcma, gsm"),
        ("codecs = {pcmu = 0}", "and one above"),
        ("codecs = {}", "and one above"),
        ("band = ", r"cannot be read \(TOMLDecodeError"),
    ],
)
def test_lines_that_make_no_sense_are_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=said):
        read_recipe(written(tmp_path, f"[lines]\n{text}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("history_share = 0.6\nearly_share = 0.5", "history_share and early_share together must"),
        ("early_share = -0.1", "history_share and early_share together must lie in 0 to 1"),
        ("warp = 0.4", r"warp must lie in 0 to 0\.3"),
        ("seed = 1000", "seed must lie in 0 to 999"),
        ("epochs = 0", "epochs, batch, draws and learning_rate must be above 0"),
        ("draws = 0", "epochs, batch, draws and learning_rate must be above 0"),
        ("averaging = 2", "averaging must lie in 0 to 1"),
        ("plain_share = 1.5", "plain_share must lie in 0 to 1"),
    ],
)
def test_draws_that_make_no_sense_are_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=said):
        read_recipe(written(tmp_path, text))


def test_an_unknown_key_at_the_top_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"epoch in .* mean one of seed, epochs"):
        read_recipe(written(tmp_path, "epoch = 3"))


def test_a_file_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"cannot be read \(FileNotFoundError"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize("command", ["train", "crossval"])
@pytest.mark.parametrize("seed", ["-1", "1000"])
def test_the_commands_take_seeds_that_there_are_sounds_for(command: str, seed: str) -> None:
    result = CliRunner().invoke(app, [command, "--corpus", "x", "--out", "x", "--seed", seed])
    assert result.exit_code == 2  # refused by the option: the missing corpus is not looked at yet
