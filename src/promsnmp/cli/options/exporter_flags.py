"""The flags of snmp_exporter, so that ``promsnmp serve`` can take its place in a unit file.

Each that means something here is a setting under another name. Those that cannot be obeyed are refused with what to do
instead: a service that ignores what it was told is worse than one that does not start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from promsnmp.settings.parsing import listen_address

_F = TypeVar("_F", bound=Callable[..., Any])


def _switch(name: str, field: str, text: str) -> Callable[[_F], _F]:
    return click.option(f"--{name}/--no-{name}", field, default=None, help=text)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--web.listen-address",
        "listen",
        multiple=True,
        metavar="[ADDRESS]:PORT",
        help="Where to listen; may be repeated. Default: SERVER_ADDRESS, SERVER_PORT.",
    ),
    click.option("--web.telemetry-path", "metrics_path", metavar="/metrics", help="Can only be /metrics."),
    click.option("--web.systemd-socket", "systemd", is_flag=True, hidden=True),
    _switch("snmp.wrap-large-counters", "snmp_wrap_large_counters", "Default: SNMP_WRAP_LARGE_COUNTERS, on."),
    click.option("--snmp.source-address", "source", metavar="ADDRESS[:0]", help="Default: SNMP_SOURCE_ADDRESS."),
    click.option("--snmp.module-concurrency", "at_once", type=int, metavar="N", help="Taken, and without effect."),
    click.option("--snmp.debug-packets", "packets", is_flag=True, hidden=True),
    _switch("config.expand-environment-variables", "snmp_expand_environment", "Default: SNMP_EXPAND_ENVIRONMENT, on."),
    click.option(
        "--log.level",
        "log_level",
        type=click.Choice(["debug", "info", "warn", "error"], case_sensitive=False),
        help="Default: LOG_LEVEL, info.",
    ),
    click.option(
        "--log.format",
        "log_format",
        type=click.Choice(["logfmt", "json"]),
        help="Default: LOG_FORMAT, text.",
    ),
    click.option("--dry-run", is_flag=True, help="Only say whether settings and files are right."),
)


def exporter_flags(command: _F) -> _F:
    """Adds the options to a command, which takes them as ``**flags``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_from_flags(flags: Mapping[str, Any]) -> dict[str, object]:
    """The settings that the flags stand for. Raises click.UsageError for what cannot be obeyed."""
    if flags["metrics_path"] not in (None, "/metrics"):
        raise click.UsageError("--web.telemetry-path can only be /metrics: PromSNMP's own metrics are there")
    if flags["systemd"]:
        raise click.UsageError("--web.systemd-socket: PromSNMP opens its sockets itself; use --web.listen-address")
    if flags["packets"]:
        raise click.UsageError("--snmp.debug-packets: 'promsnmp explain TARGET' tells what is asked and answered")
    found: dict[str, object] = {name: flags[name] for name in _SAME if flags[name] is not None}
    if flags["log_level"]:
        found["log_level"] = "warning" if flags["log_level"] == "warn" else flags["log_level"]
    if flags["log_format"]:
        found["log_format"] = "text" if flags["log_format"] == "logfmt" else "json"
    if flags["source"]:
        found["snmp_source_address"] = _source(flags["source"])
    return {**found, **_listen(flags["listen"])}


_SAME = ("snmp_wrap_large_counters", "snmp_expand_environment")


def _source(text: str) -> str:
    """The address of ``address``, ``address:`` or ``address:0``."""
    if text.count(":") > 1 and "[" not in text:  # IPv6 without a port
        return text
    address, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    if port not in ("", "0"):
        raise click.UsageError(f"--snmp.source-address={text}: many devices are asked at once, so the port must be 0")
    return address.strip("[]")


def _listen(places: tuple[str, ...]) -> dict[str, object]:
    if not places:
        return {}
    try:
        (address, port), *_ = [listen_address(one) for one in places]
    except ValueError as error:
        raise click.UsageError(f"--web.listen-address: {error}") from None
    return {"server_address": address, "server_port": port, "server_more_addresses": ",".join(places[1:])}
