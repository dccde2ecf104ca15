"""Clocks that are wrong: a library that is loaded before the C library shifts the time of day of one process."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.tools import require_tool

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) {
    const char *seconds = getenv("CLOCK_SHIFT");
    return seconds ? atol(seconds) : 0;
}

typedef int (*get_time)(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = ((get_time)dlsym(RTLD_NEXT, "clock_gettime"))(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += shift();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    int (*real)(struct timeval *, void *) = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
    int result = real(now, zone);
    if (result == 0) now->tv_sec += shift();
    return result;
}

time_t time(time_t *now) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (now) *now = found.tv_sec;
    return found.tv_sec;
}
"""


class ShiftedClocks:
    """``env`` shifts the time of day of a program by some seconds."""

    def __init__(self, folder: Path) -> None:
        source, self._library = folder / "clocks.c", folder / "clocks.so"
        source.write_text(_SOURCE)
        gcc = require_tool("gcc", package="gcc")
        subprocess.run([gcc, "-shared", "-fPIC", "-O1", "-o", self._library, source, "-ldl"], check=True, timeout=60)

    def env(self, seconds: int) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "CLOCK_SHIFT": str(seconds)}
