"""Gives memory back that was needed for a moment, such as while a large file of modules is read.

glibc keeps what is freed for the next time, which for a service that reads its files once a month is never.
"""

from __future__ import annotations

import ctypes
import sys


def release_memory() -> None:
    """Returns free memory of the heap to the system, where the C library can (glibc: malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
