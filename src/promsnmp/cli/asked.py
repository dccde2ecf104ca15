"""What a command that polls one device was asked for, as the collector takes it."""

from __future__ import annotations

import click

from promsnmp.collect.source import Source, adhoc_source
from promsnmp.errors import BadTarget
from promsnmp.modules.catalogue import Catalogue
from promsnmp.snmp.credentials import Credentials
from promsnmp.snmp.transport import parse_endpoint

DEFAULT_MODULES = "system,if_mib"


def asked_source(
    target: str, modules: tuple[str, ...], catalogue: Catalogue, *, auth: str | None, credentials: Credentials
) -> Source:
    """The source of TARGET, --module (repeated or comma separated) and --auth, which wins over other credentials.

    Raises click.UsageError for a target that is none, ModuleError for an unknown auth.
    """
    try:
        endpoint = parse_endpoint(target)
    except BadTarget as error:
        raise click.UsageError(str(error)) from None
    login = catalogue.auth(auth) if auth else credentials
    names = dict.fromkeys(name for one in modules or (DEFAULT_MODULES,) for name in one.split(",") if name)
    return adhoc_source(endpoint, login, auth or "options", tuple(names))
