"""Builds the image with podman, from a base that the tests make: they need no image registry.

The base is Debian's minimal system with Python and a compiler. mmdebstrap makes it once a week and keeps it in the
user's cache, with podman's storage. It has this machine's CA certificates, so that pip works there as it does here.
"""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.tools import PROJECT, require_tool, unavailable

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promsnmp-tests"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
IMAGE = "localhost/promsnmp:test"
PACKAGES = "python3,python3-venv,python3-dev,gcc,libc6-dev,binutils,ca-certificates,tzdata,busybox,curl"
SUITE = "bookworm"
BASE = f"localhost/promsnmp-base:{SUITE}"
COMPILER = Path("/usr/local/bin/quick-cc")
"""The C compiler of the base: without optimisation, which takes two thirds of the time."""
WEEK = 7 * 86_400.0


def podman(*words: str | Path, timeout: float = 600, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a podman command with a storage of our own."""
    program = require_tool("podman", package="podman")
    runtime = require_tool("runc", package="runc")
    storage = ["--root", str(CACHE / "storage"), "--runroot", str(CACHE / "run")]
    storage += ["--storage-opt", "overlay.skip_mount_home=true"]  # leaves no mount behind
    command = [program, *storage, "--runtime", runtime, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=PROJECT)
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done


@contextmanager
def alone() -> Iterator[None]:
    """A lock for one process at a time, because several test runs share the storage."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_base() -> None:
    """Makes the image BASE, unless it exists with these packages and is younger than a week."""
    mark = CACHE / "base-made"
    fresh = mark.exists() and mark.read_text() == PACKAGES and time.time() - mark.stat().st_mtime < WEEK
    if fresh and podman("image", "exists", BASE, check=False).returncode == 0:
        return
    bootstrap = require_tool("mmdebstrap", package="mmdebstrap")
    archive = CACHE / "base.tar"
    compiler = CACHE / COMPILER.name
    compiler.write_text('#!/bin/sh\nexec gcc "$@" -O0\n')
    compiler.chmod(0o755)
    copied = f"--customize-hook=copy-in {compiler} {COMPILER.parent}"
    options = ["--variant=minbase", f"--include={PACKAGES}", copied, "--quiet"]
    command = [bootstrap, *options, SUITE, str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        unavailable(f"cannot make a base of Debian's packages: {done.stderr[-500:]}")
    done = podman("import", "--quiet", "--change", f"ENV CC={COMPILER}", archive, BASE, check=False)
    archive.unlink()
    if done.returncode != 0:
        unavailable(f"podman cannot store images here: {done.stderr[-500:]}")
    tried = podman("run", "--rm", *hardened(env={}), BASE, "true", check=False)
    if tried.returncode != 0:
        unavailable(f"podman cannot run containers here: {tried.stderr[-500:]}")
    mark.write_text(PACKAGES)


def build(*words: str, tag: str = IMAGE) -> str:
    """Builds deploy/image/Containerfile on our base; returns the output."""
    packages = CACHE / "pip"
    packages.mkdir(exist_ok=True)
    volumes = ("--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro", "--volume", f"{packages}:/root/.cache/pip")
    arguments = ("--build-arg", f"PYTHON_IMAGE={BASE}", "--isolation", "chroot", "--network", "host", *limits())
    file = ("--file", "deploy/image/Containerfile", "--format", "docker", "--pull=never", "--layers")
    done = podman("build", *file, *arguments, *volumes, *words, "--tag", tag, ".")
    podman("image", "prune", "--force", "--filter", "until=48h")  # layers of old builds
    return done.stdout + done.stderr


def hardened(*, env: Mapping[str, str], volumes: Sequence[str] = (), network: str = "host") -> list[str]:
    """Options of ``podman run`` that match the Deployment's container."""
    options = [
        "--pull=never",
        "--no-healthcheck",
        "--network",
        network,
        "--read-only",
        "--read-only-tmpfs=false",
        "--cap-drop",
        "all",
    ]
    options += ["--security-opt", "no-new-privileges", "--user", "10001:10001", *limits()]
    options += [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
    return options + [word for volume in volumes for word in ("--volume", volume)]


LIMIT = 16_384
"""Open files and processes of a container: below the defaults of every podman, since raising a limit is forbidden."""


def limits() -> list[str]:
    """Limits as options: those of podman 5 (1,048,576 files and processes) are above those of this process where the
    tests run in a container, and raising a limit is forbidden there."""
    kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    hard = {name: resource.getrlimit(kind)[1] for name, kind in kinds.items()}
    lowered = {name: LIMIT if most == resource.RLIM_INFINITY else min(most, LIMIT) for name, most in hard.items()}
    return [word for name, most in lowered.items() for word in ("--ulimit", f"{name}={most}:{most}")]
