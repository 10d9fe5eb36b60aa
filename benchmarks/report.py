"""What a benchmark found, as a file."""

from __future__ import annotations

import json
import math
from pathlib import Path


def write(out: Path, content: dict[str, object]) -> None:
    """JSON; what is infinite or was never measured is null."""
    out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False)
    out.write_text(text + "\n", encoding="utf-8")


def _finite(value: object) -> object:
    match value:
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list():
            return [_finite(inner) for inner in value]
        case float():
            return round(value, 4) if math.isfinite(value) else None
        case _:
            return value
