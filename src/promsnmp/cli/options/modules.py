"""The options ``--module`` and ``--config.file``, which several commands take."""

from __future__ import annotations

from collections.abc import Iterable

import click

modules_option = click.option(
    "-m",
    "--module",
    "modules",
    multiple=True,
    metavar="NAME",
    help="Module to poll with; repeatable.  [default: those that suit the device]",
)
files_option = click.option(
    "--config.file", "files", multiple=True, metavar="FILE", help="File with modules and auths (snmp.yml); repeatable."
)


def module_names(values: Iterable[str]) -> list[str]:
    """The names in the values of ``--module``: repeated, comma separated, or both."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]
