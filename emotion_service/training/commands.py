"""The commands of the data team: `emotion-service crossval | train | evaluate`.

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
    from emotion_service.training.corpus import Clip
    from emotion_service.training.recipe import Recipe

CORES = os.cpu_count() or 1
SEED = 1

Corpus = Annotated[
    list[Path],
    typer.Option("--corpus", metavar="DIR", help="A folder with an index.csv; may be repeated."),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe", metavar="TOML", help="What to choose otherwise. (default: the shipped model's)"
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of all randomness: the same seed, the same run.")]


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


def crossval_command(
    corpus: Corpus,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folds, figures and models go here.")],
    protocol: Annotated[
        FoldChoice,
        typer.Option(
            help="Five joint folds over all corpora, one a speaker (loso), or one a corpus (loco)."
        ),
    ] = FoldChoice.JOINT,
    processes: Annotated[int, typer.Option(help="Folds side by side, one thread each.")] = CORES,
    recipe: RecipeFile = None,
    seed: Seed | None = None,
) -> None:
    """Train without some speakers in turn and judge on them; an interrupted run goes on."""
    _need_extra()
    from emotion_service.training.crossval import crossval  # noqa: PLC0415
    from emotion_service.training.folds import FoldProtocol  # noqa: PLC0415

    report = crossval(
        _clips(corpus),
        _recipe(recipe, seed),
        FoldProtocol(protocol.value),
        out,
        processes,
        Console(stderr=True),
    )
    print(json.dumps(report, indent=1))


def train_command(
    corpus: Corpus,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The model folder to write, NAME-VERSION.")
    ],
    crossval_json: Annotated[
        Path, typer.Option("--crossval", metavar="FILE", help="Its crossval.json: calibration.")
    ],
    licence: Annotated[str, typer.Option(help="What the data allows, as an SPDX name.")],
    recipe: RecipeFile = None,
    seed: Seed | None = None,
) -> None:
    """Train on all speakers and export a model folder, which is then checked as serving does."""
    _need_extra()
    from emotion_service.training.export import Provenance, export  # noqa: PLC0415
    from emotion_service.training.fit import fit  # noqa: PLC0415
    from emotion_service.training.prepare import prepare, typical_of  # noqa: PLC0415

    temperature = _temperature(crossval_json)
    chosen = _recipe(recipe, seed)
    examples = prepare(_clips(corpus), chosen, CORES)
    typical = typical_of(examples)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Fitting", total=chosen.epochs)
        network = fit(examples, typical, chosen, lambda *_: progress.advance(task))
    name, _, version = out.resolve().name.rpartition("-")
    origin = Provenance(
        name=name,
        version=version,
        licence=licence,
        data=tuple(sorted({example.clip.corpus for example in examples})),
        training_speakers=tuple(sorted({example.clip.speaker for example in examples})),
        temperature=temperature,
    )
    export(network, typical, origin, out)
    print(f"{out} is complete: it was loaded and replayed as serving does. Write its README.md.")


def evaluate_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    corpora: Annotated[
        Path, typer.Option(metavar="DIR", help="One corpus, or a folder of corpora.")
    ],
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A model folder. (default: the shipped one)")
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    processes: Annotated[int, typer.Option(min=1, help="Clips side by side.")] = CORES,
    seed: Seed = SEED,
) -> None:
    """Score a finished model on labelled corpora of speakers it was not trained on."""
    from emotion_service.app import default_model_dir  # noqa: PLC0415
    from emotion_service.training.judge import Protocol  # noqa: PLC0415
    from emotion_service.training.table import tables  # noqa: PLC0415
    from emotion_service.training.trial import Trial, hold  # noqa: PLC0415

    trial = Trial(
        corpora=corpora,
        model=model or default_model_dir(),
        codec=codec.value,
        protocol=Protocol(protocol.value),
        sweeps=sweeps,
        skip_trained=skip_trained_speakers,
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
    from emotion_service.training.recipe import Recipe, read_recipe  # noqa: PLC0415

    recipe = Recipe() if path is None else read_recipe(path)
    return recipe if seed is None else replace(recipe, seed=seed)


def _clips(folders: list[Path]) -> list[Clip]:
    from emotion_service.training.corpus import read_corpus, with_known_emotion  # noqa: PLC0415

    clips = [clip for folder in folders for clip in with_known_emotion(read_corpus(folder))]
    speakers = {clip.speaker for clip in clips}
    if len(speakers) < 2:
        raise CorpusError(
            f"{len(speakers)} speakers with a known emotion: nothing can be said of unheard "
            "speakers with fewer than two; add speakers or another --corpus"
        )
    return clips


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
