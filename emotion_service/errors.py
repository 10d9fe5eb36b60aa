"""What can go wrong, one class a remedy. Messages name no caller, call or content."""

from __future__ import annotations


class EmotionServiceError(Exception):
    """Base of everything this package raises on purpose."""


class ScoringForbidden(EmotionServiceError):
    """Code asked to score a leg that may not be scored: a defect, never a user's mistake."""


class BadInput(EmotionServiceError):
    """A message or file that cannot be used. Ends that stream, and nothing else.

    `reason` is a stable upper-case word for machines, the message a sentence for people: what
    was given, what was expected, what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Busy(EmotionServiceError):
    """Nothing is wrong with the message, but it cannot be served now: try again after
    `retry_seconds`, or elsewhere. `reason` as in BadInput."""

    def __init__(self, reason: str, message: str, retry_seconds: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_seconds = retry_seconds


class ModelMismatch(EmotionServiceError):
    """A model folder that is incomplete, altered, or made for other features. Stops the start."""


class CorpusError(EmotionServiceError):
    """A labelled corpus, or what is to be made of one, that cannot be used as it is."""


class RecipeError(EmotionServiceError):
    """A recipe for training that cannot be used."""
