"""The model that is reported on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from emotion_service.scoring.model import LABELS, NON_SPEECH, ModelCard, read_card
from emotion_service.training.judging.notation import counted, listed
from emotion_service.types import SAMPLE_RATE_HERTZ


@dataclass(frozen=True, slots=True)
class Origin:
    """A model folder's model.json, with what only training needs of it."""

    card: ModelCard
    data: tuple[str, ...]  # names of the corpora it learned from
    temperature: float | None

    @property
    def name(self) -> str:
        return f"{self.card.name}-{self.card.version}"


def read_origin(folder: Path) -> Origin:
    """Raises ModelMismatch: see read_card."""
    card = read_card(folder)
    fields = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return Origin(card, tuple(map(str, fields.get("data", ()))), fields.get("temperature"))


def described(origin: Origin) -> list[str]:
    """What the model is, in paragraphs."""
    card = origin.card
    seconds = card.window_frames * card.hop_samples / SAMPLE_RATE_HERTZ
    learned = f"Learned from {listed(origin.data)}, " if origin.data else "Learned from "
    weights = "; ".join(
        f"{label} {card.arousal[label]:g} and {card.valence[label]:g}" for label in LABELS
    )
    told = [
        f"Tells {listed(LABELS)} apart in the voice of a customer on a telephone, from the last "
        f"{seconds:g} s of the call: {len(card.feature_names)} features every 10 ms (version "
        f"{card.feature_version}), and {listed(card.context_names)} of the speaker so far.",
        f"Arousal and valence are sums of the probabilities with these weights: {weights}. They "
        "are indices, not measurements.",
        f"{learned}{counted(len(card.training_speakers), 'speaker')}, whom model.json lists: it "
        "must not be judged on them.",
    ]
    if NON_SPEECH in card.labels:
        told.insert(
            1,
            "Where non-speech wins (music, tones, laughter and other bursts, noise), no emotion is "
            "claimed.",
        )
    return told
