"""Compiles the hot files with Cython where that is possible; everything else of the build is in pyproject.toml.

Without a C compiler, or when Cython fails, the package is built without compiled modules: it then runs the very same
files as plain Python. ``PROMSNMP_NO_COMPILE=1`` asks for that.
"""

from __future__ import annotations

import os
import shutil
import sys

if sys.version_info < (3, 11):  # noqa: UP036  # pip runs this file before it looks at requires-python
    sys.exit(f"PromSNMP needs Python 3.11 or newer, and this is {sys.version.split()[0]}: use python3.11 or newer")
import tomllib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

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


class BuildWithAssets(build_py):
    """Adds ``deploy/`` as ``promsnmp/assets``, for ``promsnmp assets export``; an editable install has it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode and (HERE / "deploy").is_dir():
            target = Path(self.build_lib) / "promsnmp" / "assets"
            ignored = shutil.ignore_patterns("__pycache__", "image")
            shutil.copytree(HERE / "deploy", target, dirs_exist_ok=True, ignore=ignored)


setup(ext_modules=extensions(), cmdclass={"build_py": BuildWithAssets})
