"""Writes the software bills of materials of the images: ``sbom.py VERSION /opt/promsnmp /rootfs /shell``.

CycloneDX (JSON) with PromSNMP, the Python distributions of its venv, and the Debian packages that files of the image
come from. It is in each image at ``/usr/share/promsnmp/sbom.cdx.json``, for scanners and for people. The default image
consists of both folders, so its bill, in the second one, lists the files of both.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

PLACE = "usr/share/promsnmp/sbom.cdx.json"
LEFT_OUT = ("pip", "setuptools")
"""In the venv, but not in the image (rootfs.py)."""


def main(version: str, venv: Path, root: Path, shell: Path) -> None:
    _write(version, venv, (root,))
    _write(version, venv, (root, shell))


def _write(version: str, venv: Path, roots: tuple[Path, ...]) -> None:
    """The bill of an image of ``roots``, in the last of them."""
    bom = Bom()
    bom.metadata.component = _component("promsnmp", version, "pypi", kind=ComponentType.APPLICATION)
    for component in (*_python(), *_distributions(venv), *_packages(roots)):
        bom.components.add(component)
    target = roots[-1] / PLACE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(JsonV1Dot6(bom).output_as_string(indent=1))
    print(f"{target}: {len(bom.components)} components")


def _component(
    name: str, version: str, kind_of_package: str, *, namespace: str | None = None, kind: ComponentType
) -> Component:
    url = PackageURL(kind_of_package, namespace, name, version)
    return Component(name=name, version=version, type=kind, purl=url, bom_ref=url.to_string())


def _python() -> Iterator[Component]:
    yield _component("python", platform.python_version(), "generic", kind=ComponentType.APPLICATION)


def _distributions(venv: Path) -> Iterator[Component]:
    installed: list[Distribution] = []
    for site in venv.glob("lib/python*/site-packages"):
        installed += distributions(path=[str(site)])
    for distribution in sorted(installed, key=lambda distribution: distribution.name.lower()):
        name = re.sub(r"[-_.]+", "-", distribution.name).lower()  # the normal form (PyPA, name normalization)
        if name not in (*LEFT_OUT, "promsnmp"):
            yield _component(name, distribution.version, "pypi", kind=ComponentType.LIBRARY)


def _packages(roots: tuple[Path, ...]) -> Iterator[Component]:
    """Packages of Debian with a file in the image. dpkg knows a file by its path before or after the /usr merge."""
    files = {
        f"/{file.relative_to(root)}"
        for root in roots
        for file in root.rglob("*")
        if file.is_file() and not file.is_symlink()
    }
    asked = sorted({path for file in files for path in (file, file.removeprefix("/usr"), f"/usr{file}")})
    names: set[str] = set()
    for begin in range(0, len(asked), 1000):
        command = ["dpkg-query", "--search", *asked[begin : begin + 1000]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            owners, _, _ = line.partition(": ")
            names |= {owner.partition(":")[0] for owner in owners.split(", ") if not owner.startswith("diversion ")}
    for name in sorted(names):
        shown = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}\n", name], capture_output=True, text=True, check=True
        )
        version = shown.stdout.splitlines()[0]
        yield _component(name, version, "deb", namespace="debian", kind=ComponentType.LIBRARY)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]))
