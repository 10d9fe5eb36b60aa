"""What is true about a demo call: who speaks when, and how it was meant to sound."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_service.errors import BadInput


@dataclass(frozen=True, slots=True)
class TruthSegment:
    """Bounds in seconds since the call began; `label` is an emotion, a manner, or empty."""

    leg: str
    start: float
    end: float
    label: str


@dataclass(frozen=True, slots=True)
class Truth:
    """`model_heard_speaker` is None where nobody said; `speaker` is a corpus's own name."""

    synthetic: bool
    segments: tuple[TruthSegment, ...]
    speaker: str = ""
    model_heard_speaker: bool | None = None

    def remark(self) -> str:
        """One line that says how to read the demo."""
        if self.synthetic:
            return (
                "The voices are synthetic: trust speech activity, pitch, pace and talk-over here; "
                "an emotion read into them means nothing."
            )
        heard = {
            None: "",
            True: "; the model was trained on this speaker, so expect less of others",
            False: "; the model never heard this speaker",
        }[self.model_heard_speaker]
        return f"Acted human speech, speaker {self.speaker}{heard}."


def read_truth(file: Path) -> Truth:
    """The JSON beside a demo call.

    Raises:
        BadInput: when it is none.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        heard = content.get("model_heard_speaker")
        if heard not in (None, True, False):
            raise ValueError
        return Truth(
            synthetic=bool(content["synthetic"]),
            segments=tuple(_segment(entry) for entry in content["segments"]),
            speaker=str(content.get("speaker", "")),
            model_heard_speaker=heard,
        )
    except OSError as error:
        reason = error.strerror
    except (ValueError, KeyError, TypeError, AttributeError):
        reason = 'it needs "synthetic" and "segments" with leg, start_seconds and end_seconds'
    raise BadInput(
        "UNREADABLE_TRUTH",
        f"{file} is not the truth about a demo call ({reason}); "
        "give the JSON that demo-call wrote beside the audio.",
    )


def _segment(entry: dict[str, Any]) -> TruthSegment:
    return TruthSegment(
        leg=str(entry["leg"]),
        start=float(entry["start_seconds"]),
        end=float(entry["end_seconds"]),
        label=str(entry.get("emotion") or _manner(entry)),
    )


def _manner(entry: dict[str, Any]) -> str:
    return str(entry.get("manner", "")) if entry.get("kind", "speech") == "speech" else ""
