"""Finds a Prometheus of version 3, or fetches it: Debian 12 has 2.42.

    python -m scripts.programs.prometheus         print its path

It is that of Debian sid, whose package also runs on bookworm and trixie. ``PROMETHEUS_3`` names another one.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial

from scripts.programs import debian_packages, fetched
from scripts.programs.fetched import Unavailable

__all__ = ["Unavailable", "find"]

PROGRAM = PACKAGE = "prometheus"
VARIABLE = "PROMETHEUS_3"
SUITE = "sid"
OLDEST = (3, 0)


def find() -> str:
    """Its path: the program that the variable names, the one on the PATH, or fetched. Raises Unavailable."""
    named = os.environ.get(VARIABLE)
    if named:
        if not shutil.which(named):
            raise Unavailable(f"{VARIABLE} names {named}, which is no program")
        return named
    found = shutil.which(PROGRAM)
    if found and fetched.version(found) >= OLDEST:
        return found
    if not debian_packages.has_apt():
        raise Unavailable(f"Prometheus 3 is not here and there is no apt of Debian to fetch it with: set {VARIABLE}")
    folder = fetched.folder(f"{PACKAGE}-{SUITE}", partial(debian_packages.unpack, SUITE, (PACKAGE,)))
    return str(folder / "usr" / "bin" / PROGRAM)


if __name__ == "__main__":
    try:
        print(find())
    except Unavailable as reason:
        sys.exit(f"{reason}. Tests that need it are skipped.")
