"""Compiles the hot files with Cython where that is possible; everything else of the build is in pyproject.toml.

Without a C compiler, or when Cython fails, the package is built without compiled modules: it then runs the very same
files as plain Python. ``PROMSNMP_NO_COMPILE=1`` asks for that.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

from setuptools import Extension, setup

HERE = Path(__file__).parent


def sources() -> list[str]:
    """The files to compile that are there, relative to the project."""
    table = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
    return [path for path in table["tool"]["promsnmp"]["compiled"] if (HERE / path).exists()]


def extension(path: str) -> Extension:
    """An extension of the module's name."""
    name = ".".join(Path(path).with_suffix("").parts[1:])
    return Extension(name, [path], extra_compile_args=["-O2", "-g0"])


def extensions() -> list[Extension]:
    """Extensions with their C files made, or none where there is no Cython or it fails."""
    if os.environ.get("PROMSNMP_NO_COMPILE", "") not in ("", "0"):
        print("promsnmp: PROMSNMP_NO_COMPILE is set, so nothing is compiled", file=sys.stderr)
        return []
    try:
        from Cython.Build import cythonize

        made: list[Extension] = cythonize(
            [extension(path) for path in sources()],
            build_dir="build/cython",
            force=True,  # a file's time says too little after a checkout or an unpacked archive
            compiler_directives={"language_level": 3},
        )
    except Exception as error:  # noqa: BLE001  # whatever Cython trips over, the package works without it
        print(f"promsnmp: not compiled, runs slower: {type(error).__name__}: {error}", file=sys.stderr)
        return []
    for each in made:
        each.optional = True  # the build goes on when the C compiler fails; cythonize forgets it when set before
    return made


setup(ext_modules=extensions())
