"""Roots for ``make bare``: Debian systems with make, a Python and nothing else, each in a folder for one run.

mmdebstrap makes each once a week; it is kept as an archive and unpacked for every run, so no run finds what another one
left. A command runs in it as in a machine of its own: with its own processes and mounts, and the host's network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.bare import registries
from scripts.programs import debian_packages, listed

PROJECT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promsnmp-tests" / "bare"
WEEK = 7 * 86_400.0
PACKAGES = ("make", "python3", "python3-venv", "ca-certificates")
"""What has to be there before the first command of the README; the certificates are for the registries."""
STRANGERS = ("python3", "ca-certificates", "sudo", "procps", "iproute2")
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USER = "someone"
UID = 1000


@dataclass(frozen=True, slots=True)
class Root:
    """A distribution, and the ``commands`` that are run in it.

    As ``ordinary`` user with the Debian packages of the tests already there, or as root without. The ``stranger`` has
    what an installed Debian has: sudo, and no make.
    """

    name: str
    suite: str
    ordinary: bool = False
    stranger: bool = False
    commands: tuple[str, ...] = ("demo", "test")

    @property
    def uid(self) -> int:
        return UID if self.ordinary or self.stranger else 0

    @property
    def home(self) -> str:
        return f"/home/{USER}" if self.uid else "/root"

    @property
    def packages(self) -> tuple[str, ...]:
        if self.stranger:
            return STRANGERS
        return (*PACKAGES, *listed.packages("test"), "python3-dev") if self.ordinary else PACKAGES


ROOTS = (
    Root("debian12", "bookworm"),
    Root("debian13", "trixie"),
    Root("sid", "sid"),
    Root("debian12-user", "bookworm", ordinary=True),
    Root("debian12-stranger", "bookworm", stranger=True, commands=("tutorial",)),
)


def archive(root: Root) -> Path:
    """The root as a tar archive that is not a week old. Raises subprocess.CalledProcessError."""
    settings = registries.apt_settings()
    key = hashlib.sha256(
        "\n".join((root.suite, *root.packages, debian_packages.mirror(), settings)).encode()
    ).hexdigest()[:12]
    kept = CACHE / f"{root.name}-{key}.tar"
    if kept.exists() and time.time() - kept.stat().st_mtime < WEEK:
        return kept
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{root.name}-????????????.tar"):
        old.unlink()
    options = CACHE / f"{root.name}.apt.conf"
    options.write_text(settings or "# none\n")
    made = CACHE / f"{root.name}-{os.getpid()}.new.tar"
    mirror = () if debian_packages.mirror() == debian_packages.MIRROR else (debian_packages.mirror(),)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(root.packages)}"]
    try:
        subprocess.run([*command, f"--aptopt={options}", root.suite, str(made), *mirror], check=True)
        made.rename(kept)
    finally:
        made.unlink(missing_ok=True)
        options.unlink()
    return kept


@contextlib.contextmanager
def unpacked(root: Root, kept: Path, commit: str) -> Iterator[Path]:
    """The root in a folder, configured, with a clone of ``commit`` in the home of its user; removed afterwards."""
    folder = CACHE / f"{root.name}.{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        subprocess.run(["tar", "-xf", str(kept), "-C", str(folder), "--numeric-owner", "--exclude=./dev/*"], check=True)
        _add_user(folder)
        registries.configure(folder)
        subprocess.run(entered(folder, root, ["update-ca-certificates"], uid=0), check=True, capture_output=True)
        clone(folder / root.home.lstrip("/") / "promsnmp", commit, root.uid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_user(folder: Path) -> None:
    for name, line in (("passwd", f"{USER}:x:{UID}:{UID}::/home/{USER}:/bin/bash"), ("group", f"{USER}:x:{UID}:")):
        with (folder / "etc" / name).open("a") as file:
            file.write(f"{line}\n")
    home = folder / "home" / USER
    home.mkdir(parents=True)
    os.chown(home, UID, UID)


def clone(place: Path, commit: str, uid: int) -> None:
    """``commit`` of this project, and no hint of where it came from."""
    git = ["git", "-c", "advice.detachedHead=false", "-c", "safe.directory=*"]
    subprocess.run([*git, "clone", "--quiet", "--no-hardlinks", "--no-checkout", str(PROJECT), str(place)], check=True)
    subprocess.run([*git, "-C", str(place), "checkout", "--quiet", commit], check=True)
    subprocess.run([*git, "-C", str(place), "remote", "remove", "origin"], check=True)
    for path in (place, *place.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def entered(folder: Path, root: Root, command: Sequence[str], *, uid: int | None = None) -> list[str]:
    """``command`` in the root, as its user in the project's folder; it ends with the process that starts it."""
    inside = folder / "bare-init.py"
    shutil.copy(PROJECT / "scripts" / "bare" / "init.py", inside)
    home = f"{root.home}/promsnmp" if uid is None else "/"
    first = ["python3", "/bare-init.py", str(root.uid if uid is None else uid), home]
    own = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*own, str(PROJECT / "scripts" / "bare" / "enter"), str(folder), *first, *command]


def environment(root: Root) -> dict[str, str]:
    """All that is set in the root. With CI=true a test whose program is missing fails; to root none may be missing."""
    own = {"PATH": SEARCH, "HOME": root.home, "LANG": "C.UTF-8", "TERM": "dumb", "USER": USER if root.uid else "root"}
    return {**own, **({} if root.uid else {"CI": "true"}), **registries.variables()}


def remove_left_over() -> None:
    """Folders of runs that were killed; another run may be at it, too."""
    for folder in CACHE.glob("*.*"):
        if folder.is_dir() and folder.suffix[1:].isdigit() and not Path(f"/proc/{folder.suffix[1:]}").exists():
            shutil.rmtree(folder, ignore_errors=True)
