"""``promsnmp assets``: what comes with PromSNMP for other programs: dashboards, alerts, manifests, units, modules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from promsnmp.cli.output.text import counted
from promsnmp.errors import PromSnmpError

MODULES = "modules"
NO_ASSETS = frozenset({"__pycache__", "image"})
"""Folders of ``deploy/`` that are of use in the project only."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def assets() -> None:
    """Copy what comes with PromSNMP for other programs.

    \b
    Example:
      promsnmp assets export ~/promsnmp-assets
    """


@assets.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Replace files that differ.")
def export(folder: Path, force: bool) -> None:
    """Write dashboards, alerts, manifests, the systemd unit, the schema of promsnmp.yml and the modules to FOLDER.

    A file that is there and differs is an error unless --force is given; nothing is written then.

    \b
    Examples:
      promsnmp assets export /srv/promsnmp
      promsnmp assets export --force /srv/promsnmp
    \b
    Exit codes: 0 done, 1 a file differs or cannot be written, 2 wrong arguments.
    """
    content = dict(_assets())
    differing = [name for name, data in content.items() if _differs(folder / name, data)]
    if differing and not force:
        some = ", ".join(differing[:3]) + (", ..." if len(differing) > 3 else "")
        raise PromSnmpError(f"{counted(len(differing), 'file')} in {folder} differ: {some}; --force replaces them")
    try:
        for name, data in content.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise PromSnmpError(f"cannot write {error.filename or folder}: {error.strerror or error}") from None
    click.echo(f"{counted(len(content), 'file')} in {folder}")


def _differs(path: Path, data: bytes) -> bool:
    try:
        return path.exists() and path.read_bytes() != data
    except OSError:
        return True


def _assets() -> Iterator[tuple[str, bytes]]:
    """Names and content of all files. Raises PromSnmpError when they have not been installed."""
    yield from _walk(_deploy(), "")
    for file in files("promsnmp.modules").joinpath("builtin").iterdir():
        if file.name.endswith(".yml"):
            yield f"{MODULES}/{file.name}", file.read_bytes()


def _deploy() -> Traversable:
    """``deploy/`` of the project: in an installed package ``assets``, else beside the source."""
    installed = files("promsnmp").joinpath("assets")
    if installed.is_dir():
        return installed
    source = Path(__file__).resolve().parents[4] / "deploy"
    if source.is_dir():
        return source
    raise PromSnmpError("this installation has no assets; install PromSNMP from its wheel or its source archive")


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name in NO_ASSETS:
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
