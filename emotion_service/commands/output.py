"""Where the commands print to."""

from __future__ import annotations

import sys

import typer

from emotion_service.errors import BadInput


def need_output(context: typer.Context) -> None:
    """Refuses a command that could print nothing, before it does its work; `serve` prints nothing.

    Raises:
        BadInput: OUTPUT_CLOSED.
    """
    if sys.stdout is None and context.invoked_subcommand != "serve":
        raise BadInput(
            "OUTPUT_CLOSED", "standard output is closed; leave it open, or send it to a file"
        )
