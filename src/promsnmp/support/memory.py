"""Memory of a process that reads much at once and keeps it for long, such as modules and inventories.

glibc keeps what is freed for the next time, which for a service that reads its files once a month is never. And Python
looks for cycles of garbage among all that was made lately, again and again while hundreds of thousands of values are
being read that are no garbage.
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
    """No search for garbage meanwhile: for reading what is large and stays."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def freeze_memory() -> None:
    """Takes what there is now for permanent: later searches for garbage pass it over, and stop nobody for long."""
    gc.collect()
    gc.freeze()
    release_memory()
