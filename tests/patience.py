"""How long a test waits for what must happen: it only ends what hangs, on the slowest machine."""

PATIENCE_SECONDS = 60.0
