"""The commands of the data team: `emotion-service crossval | train | export | evaluate`.

What training needs is imported when its command runs, so that all others start without it.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from emotion_service.errors import CorpusError, EmotionServiceError

if TYPE_CHECKING:
    from emotion_service.training.fitting.prepare import Material
    from emotion_service.training.fitting.recipe import Recipe

CORES = os.cpu_count() or 1
SEED = 1
CACHE = Path("runs") / "windows"

Corpus = Annotated[
    list[Path],
    typer.Option(
        "--corpus",
        metavar="DIR",
        help="A folder with an index.csv or a db.yaml; may be repeated.",
    ),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe",
        metavar="TOML",
        help="What to choose otherwise; the shipped models' lie in their folders. (default: "
        "training/fitting/recipe.py)",
    ),
]
Sounds = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="A folder with vocal_bursts and background to learn non-speech from, beside what is "
        "generated.",
    ),
]
Cache = Annotated[
    Path, typer.Option(metavar="DIR", help="Prepared windows are kept here, and found again.")
]
SAME_RUN = "Of all randomness: the same seed, the same run."
Seed = Annotated[int, typer.Option(min=0, help=SAME_RUN)]
RecipeSeed = Annotated[int | None, typer.Option(min=0, max=999, help=SAME_RUN)]


class CodecChoice(StrEnum):
    PCMU = "pcmu"
    PCMA = "pcma"
    GSM = "gsm"
    AMR_NB = "amr-nb"
    G722 = "g722"
    OPUS = "opus"


class FoldChoice(StrEnum):
    JOINT = "joint"
    LOSO = "loso"
    LOCO = "loco"


class ProtocolChoice(StrEnum):
    COLD = "cold"
    WARM = "warm"


def crossval_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    corpus: Corpus,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folds, figures and models go here.")],
    protocol: Annotated[
        FoldChoice,
        typer.Option(
            help="Five joint folds over all corpora, one a speaker (loso), or one a corpus (loco)."
        ),
    ] = FoldChoice.JOINT,
    processes: Annotated[
        int, typer.Option(min=1, help="Folds side by side, one thread each.")
    ] = CORES,
    sounds: Sounds = None,
    recipe: RecipeFile = None,
    seed: RecipeSeed = None,
    cache: Cache = CACHE,
) -> None:
    """Train without some speakers in turn and judge on them; an interrupted run goes on."""
    _need_extra()
    from emotion_service.training.corpora.folds import FoldProtocol  # noqa: PLC0415
    from emotion_service.training.fitting.crossval import crossval  # noqa: PLC0415

    chosen = _recipe(recipe, seed)
    report = crossval(
        _materials(corpus, sounds, chosen),
        chosen,
        FoldProtocol(protocol.value),
        out,
        cache,
        processes,
        Console(stderr=True),
    )
    print(json.dumps(report, indent=1))


def train_command(
    corpus: Corpus,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The fitted network goes here.")],
    sounds: Sounds = None,
    recipe: RecipeFile = None,
    seed: RecipeSeed = None,
    cache: Cache = CACHE,
) -> None:
    """Fit a network to all speakers; an interrupted fit goes on. `export` makes a model of it."""
    _need_extra()
    from emotion_service.training.fitting.fit import fit  # noqa: PLC0415
    from emotion_service.training.fitting.fitted import fitted_to, save  # noqa: PLC0415
    from emotion_service.training.fitting.prepare import prepare, typical_of  # noqa: PLC0415

    chosen = _recipe(recipe, seed)
    examples = prepare(_materials(corpus, sounds, chosen), chosen, CORES, cache)
    typical = typical_of(examples)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Fitting", total=chosen.epochs)
        network = fit(
            examples,
            typical,
            chosen,
            lambda epoch, _: progress.update(task, completed=epoch + 1),
            checkpoint,
        )
    save(fitted_to(network, typical, examples), out)
    checkpoint.unlink()
    print(f"{out} holds the fitted network. Make a model of it with: emotion-service export")


def export_command(
    fit: Annotated[Path, typer.Option("--fit", metavar="DIR", help="The --out of train.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The model folder to write, NAME-VERSION.")
    ],
    crossval_json: Annotated[
        Path, typer.Option("--crossval", metavar="FILE", help="Its crossval.json: calibration.")
    ],
    licence: Annotated[str, typer.Option(help="What the data allows, as an SPDX name.")],
) -> None:
    """Make a model folder of a fitted network, which is then checked as serving does."""
    _need_extra()
    from emotion_service.training.fitting.export import Origin, export  # noqa: PLC0415
    from emotion_service.training.fitting.fitted import load  # noqa: PLC0415

    name, _, version = out.resolve().name.rpartition("-")
    if not (name and version):
        raise CorpusError(f"--out {out} is not called NAME-VERSION: give for example {out}-1")
    origin = Origin(name, version, licence, _temperature(crossval_json))
    export(load(fit), origin, out)
    print(f"{out} is complete: it was loaded and replayed as serving does. Write its README.md.")


def evaluate_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    corpora: Annotated[
        Path, typer.Option(metavar="DIR", help="One corpus, or a folder of corpora.")
    ],
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A model folder. (default: the shipped one)")
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The --out of crossval: each speaker is judged by the model that never heard him.",
        ),
    ] = None,
    codec: Annotated[CodecChoice, typer.Option(help="What the audio goes through.")] = (
        CodecChoice.PCMU
    ),
    protocol: Annotated[
        ProtocolChoice,
        typer.Option(help="Each clip alone, or at the end of a simulated call of its speaker."),
    ] = ProtocolChoice.COLD,
    sweeps: Annotated[
        bool,
        typer.Option("--sweeps", help="Vary codec, gain, noise and length as well (12 × as long)."),
    ] = False,
    skip_trained_speakers: Annotated[
        bool,
        typer.Option(
            "--skip-trained-speakers", help="Leave out whom the model was trained on, and say so."
        ),
    ] = False,
    every: Annotated[
        int, typer.Option(min=1, help="Judge one in so many clips of each speaker and emotion.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    processes: Annotated[int, typer.Option(min=1, help="Clips side by side.")] = CORES,
    seed: Seed = SEED,
) -> None:
    """Score a finished model on labelled corpora of speakers it was not trained on."""
    if model and folds:
        raise CorpusError("--model and --folds were given: give the one that is to be judged")
    from emotion_service.app import default_model_dir  # noqa: PLC0415
    from emotion_service.training.judging import jury  # noqa: PLC0415
    from emotion_service.training.judging.judge import Protocol  # noqa: PLC0415
    from emotion_service.training.judging.table import tables  # noqa: PLC0415
    from emotion_service.training.judging.trial import Trial, hold  # noqa: PLC0415

    trial = Trial(
        corpora=corpora,
        jury=jury.folds(folds) if folds else jury.one_model(model or default_model_dir()),
        codec=codec.value,
        protocol=Protocol(protocol.value),
        sweeps=sweeps,
        skip_trained=skip_trained_speakers,
        every=every,
        seed=seed,
    )
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Judging clips", total=None)
        report = hold(
            trial, processes, lambda done, of: progress.update(task, completed=done, total=of)
        )
    if as_json:
        print(json.dumps(report, indent=1, allow_nan=False))
        return
    console = Console()
    for shown in tables(report):
        console.print(shown, highlight=False)


def _recipe(path: Path | None, seed: int | None) -> Recipe:
    from emotion_service.training.fitting.recipe import Recipe, read_recipe  # noqa: PLC0415

    recipe = Recipe() if path is None else read_recipe(path)
    return recipe if seed is None else replace(recipe, seed=seed)


def _materials(folders: list[Path], sounds: Path | None, recipe: Recipe) -> list[Material]:
    """What to learn from, after all that can be said against it."""
    from emotion_service.training.corpora.corpus import read_corpora  # noqa: PLC0415
    from emotion_service.training.corpora.examination import examine  # noqa: PLC0415
    from emotion_service.training.fitting.prepare import non_speech, speech  # noqa: PLC0415

    clips = read_corpora(folders)
    console = Console(stderr=True, style="yellow", markup=False, highlight=False, soft_wrap=True)
    for caution in examine(clips):
        console.print("Caution:", caution.text)
    return speech(clips) + non_speech(sounds, recipe)


def _temperature(path: Path) -> float:
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["temperature"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            f"{path} holds no temperature ({error}): give the crossval.json that "
            "`emotion-service crossval` wrote for the same corpora"
        ) from error


def _need_extra() -> None:
    missing = [name for name in ("torch", "onnx") if find_spec(name) is None]
    if missing:
        raise EmotionServiceError(
            f"training needs {' and '.join(missing)}, which the service does without: run "
            "`make train-environment` in a checkout, or pip install torch==2.13.0 and then "
            "'emotion-service[train]'"
        )
