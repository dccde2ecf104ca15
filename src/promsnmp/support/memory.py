"""Memory helpers for a process that loads large files rarely and keeps them long (modules, inventories).

glibc keeps freed memory for reuse, which never comes in a service that reads its files once a month. And while hundreds
of thousands of values are read, Python's garbage collector scans them again and again, although none is garbage.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
_V2_LIMIT, _V1_LIMIT = "memory.max", "memory.limit_in_bytes"


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)
_KEPT_OCTETS = 8 * 1024 * 1024
_MAPPED_OCTETS = 4 * 1024 * 1024


def keep_heap() -> None:
    """Lets the C library keep up to 8 MB of freed memory instead of 128 KB (glibc: mallopt(3)).

    A page is built in buffers of a few hundred KB. By default each is given back to the system and comes back as new
    memory that the kernel clears: a third of the time of rendering. ``release_memory`` gives back everything.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT_OCTETS)
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_OCTETS)


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


def machine_memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def resident() -> int:
    """Bytes of resident memory of this process (proc(5), /proc/pid/statm); 0 where there is no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def cgroup_limit(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int | None:
    """The smallest memory limit in bytes of this process's cgroup (cgroups(7)) and those above it; None without any.

    ``cgroups`` is where they are mounted, ``own`` the list of this process's. Version 2 and version 1.
    """
    limits = [limit for file in _limit_files(cgroups, own) if (limit := _read_limit(file)) is not None]
    lowest = min(limits, default=None)
    return None if lowest is None or lowest >= machine_memory() else lowest  # version 1 says "none" by a huge number


def _limit_files(cgroups: Path, own: Path) -> Iterator[Path]:
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    yield cgroups / _V2_LIMIT  # a container sees its own cgroup as the root
    yield cgroups / "memory" / _V1_LIMIT
    for line in lines:
        _, controllers, path = line.split(":", 2)
        root, name = (cgroups, _V2_LIMIT) if not controllers else (cgroups / "memory", _V1_LIMIT)
        if not controllers or "memory" in controllers.split(","):
            group = root / path.strip("/")
            yield from (folder / name for folder in (group, *group.parents) if folder.is_relative_to(root))


def _read_limit(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
