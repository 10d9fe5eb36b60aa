"""What a benchmark's user can mend is told in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.command import command
from emotion_service.errors import BadInput


def test_what_was_refused_is_one_line_and_a_2(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise BadInput("ANY", "give another")

    with pytest.raises(SystemExit) as ended:
        command(main)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(": give another\n")


def test_a_defect_shows_where_it_is() -> None:
    def main() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command(main)


def test_a_folder_without_corpora_is_told_in_one_line(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "benchmarks.density", "--corpora", str(tmp_path)]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    (line,) = said.stderr.splitlines()
    assert line.startswith("density.py: ")
