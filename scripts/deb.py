"""Builds the Debian package of PromSNMP: ``make deb``, which writes ``dist/promsnmp_VERSION_ARCHITECTURE.deb``.

    python -m scripts.deb [--python /usr/bin/python3] [--output dist]

The package has a virtual environment of its own in /usr/lib/promsnmp, with exactly the versions of
requirements/image.txt (by hash), for one version of Debian's Python, on which it depends. Nothing is fetched when it is
installed. It is assembled with dpkg-deb: what dh-virtualenv would do, without a chain of tools.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from promsnmp import __version__
from promsnmp.settings.reading.schema import commented_file
from promsnmp.settings.settings import GROUPS

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "usr/lib/promsnmp"
"""Folder of the virtual environment in the package."""
CONFIG = "etc/promsnmp/promsnmp.yml"
DEFAULTS = "etc/default/promsnmp"
INVENTORY = "/var/lib/promsnmp/inventory.json"
MAINTAINER = "PromSNMP maintainers <promsnmp@users.noreply.github.com>"

POSTINST = """\
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if [ "$1" = configure ] && [ -n "$2" ]; then
        systemctl try-restart promsnmp.service
    fi
fi
if [ "$1" = configure ] && [ -z "$2" ]; then
    echo "PromSNMP is installed. Look at /etc/promsnmp/promsnmp.yml, then: systemctl enable --now promsnmp"
    echo "The inventory and its key will be in /var/lib/promsnmp: back up both."
fi
"""
PRERM = """\
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now promsnmp.service promsnmp.socket || true
fi
"""
POSTRM = """\
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
if [ "$1" = purge ]; then
    echo "The inventory and its key stay in /var/lib/promsnmp; remove them yourself if nobody needs them."
fi
"""
LAUNCHER = f"""\
#!/bin/sh
exec /{PREFIX}/bin/python -m promsnmp "$@"
"""
DEFAULTS_TEXT = """\
# Environment variables of the service promsnmp; they override /etc/promsnmp/promsnmp.yml.
# COLLECTION_INTERVAL=30s
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: PromSNMP

Files: *
Copyright: the authors of PromSNMP
License: Apache-2.0
 On Debian systems, the text of the license is in /usr/share/common-licenses/Apache-2.0.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What the package is for."""

    architecture: str
    """As dpkg calls it: amd64, arm64; ``all`` without compiled files."""
    python: tuple[int, int]
    """The version of Debian's Python."""
    version: str = __version__

    @property
    def name(self) -> str:
        return f"promsnmp_{self.version}_{self.architecture}.deb"

    def control(self, installed_kib: int) -> str:
        """The control file (deb-control(5))."""
        major, minor = self.python
        return (
            "Package: promsnmp\n"
            f"Version: {self.version}\n"
            f"Architecture: {self.architecture}\n"
            f"Maintainer: {MAINTAINER}\n"
            f"Installed-Size: {installed_kib}\n"
            f"Depends: python3 (>= {major}.{minor}), python3 (<< {major}.{minor + 1}), libstdc++6, zlib1g\n"
            "Suggests: prometheus, prometheus-alertmanager\n"
            "Section: net\n"
            "Priority: optional\n"
            "Homepage: https://github.com/pbrane/promsnmp\n"
            "Description: polls network devices over SNMP for Prometheus\n"
            " PromSNMP knows the devices of a network, polls each of them once per interval in\n"
            " the background, and serves what it read to Prometheus, which finds the devices\n"
            " by HTTP service discovery.\n"
        )


def add_files(root: Path) -> None:
    """Writes everything besides the virtual environment below ``root``: configuration, units, launcher."""
    settings = {"inventory": {"prom_inv_file": INVENTORY}}
    _write(root / CONFIG, commented_file(GROUPS, settings), 0o600)
    _write(root / DEFAULTS, DEFAULTS_TEXT, 0o600)
    _write(root / "usr/bin/promsnmp", LAUNCHER, 0o755)
    _write(root / "usr/share/doc/promsnmp/copyright", COPYRIGHT)
    units, examples = ROOT / "deploy" / "systemd", root / "usr/share/doc/promsnmp/examples"
    for unit in sorted(units.iterdir()):
        place = examples if unit.suffix == ".conf" else root / "lib/systemd/system"
        _write(place / unit.name, unit.read_text(encoding="utf-8"))


def pack(root: Path, target: Target, output: Path) -> Path:
    """Packs ``root`` as ``target``; returns the package. Everything in it belongs to root."""
    size = sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())
    control = root / "DEBIAN"
    _write(control / "control", target.control(-(-size // 1024)))
    _write(control / "conffiles", f"/{CONFIG}\n/{DEFAULTS}\n")
    for name, text in (("postinst", POSTINST), ("prerm", PRERM), ("postrm", POSTRM)):
        _write(control / name, text, 0o755)
    output.mkdir(parents=True, exist_ok=True)
    package = output / target.name
    command = ["dpkg-deb", "--root-owner-group", "--build", "-Zxz", str(root), str(package)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return package


def make_environment(root: Path, python: str) -> None:
    """Makes the virtual environment below ``root``, with the locked versions and PromSNMP's wheel."""
    environment = root / PREFIX
    subprocess.run([python, "-m", "venv", "--without-pip", str(environment)], check=True)
    uv = [
        str(Path(sys.executable).with_name("uv")),
        "pip",
        "install",
        "-q",
        "--python",
        str(environment / "bin/python"),
    ]
    locked = ["--no-build", "--require-hashes", "-r", str(ROOT / "requirements" / "image.txt")]
    subprocess.run([*uv, *locked], check=True)
    subprocess.run([*uv, "--no-deps", str(ROOT)], check=True)
    for script in (environment / "bin").iterdir():
        if not script.name.startswith("python"):
            script.unlink()  # their first line names this folder; /usr/bin/promsnmp is the only one that is needed
    for note in environment.rglob("direct_url.json"):
        note.unlink()
    settings = environment / "pyvenv.cfg"
    lines = settings.read_text(encoding="utf-8").splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("command")), encoding="utf-8")
    compiled = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    subprocess.run([python, *compiled, str(environment / "lib")], check=True)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _answer(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.deb", description=__doc__)
    parser.add_argument("--python", default="/usr/bin/python3", help="Debian's Python, for which the package is")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    if shutil.which("dpkg-deb") is None or shutil.which(options.python) is None:
        print(f"make deb needs Debian's dpkg-deb and {options.python}", file=sys.stderr)
        return 1
    major, minor = _answer(options.python, "-c", "import sys; print(*sys.version_info[:2])").split()
    target = Target(_answer("dpkg", "--print-architecture"), (int(major), int(minor)))
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="promsnmp-deb-") as folder:
        root = Path(folder) / "root"
        root.mkdir(mode=0o755)
        make_environment(root, options.python)
        add_files(root)
        print(pack(root, target, options.output))
    return 0


if __name__ == "__main__":
    sys.exit(main())
