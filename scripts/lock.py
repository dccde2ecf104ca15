"""Writes requirements/: exact versions with hashes of everything that the image, CI and `make fuzz` install.

    python -m scripts.lock             new or removed requirements of pyproject.toml; other versions stay
    python -m scripts.lock --upgrade   the newest versions

``uv pip compile`` resolves for every supported Python and platform at once.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
COMMAND = "make lock"
LOCKS: dict[str, tuple[str, ...]] = {
    "dev": ("pyproject.toml", "--extra", "dev"),
    "image": ("pyproject.toml", "--extra", "redis", "--extra", "dns", "--extra", "netbox", "--extra", "nautobot"),
    "build": ("-",),
    "docs": ("--group", "pyproject.toml:docs"),
    "fuzz": ("-",),
    "uv": ("-",),
}
"""What each file is made of; ``-``: of ``typed``. All agree with ``dev``."""


def typed(name: str) -> str:
    """Requirements that are no extra of their own."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    texts = {"uv": ["uv"], "build": [*extras["compile"], *extras["sbom"]], "fuzz": extras["fuzz"]}
    return "\n".join(texts.get(name, []))


def main(words: list[str]) -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, sources in LOCKS.items():
        target = FOLDER / f"{name}.txt"
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--quiet"]
        options += ["--no-annotate", "--custom-compile-command", COMMAND, "--output-file", str(target), *words]
        if name != "dev":
            options += ["--constraint", str(FOLDER / "dev.txt")]
        subprocess.run(["uv", "pip", "compile", *options, *sources], input=typed(name), text=True, cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
