"""The commands of the data team: `emotion-service crossval | train`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from emotion_service.errors import CorpusError
from emotion_service.training.corpus import Clip, read_corpus, with_known_emotion
from emotion_service.training.crossval import crossval
from emotion_service.training.export import Provenance, export
from emotion_service.training.fit import Recipe, fit
from emotion_service.training.prepare import prepare, typical_of

Corpus = Annotated[
    list[Path],
    typer.Option("--corpus", metavar="DIR", help="A folder with an index.csv; may be repeated."),
]
Processes = Annotated[int, typer.Option(help="Processes side by side, one thread each.")]
Seed = Annotated[int, typer.Option(help="Of all randomness: the same seed, the same run.")]


def crossval_command(
    corpus: Corpus,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folds, figures and models go here.")],
    processes: Processes = os.cpu_count() or 1,
    seed: Seed = Recipe().seed,
) -> None:
    """Train without each speaker in turn and judge on that speaker; an interrupted run goes on."""
    report = crossval(_clips(corpus), Recipe(seed=seed), out, processes, Console(stderr=True))
    print(json.dumps(report, indent=1))


def train_command(
    corpus: Corpus,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The model folder to write.")],
    crossval_json: Annotated[
        Path, typer.Option("--crossval", metavar="FILE", help="Its crossval.json: calibration.")
    ],
    licence: Annotated[str, typer.Option(help="What the data allows, as an SPDX name.")],
    seed: Seed = Recipe().seed,
) -> None:
    """Train on all speakers and export a model folder, which is then checked as serving does."""
    figures = json.loads(crossval_json.read_text(encoding="utf-8"))
    examples = prepare(_clips(corpus), os.cpu_count() or 1)
    typical, recipe = typical_of(examples), Recipe(seed=seed)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Fitting", total=recipe.epochs)
        network = fit(examples, typical, recipe, lambda *_: progress.advance(task))
    name, _, version = out.name.rpartition("-")
    origin = Provenance(
        name=name,
        version=version,
        licence=licence,
        data=tuple(sorted({folder.name for folder in corpus})),
        training_speakers=tuple(sorted({example.clip.speaker for example in examples})),
        temperature=figures["temperature"],
    )
    export(network, typical, origin, out)
    print(f"{out} is complete and was loaded and replayed; write its README.md from {crossval_json}")


def _clips(folders: list[Path]) -> list[Clip]:
    clips = [clip for folder in folders for clip in with_known_emotion(read_corpus(folder))]
    speakers = {clip.speaker for clip in clips}
    if len(speakers) < 2:  # noqa: PLR2004
        raise CorpusError(
            f"{len(speakers)} speakers with a known emotion: nothing can be said of unheard "
            "speakers with fewer than two; add speakers or another --corpus"
        )
    return clips
