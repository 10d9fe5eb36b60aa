"""Processes that share a command's work, and go with it when it is interrupted."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def workers(processes: int) -> Iterator[ProcessPoolExecutor]:
    """So many; for the main thread. Ctrl-C is this process's to hear: it ends the workers, which
    are spawned, since one that is forked inherits whatever lock a thread holds just then."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited by what is started now
    try:
        for _ in range(processes):
            pool.submit(int)  # starts one
    finally:
        signal.signal(signal.SIGINT, heard)
    try:
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
