"""How a benchmark ends when its user can mend what is wrong: in one line, without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from emotion_service.errors import EmotionServiceError


def command(main: Callable[[], None]) -> None:
    """Runs it; the exit code of what it refuses, or of a server that does not start, is 2."""
    try:
        main()
    except EmotionServiceError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)
