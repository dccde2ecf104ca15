"""Finds snmp_exporter and its generator, which PromSNMP is compared with, and fetches them once where they are not.

    python scripts/exporter.py           print the path of snmp_exporter
    python scripts/exporter.py generator print the path of its generator

They are Debian trixie's, whose package also runs on bookworm: it is downloaded by apt (checked by its keys, without
root, without touching what is installed) and unpacked into ``~/.cache/promsnmp``. ``SNMP_EXPORTER`` and
``SNMP_GENERATOR`` name others.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXPORTER = "prometheus-snmp-exporter"
GENERATOR = "prometheus-snmp-generator"
PACKAGE = EXPORTER
SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
OLDEST = (0, 23)
"""Before this version snmp.yml had another form."""
_NAMED_BY = {EXPORTER: "SNMP_EXPORTER", GENERATOR: "SNMP_GENERATOR"}
_FETCH_SECONDS = 300


class Unavailable(Exception):
    """There is no such program here, and why."""


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
    return str(_fetched() / "usr" / "bin" / name)


def version(program: str) -> tuple[int, ...]:
    """The first two numbers of the version of an snmp_exporter; (0, 0) when it does not tell."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    told = re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr)
    return tuple(map(int, told.groups())) if told else (0, 0)


def cache() -> Path:
    """Where they are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promsnmp"


def _fetched() -> Path:
    """The package unpacked; several processes that want it wait for one. Raises Unavailable."""
    folder = cache() / f"{PACKAGE}-{SUITE}"
    if folder.is_dir():
        return folder
    if not shutil.which("apt-get") or not Path(KEYS).exists():
        raise Unavailable("snmp_exporter is not here and there is no apt of Debian to fetch it with: set SNMP_EXPORTER")
    try:
        cache().mkdir(parents=True, exist_ok=True)
        with (cache() / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _fetch(folder)
    except OSError as error:
        raise Unavailable(f"snmp_exporter cannot be kept in {cache()}: {error}") from None
    return folder


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache()) as name:
        scratch = Path(name)
        for part in ("lists/partial", "cache/archives/partial", "parts", "unpacked"):
            (scratch / part).mkdir(parents=True)
        (scratch / "parts" / "debian.sources").write_text(
            f"Types: deb\nURIs: {_mirror()}\nSuites: {SUITE}\nComponents: main\nSigned-By: {KEYS}\n"
        )
        apt = ["apt-get", "-qq", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={scratch}/parts"]
        apt += ["-o", f"Dir::State::Lists={scratch}/lists", "-o", f"Dir::Cache={scratch}/cache"]
        _run([*apt, "update"], scratch)
        _run([*apt, "download", PACKAGE], scratch)
        for package in scratch.glob("*.deb"):
            _run(["dpkg-deb", "-x", str(package), str(scratch / "unpacked")], scratch)
        (scratch / "unpacked").rename(folder)


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"snmp_exporter cannot be fetched: {command[0]} takes too long") from None
    if done.returncode:
        raise Unavailable(f"snmp_exporter cannot be fetched (set SNMP_EXPORTER): {done.stderr.strip()[-300:]}")


def _mirror() -> str:
    """The mirror that this machine has its Debian from."""
    for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        if path.is_file():
            found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?) *(https?://\S+/debian)/?\s", path.read_text(), re.MULTILINE)
            if found:
                return found[1]
    return MIRROR


if __name__ == "__main__":
    try:
        print(find(GENERATOR if sys.argv[1:] == ["generator"] else EXPORTER))
    except Unavailable as reason:
        sys.exit(f"{reason}. Tests that compare with it are skipped.")
