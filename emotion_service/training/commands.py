"""The commands of the data team: `emotion-service crossval | train`.

What training needs is imported when its command runs, so that all others start without it.
"""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from emotion_service.errors import CorpusError, EmotionServiceError

if TYPE_CHECKING:
    from emotion_service.training.corpus import Clip

CORES = os.cpu_count() or 1
SEED = 1

Corpus = Annotated[
    list[Path],
    typer.Option("--corpus", metavar="DIR", help="A folder with an index.csv; may be repeated."),
]
Seed = Annotated[int, typer.Option(help="Of all randomness: the same seed, the same run.")]


def crossval_command(
    corpus: Corpus,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folds, figures and models go here.")],
    processes: Annotated[int, typer.Option(help="Folds side by side, one thread each.")] = CORES,
    seed: Seed = SEED,
) -> None:
    """Train without each speaker in turn and judge on that speaker; an interrupted run goes on."""
    _need_extra()
    from emotion_service.training.crossval import crossval  # noqa: PLC0415
    from emotion_service.training.fit import Recipe  # noqa: PLC0415

    report = crossval(_clips(corpus), Recipe(seed=seed), out, processes, Console(stderr=True))
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
    seed: Seed = SEED,
) -> None:
    """Train on all speakers and export a model folder, which is then checked as serving does."""
    _need_extra()
    from emotion_service.training.export import Provenance, export  # noqa: PLC0415
    from emotion_service.training.fit import Recipe, fit  # noqa: PLC0415
    from emotion_service.training.prepare import prepare, typical_of  # noqa: PLC0415

    temperature = _temperature(crossval_json)
    examples = prepare(_clips(corpus), CORES)
    typical, recipe = typical_of(examples), Recipe(seed=seed)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Fitting", total=recipe.epochs)
        network = fit(examples, typical, recipe, lambda *_: progress.advance(task))
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
