"""`python -m emotion_service` and the command `emotion-service`."""

from __future__ import annotations

import os


def main() -> None:
    """Runs the command line."""
    # Read when gRPC is loaded. Its own lines would stand in the middle of ours and of the log's
    # JSON, and name the addresses of clients.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from emotion_service.cli import main as command_line  # noqa: PLC0415
    except KeyboardInterrupt:  # loading takes most of a second
        # As the command line does. After sys.exit Python might kill itself with SIGINT instead:
        # it remembers an interrupt inside an exec(), of which importing has many.
        os._exit(130)
    command_line()


if __name__ == "__main__":
    main()
