"""Turns TARGET and the options of a command that polls one device into a target for the collector.

A device of the inventory is polled as the service polls it: with its credentials, timeouts and modules. With
credentials on the command line, TARGET is an address and the inventory is not used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from promsnmp.cli.options.credentials import DEFAULT_CREDENTIALS
from promsnmp.cli.options.inventory_file import open_inventory
from promsnmp.cli.options.modules import module_names
from promsnmp.errors import BadTarget, InventoryError, SettingsError
from promsnmp.inventory.index import TargetMatch
from promsnmp.inventory.modules import AUTO, requested_modules, with_health
from promsnmp.modules.catalogue import Catalogue
from promsnmp.polling.options import CollectorOptions, with_limits
from promsnmp.polling.target import Target, adhoc_target, device_target
from promsnmp.settings import load_settings
from promsnmp.snmp.credentials import Credentials
from promsnmp.snmp.transport import parse_endpoint

TIMEOUT, RETRIES = 2.0, 2


@dataclass(frozen=True, slots=True)
class PollRequest:
    """A target, and where its modules come from."""

    target: Target
    chosen_by: str


def make_poll_request(
    target: str, modules: tuple[str, ...], catalogue: Catalogue, *, auth: str | None, credentials: Credentials
) -> PollRequest:
    """The target of TARGET, --module (repeated or comma separated) and --auth, which wins over other credentials.

    Without --module the modules are those of the device in the inventory, or those that suit it. Raises
    click.UsageError for an invalid target, ModuleError for an unknown auth.
    """
    names = tuple(dict.fromkeys(module_names(modules)))
    found = find_in_inventory(target) if auth is None and credentials is DEFAULT_CREDENTIALS else None
    if found is not None and found.agent is not None:
        own, chosen_by = _inventory_modules(found)
        health = load_settings().health_metrics and with_health(names or None, own)
        poll_target = device_target(found.device, found.agent, names or own, health=health)
        return PollRequest(poll_target, "requested with -m" if names else chosen_by)
    try:
        endpoint = parse_endpoint(target)
    except BadTarget as error:
        raise click.UsageError(str(error)) from None
    chosen = catalogue.auth(auth) if auth else credentials
    chosen_modules = names or (AUTO,)
    poll_target = adhoc_target(endpoint, chosen, auth or "options", chosen_modules, health=AUTO in chosen_modules)
    return PollRequest(poll_target, "requested with -m")


def poll_options() -> CollectorOptions:
    """Options of the poll of a command: with the limits of the service's settings, if they can be read."""
    options = CollectorOptions(utilization=False, deadline_setting="--deadline")
    try:
        return with_limits(options, load_settings())
    except SettingsError as error:
        click.echo(f"promsnmp: ignoring the settings: {error}", err=True)
        return options


def find_in_inventory(target: str) -> TargetMatch | None:
    """The device that ``target`` names in the inventory of this machine; reported on the standard error.

    None when there is no inventory, it has no such device, or it cannot be read, which is reported too.
    """
    try:
        found = open_inventory(load_settings()).find(target)
    except (InventoryError, SettingsError) as error:
        click.echo(f"promsnmp: ignoring the inventory: {error}", err=True)
        return None
    if found is not None and found.agent is not None:
        name = found.device.sys_name or found.device.id
        click.echo(f"using the inventory: {name} at {found.agent.endpoint}", err=True)
    return found


def _inventory_modules(found: TargetMatch) -> tuple[tuple[str, ...], str]:
    """The modules of a device, and where they come from."""
    settings = load_settings()
    chosen_by = "set by the device's modules in the inventory" if found.device.modules else "set by COLLECTION_MODULES"
    return requested_modules(found.device, settings.modules), chosen_by


def with_timing(poll_target: Target, *, timeout: float | None, retries: int | None) -> Target:
    """``poll_target`` with the given timeout (seconds per packet) and retries; defaults fill in what it lacks."""
    times = [one for one in (timeout, poll_target.timeout, TIMEOUT) if one is not None]
    counts = [one for one in (retries, poll_target.retries, RETRIES) if one is not None]
    return replace(poll_target, timeout=times[0], retries=counts[0])
