"""Options that several commands take."""

from __future__ import annotations

import click

modules_option = click.option(
    "-m",
    "--module",
    "modules",
    multiple=True,
    metavar="NAME",
    help="May be repeated.  [default: what suits the device]",
)
files_option = click.option(
    "--config.file", "files", multiple=True, metavar="FILE", help="Modules and auths (snmp.yml); repeatable."
)
