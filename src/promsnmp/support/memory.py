"""Memory helpers for a process that loads large files rarely and keeps them long (modules, inventories).

glibc keeps freed memory for reuse, which never comes in a service that reads its files once a month. And while hundreds
of thousands of values are read, Python's garbage collector scans them again and again, although none is garbage.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def release_memory() -> None:
    """Returns free memory of the heap to the system, where the C library can (glibc: malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disables garbage collection meanwhile: for reading large files whose values stay."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def freeze_memory() -> None:
    """Marks all current objects as permanent: later garbage collections skip them, so their pauses are short."""
    gc.collect()
    gc.freeze()
    release_memory()
