"""Finds snmp_exporter and its generator, which PromSNMP is compared with, and fetches them once where they are not.

    python -m scripts.programs.exporter           print the path of snmp_exporter
    python -m scripts.programs.exporter generator print the path of its generator

snmp_exporter is that of Debian sid (0.30.1), whose package also runs on bookworm and trixie: it is downloaded by apt
(checked by its keys, without root, without touching what is installed) and unpacked into ``~/.cache/promsnmp``. The
generator is trixie's: it needs the library of net-snmp, and trixie's also runs on bookworm. That library is fetched,
too, and used where the system has another one.
``SNMP_EXPORTER`` and ``SNMP_GENERATOR`` name others.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from scripts.programs import debian_packages, fetched
from scripts.programs.fetched import Unavailable

__all__ = ["EXPORTER", "GENERATOR", "Unavailable", "find", "version"]

EXPORTER = "prometheus-snmp-exporter"
GENERATOR = "prometheus-snmp-generator"
PACKAGE = EXPORTER
LIBRARY = "libsnmp40t64"
SUITES = {EXPORTER: "sid", GENERATOR: "trixie"}
OLDEST = (0, 30)
"""An older snmp_exporter is not what PromSNMP is compared with."""
_NAMED_BY = {EXPORTER: "SNMP_EXPORTER", GENERATOR: "SNMP_GENERATOR"}
_WITH_LIBRARIES = """\
#!/bin/sh
# The generator, with the libraries beside it where this system has others.
here=$(dirname "$(dirname "$0")")
program=$here/usr/bin/{program}
if ldd "$program" | grep -q "not found"; then
    for folder in "$here"/usr/lib/*-linux-gnu*; do
        export LD_LIBRARY_PATH="$folder"
    done
fi
exec "$program" "$@"
"""


def find(name: str = EXPORTER) -> str:
    """The path of a program: that which its variable names, the one on the PATH, or fetched. Raises Unavailable."""
    named = os.environ.get(_NAMED_BY[name])
    if named:
        if not shutil.which(named):
            raise Unavailable(f"{_NAMED_BY[name]} names {named}, which is no program")
        return named
    for other in (name, name.removeprefix("prometheus-").replace("-", "_")):  # Debian's name of it, and its own
        found = shutil.which(other)
        if found and (name != EXPORTER or version(found) >= OLDEST):
            return found
    if not debian_packages.has_apt():
        raise Unavailable("snmp_exporter is not here and there is no apt of Debian to fetch it with: set SNMP_EXPORTER")
    packages = (PACKAGE, LIBRARY) if name == GENERATOR else (PACKAGE,)
    suite = SUITES[name]
    folder = fetched.folder("-with-".join((f"{PACKAGE}-{suite}", *packages[1:])), partial(_fetch, suite, packages))
    return str(folder / ("bin" if name == GENERATOR else "usr/bin") / name)


def version(program: str) -> tuple[int, ...]:
    """The first two numbers of the version of an snmp_exporter; (0, 0) when it does not tell."""
    return fetched.version(program)


def _fetch(suite: str, packages: Sequence[str], folder: Path, scratch: Path) -> None:
    debian_packages.unpack(suite, packages, folder, scratch)
    script = folder / "bin" / GENERATOR
    script.parent.mkdir()
    script.write_text(_WITH_LIBRARIES.format(program=GENERATOR))
    script.chmod(0o755)


if __name__ == "__main__":
    try:
        print(find(GENERATOR if sys.argv[1:] == ["generator"] else EXPORTER))
    except Unavailable as reason:
        sys.exit(f"{reason}. Tests that compare with it are skipped.")
