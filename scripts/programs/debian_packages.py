"""Fetches packages of Debian, also of another suite than this system's, and unpacks them without installing them.

apt checks them by Debian's keys, without root, and without touching what is installed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from scripts.programs import fetched

MIRROR = "http://deb.debian.org/debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def has_apt() -> bool:
    """Whether this system can."""
    return shutil.which("apt-get") is not None and Path(KEYS).exists()


def unpack(suite: str, packages: Sequence[str], folder: Path, scratch: Path) -> None:
    """Unpacks ``packages`` of a suite into ``folder``. Raises Unavailable."""
    for part in ("lists/partial", "cache/archives/partial", "parts"):
        (scratch / part).mkdir(parents=True)
    (scratch / "parts" / "debian.sources").write_text(
        f"Types: deb\nURIs: {mirror()}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYS}\n"
    )
    apt = ["apt-get", "-qq", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={scratch}/parts"]
    apt += ["-o", f"Dir::State::Lists={scratch}/lists", "-o", f"Dir::Cache={scratch}/cache"]
    what = packages[0]
    fetched.run([*apt, "update"], scratch, what=what)
    fetched.run([*apt, "download", *packages], scratch, what=what)
    for package in scratch.glob("*.deb"):
        fetched.run(["dpkg-deb", "-x", str(package), str(folder)], scratch, what=what)


def mirror() -> str:
    """The mirror that this machine has its Debian from."""
    for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        if path.is_file():
            found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?) *(https?://\S+/debian)/?\s", path.read_text(), re.MULTILINE)
            if found:
                return found[1]
    return MIRROR
