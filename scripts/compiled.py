"""Compiles the hot files in place when they changed, so that an old extension never hides a new source.

    python scripts/compiled.py           compile what changed
    python scripts/compiled.py --clean   remove every extension

Python prefers an extension module to the ``.py`` beside it, whichever is newer. So the digest of each
extension's source is kept in ``build/``, and an extension that no longer matches is removed before it is built again:
if the build fails, the source runs as plain Python.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def sources() -> list[Path]:
    """The files of ``[tool.promsnmp] compiled`` in pyproject.toml that exist."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [ROOT / path for path in table["tool"]["promsnmp"]["compiled"] if (ROOT / path).exists()]


def extension_of(source: Path) -> Path:
    """Where this interpreter looks for the compiled ``source``."""
    return source.with_suffix(str(sysconfig.get_config_var("EXT_SUFFIX")))


def _note_of(extension: Path) -> Path:
    return ROOT / "build" / "compiled" / f"{extension.name}.sha256"


def _digest(source: Path) -> str:
    return hashlib.sha256(source.read_bytes()).hexdigest()


def _fits(extension: Path, source: Path) -> bool:
    note = _note_of(extension)
    if note.exists():
        return note.read_text(encoding="ascii") == _digest(source)
    return extension.stat().st_mtime >= source.stat().st_mtime


def outdated() -> list[Path]:
    """Extensions of this interpreter that were built from another version of their source."""
    pairs = [(extension_of(source), source) for source in sources()]
    return [made for made, source in pairs if made.exists() and not _fits(made, source)]


def missing() -> list[Path]:
    """Extensions that do not exist."""
    return [made for made in map(extension_of, sources()) if not made.exists()]


def compiler() -> str | None:
    """Path of the C compiler that the build would use, if it exists."""
    words = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))
    return shutil.which(words[0]) if words else None


def clean() -> None:
    """Removes the extensions of every interpreter."""
    for source in sources():
        for made in source.parent.glob(f"{source.stem}.*.so"):
            made.unlink()


def build() -> str:
    """Compiles what is missing or outdated; returns a message, empty when all went well."""
    for old in outdated():
        old.unlink()
    if not (wanted := missing()):
        return ""
    names = ", ".join(made.name.split(".")[0] for made in wanted)
    if os.environ.get("PROMSNMP_NO_COMPILE", "") not in ("", "0"):
        return f"not compiled because PROMSNMP_NO_COMPILE is set: {names}; polling uses more CPU"
    if compiler() is None:
        return f"no C compiler, not compiled: {names}; polling uses more CPU (on Debian: apt install gcc python3-dev)"
    print(f"Compiling {names} ...", flush=True)
    began = time.monotonic()
    notes = {_note_of(made): _digest(source) for source in sources() if (made := extension_of(source)) in wanted}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"Compiling {names}: {time.monotonic() - began:.0f} s", flush=True)
    for note, digest in notes.items():
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(digest, encoding="ascii")
    if not missing():
        return ""
    return f"{ran.stdout}{ran.stderr}compiling {names} failed (see above); polling uses more CPU"


def main(arguments: list[str]) -> int:
    if arguments == ["--clean"]:
        clean()
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    if message := build():
        print(message, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
