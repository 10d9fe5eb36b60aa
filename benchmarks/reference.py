"""A fixed piece of work to compare others with: its time says how fast the machine is right now.

About a third of it each are what the service spends its time on: transforms and products of arrays,
NumPy's calls on little data, and the interpreter itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import scipy.fft

ROWS, SMALL_CALLS, LOOPS = 64, 40, 150


def reference() -> Iterator[None]:
    """Without end; each step is the same work, 0.5 to 1 ms of it."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(ROWS, 512)).astype(np.float32)
    weights = random.random((257, 64)).astype(np.float32)
    block = rows[0, :160]
    recent = deque([0.0] * 50, 50)
    while True:
        spectrum = scipy.fft.rfft(rows)
        np.log((spectrum.real**2 + spectrum.imag**2) @ weights + 1.0).sum(axis=1)
        for _ in range(SMALL_CALLS):
            np.concatenate([block, block]).reshape(2, -1).max(axis=1).tolist()
        for i in range(LOOPS):
            recent.append(i * 0.5)
            sorted({"place": i, "sum": sum(recent)}.items())
        yield
