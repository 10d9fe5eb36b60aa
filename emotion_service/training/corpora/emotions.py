"""What a clip's emotion may be called: as the model calls it, or as one that it does not tell."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import LABELS

# Known, and left out of training and judging. `other` is for whatever has no name here.
OTHER_EMOTIONS = (
    *("admiration", "affection", "amusement", "anxiety", "apology", "awe", "boredom", "calm"),
    *("compassion", "concern", "confidence", "confusion", "contempt", "contentment", "curiosity"),
    *("desire", "desperation", "disappointment", "disgust", "distress", "doubt", "embarrassment"),
    *("encouragement", "enthusiasm", "envy", "excitement", "fear", "frustration", "gratitude"),
    *("guilt", "hope", "impatience", "interest", "irony", "irritation", "jealousy", "love"),
    *("nostalgia", "other", "pain", "panic", "pride", "relief", "sarcasm", "shame", "sleepiness"),
    *("surprise", "sympathy", "tenderness", "tiredness", "triumph"),
)
MEANT = {"happy": "happiness", "joy": "happiness"}  # too far apart to be found by their letters


def refuse_unknown(source: object, emotions: Iterable[str]) -> None:
    """`source` is what the message says the emotions are from.

    Raises:
        CorpusError: one of them is neither the model's nor among OTHER_EMOTIONS.
    """
    unknown = sorted(set(emotions) - {*LABELS, *OTHER_EMOTIONS})
    if unknown:
        raise CorpusError(
            f"{source} has {len(unknown)} unknown emotions: {', '.join(map(_told, unknown))}; "
            f"expected {', '.join(LABELS)}, or one that is left out (docs/training.md lists them): "
            "rename them, if need be to other"
        )


def _told(emotion: str) -> str:
    """The word, and what it may have been meant to be."""
    plain = emotion.strip().lower()
    close = get_close_matches(plain, (*LABELS, *OTHER_EMOTIONS), n=1)
    meant = MEANT.get(plain) or (close[0] if close else None)
    return f"'{emotion}' (did you mean {meant}?)" if meant else f"'{emotion}'"
