"""What a command that polls one device was asked for, as the collector takes it.

A device of the inventory is asked as the service asks it: with its credentials, times and modules. Whoever gives
credentials means the address and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from promsnmp.cli.options.credentials import DEFAULT_CREDENTIALS
from promsnmp.cli.options.inventory_file import open_inventory
from promsnmp.cli.options.modules import module_names
from promsnmp.errors import BadTarget, InventoryError, SettingsError
from promsnmp.inventory.index import TargetMatch
from promsnmp.inventory.modules import AUTO, requested_modules
from promsnmp.modules.catalogue import Catalogue
from promsnmp.polling.target import Target, adhoc_target, device_target
from promsnmp.settings import load_settings
from promsnmp.snmp.credentials import Credentials
from promsnmp.snmp.transport import parse_endpoint

TIMEOUT, RETRIES = 2.0, 2


@dataclass(frozen=True, slots=True)
class PollRequest:
    """A source, and who named its modules."""

    target: Target
    chosen_by: str


def make_poll_request(
    target: str, modules: tuple[str, ...], catalogue: Catalogue, *, auth: str | None, credentials: Credentials
) -> PollRequest:
    """What TARGET, --module (repeated or comma separated) and --auth, which wins over other credentials, ask for.

    Without modules they are the device's as the inventory has them, or those that suit it. Raises click.UsageError for
    a target that is none, ModuleError for an unknown auth.
    """
    names = tuple(dict.fromkeys(module_names(modules)))
    found = find_in_inventory(target) if auth is None and credentials is DEFAULT_CREDENTIALS else None
    if found is not None and found.agent is not None:
        own, chosen_by = _inventory_modules(found)
        poll_target = device_target(found.device, found.agent, names or own)
        return PollRequest(poll_target, "asked for by -m" if names else chosen_by)
    try:
        endpoint = parse_endpoint(target)
    except BadTarget as error:
        raise click.UsageError(str(error)) from None
    login = catalogue.auth(auth) if auth else credentials
    return PollRequest(adhoc_target(endpoint, login, auth or "options", names or (AUTO,)), "asked for by -m")


def find_in_inventory(target: str) -> TargetMatch | None:
    """The device that ``target`` names in the inventory of this machine, told on the standard error.

    None where there is no inventory, it has no such device, or it cannot be read, which is told too.
    """
    try:
        found = open_inventory(load_settings()).find(target)
    except (InventoryError, SettingsError) as error:
        click.echo(f"promsnmp: the inventory is left out: {error}", err=True)
        return None
    if found is not None and found.agent is not None:
        name = found.device.sys_name or found.device.id
        click.echo(f"{name} of the inventory, asked at {found.agent.endpoint}", err=True)
    return found


def _inventory_modules(found: TargetMatch) -> tuple[tuple[str, ...], str]:
    """The modules of a device, and where they stand."""
    settings = load_settings()
    chosen_by = (
        "named by the device's modules in the inventory" if found.device.modules else "named by COLLECTION_MODULES"
    )
    return requested_modules(found.device, settings.modules), chosen_by


def with_timing(poll_target: Target, *, timeout: float | None, retries: int | None) -> Target:
    """``poll_target`` with other times (seconds per packet) and repetitions where they are given or it has none."""
    times = [one for one in (timeout, poll_target.timeout, TIMEOUT) if one is not None]
    counts = [one for one in (retries, poll_target.retries, RETRIES) if one is not None]
    return replace(poll_target, timeout=times[0], retries=counts[0])
