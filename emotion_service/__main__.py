"""`python -m emotion_service` and the command `emotion-service`."""

from __future__ import annotations

import os


def main() -> None:
    """Runs the command line."""
    # Read when gRPC is loaded. Its own lines would stand in the middle of ours and of the log's
    # JSON, and name the addresses of clients.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from emotion_service.cli import main as command_line  # noqa: PLC0415

    command_line()


if __name__ == "__main__":
    main()
