"""What a command that polls one device was asked for, as the collector takes it.

A device of the inventory is asked as the service asks it: with its credentials, times and modules. Whoever gives
credentials means the address and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from promsnmp.cli.options.credentials import NO_LOGIN
from promsnmp.cli.options.inventory_file import opened
from promsnmp.errors import BadTarget, InventoryError, SettingsError
from promsnmp.inventory.index import Found
from promsnmp.inventory.modules import AUTO, wanted_modules
from promsnmp.modules.catalogue import Catalogue
from promsnmp.polling.target import Source, adhoc_source, device_source
from promsnmp.settings import load_settings
from promsnmp.snmp.credentials import Credentials
from promsnmp.snmp.transport import parse_endpoint

TIMEOUT, RETRIES = 2.0, 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A source, and who named its modules."""

    source: Source
    wish: str


def asked_of(
    target: str, modules: tuple[str, ...], catalogue: Catalogue, *, auth: str | None, credentials: Credentials
) -> Asked:
    """What TARGET, --module (repeated or comma separated) and --auth, which wins over other credentials, ask for.

    Without modules they are the device's as the inventory has them, or those that suit it. Raises click.UsageError for
    a target that is none, ModuleError for an unknown auth.
    """
    names = tuple(dict.fromkeys(name for one in modules for name in one.split(",") if name))
    found = in_inventory(target) if auth is None and credentials is NO_LOGIN else None
    if found is not None and found.agent is not None:
        own, wish = _own(found)
        source = device_source(found.device, found.agent, names or own)
        return Asked(source, "asked for by -m" if names else wish)
    try:
        endpoint = parse_endpoint(target)
    except BadTarget as error:
        raise click.UsageError(str(error)) from None
    login = catalogue.auth(auth) if auth else credentials
    return Asked(adhoc_source(endpoint, login, auth or "options", names or (AUTO,)), "asked for by -m")


def in_inventory(target: str) -> Found | None:
    """The device that ``target`` names in the inventory of this machine, told on the standard error.

    None where there is no inventory, it has no such device, or it cannot be read, which is told too.
    """
    try:
        found = opened(load_settings()).find(target)
    except (InventoryError, SettingsError) as error:
        click.echo(f"promsnmp: the inventory is left out: {error}", err=True)
        return None
    if found is not None and found.agent is not None:
        name = found.device.sys_name or found.device.id
        click.echo(f"{name} of the inventory, asked at {found.agent.endpoint}", err=True)
    return found


def _own(found: Found) -> tuple[tuple[str, ...], str]:
    """The modules of a device, and where they stand."""
    settings = load_settings()
    wish = "named by the device's modules in the inventory" if found.device.modules else "named by COLLECTION_MODULES"
    return wanted_modules(found.device, settings.modules), wish


def patient(source: Source, *, timeout: float | None, retries: int | None) -> Source:
    """``source`` with other times (seconds per packet, and repetitions of it) where they are given or it has none."""
    times = [one for one in (timeout, source.timeout, TIMEOUT) if one is not None]
    counts = [one for one in (retries, source.retries, RETRIES) if one is not None]
    return replace(source, timeout=times[0], retries=counts[0])
