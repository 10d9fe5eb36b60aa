"""`demo-call`: a call with human voices, made of labelled clips."""

from __future__ import annotations

from pathlib import Path

import soundfile

from emotion_service.app import default_model_dir
from emotion_service.errors import BadInput
from emotion_service.scoring.model import read_card
from emotion_service.training.corpora.simulate import write_demo_call


def demo_call(corpora: Path, speaker: str | None, out: Path, model: Path | None) -> None:
    """Writes the call, and its truth beside it. The model's card says whom it has heard.

    Raises:
        BadInput: `out` cannot be written. CorpusError: the clips do not make a call.
        ModelMismatch: the model has no readable card.
    """
    if out.suffix.lower() != ".flac":
        raise BadInput("NOT_FLAC", f"{out} is no FLAC file; give --out a name that ends in .flac.")
    heard = read_card(model or default_model_dir()).training_speakers
    try:
        chosen = write_demo_call(corpora, speaker, out, heard)
    except (soundfile.LibsndfileError, OSError) as error:
        raise BadInput(
            "UNWRITABLE_FILE",
            f"{out} cannot be written ({error}); check that its folder is there, that you may "
            "write to it, and that its disk has room.",
        ) from error
    print(f"{out}: speaker {chosen}, the truth is in {out.with_suffix('.json')}")
