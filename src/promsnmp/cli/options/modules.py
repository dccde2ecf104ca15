"""The options ``--module`` and ``--config.file``, which several commands take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from promsnmp.modules.catalogue import Catalogue
    from promsnmp.settings import Settings

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


def load_files(files: Sequence[str]) -> Catalogue:
    """The built-in catalogue with these files, read as the service reads them. Raises ModuleError, SettingsError."""
    from promsnmp.modules.catalogue import load_catalogue
    from promsnmp.modules.snmp_yml.read_options import read_options
    from promsnmp.settings import load_settings

    return load_catalogue(files, options=read_options(load_settings()))


def module_names(values: Iterable[str]) -> list[str]:
    """The names in the values of ``--module``: repeated, comma separated, or both."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def known_modules(settings: Settings) -> Collection[str]:
    """The names of the modules that a service with these settings loads. Raises ModuleError, SettingsError."""
    from promsnmp.modules.catalogue import load_catalogue
    from promsnmp.modules.snmp_yml.read_options import read_options

    return load_catalogue(settings.config_patterns, options=read_options(settings)).modules
