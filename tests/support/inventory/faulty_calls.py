"""A file system that fails in ways that no mount can be made to: a library that is loaded before the C library.

Its faults begin and end while a program runs: each is there as long as a file is.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.tools import require_tool

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int has(const char *fault) {
    const char *place = getenv(fault);
    return place && access(place, F_OK) == 0;
}

int flock(int descriptor, int operation) {
    int (*real)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    return has("NO_LOCKS") ? 0 : real(descriptor, operation);
}

static int is_lock(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

#define FCNTL(name)                                                                                     \
    int name(int descriptor, int command, ...) {                                                        \
        va_list arguments;                                                                              \
        va_start(arguments, command);                                                                   \
        void *argument = va_arg(arguments, void *);                                                     \
        va_end(arguments);                                                                              \
        int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, #name);                   \
        return is_lock(command) && has("NO_LOCKS") ? 0 : real(descriptor, command, argument);           \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

int fsync(int descriptor) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    struct stat found;
    if (has("NO_FOLDER_SYNC") && fstat(descriptor, &found) == 0 && S_ISDIR(found.st_mode)) {
        errno = EIO;
        return -1;
    }
    return real(descriptor);
}
"""


class FaultyCalls:
    """``env`` makes a program use the library; ``no_locks`` and ``no_folder_sync`` make it fail while a block runs."""

    def __init__(self, folder: Path) -> None:
        source, library = folder / "faulty_calls.c", folder / "faulty_calls.so"
        source.write_text(_SOURCE)
        gcc = require_tool("gcc", package="gcc")
        subprocess.run([gcc, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=60)
        self._locks, self._folder_sync = folder / "no locks", folder / "no folder sync"
        self.env = {
            "LD_PRELOAD": str(library),
            "NO_LOCKS": str(self._locks),
            "NO_FOLDER_SYNC": str(self._folder_sync),
        }

    @contextmanager
    def no_locks(self) -> Iterator[None]:
        """Every lock is granted at once."""
        with _there(self._locks):
            yield

    @contextmanager
    def no_folder_sync(self) -> Iterator[None]:
        """fsync of a folder fails (EIO)."""
        with _there(self._folder_sync):
            yield


@contextmanager
def _there(file: Path) -> Iterator[None]:
    file.touch()
    try:
        yield
    finally:
        file.unlink()
