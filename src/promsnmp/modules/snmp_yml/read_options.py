"""The settings by which files in the form of snmp.yml are read, the same for the service and for all commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from promsnmp.settings.snmp import SnmpSettings


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are read."""

    environment: Mapping[str, str] | None = None
    """The variables that auths name; None: ``$`` stays as written."""
    ignore_unknown_keys: bool = False
    """Whether an unknown key is a warning and not an error."""


STRICT = ReadOptions()


def read_options(settings: SnmpSettings) -> ReadOptions:
    """The options of the operator's files."""
    environment = os.environ if settings.snmp_expand_environment else None
    return ReadOptions(environment, ignore_unknown_keys=settings.snmp_config_unknown_keys == "warn")
