"""Bytes to feature frames: synchronous NumPy and SciPy, no clock, no I/O."""
