"""Ctrl-C goes to every process of a terminal; only the command answers it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

INTERRUPTED = """
import os, signal, sys, time
from emotion_service.training.workers import workers

if __name__ == "__main__":
    try:
        with workers(2) as pool:
            first = pool.submit(time.sleep, 0)
            rest = [pool.submit(time.sleep, 3600) for _ in range(4)]
            if sys.argv[1] == "at work":
                first.result()
            os.killpg(0, signal.SIGINT)
            rest[0].result()
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("when", ["while they start", "at work"])
def test_workers_go_without_a_word(tmp_path: Path, when: str) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(script), when],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        start_new_session=True,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "interrupted\n", "")
