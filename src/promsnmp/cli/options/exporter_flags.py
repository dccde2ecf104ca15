"""The flags of snmp_exporter, so that ``promsnmp serve`` can replace it in a unit file.

A flag that has a meaning here sets the setting of another name. A flag that PromSNMP cannot follow is refused with what
to do instead: a service that ignores a flag is worse than one that does not start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from promsnmp.settings.reading.parsing import listen_address

_F = TypeVar("_F", bound=Callable[..., Any])


def _switch(name: str, field: str, text: str) -> Callable[[_F], _F]:
    return click.option(f"--{name}/--no-{name}", field, default=None, help=text)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--web.listen-address",
        "listen",
        multiple=True,
        metavar="[ADDRESS]:PORT",
        help="Address and port to listen on; repeatable.  [default: SERVER_ADDRESS, SERVER_PORT]",
    ),
    click.option("--web.telemetry-path", "metrics_path", metavar="/metrics", help="Only /metrics is accepted."),
    click.option(
        "--web.systemd-socket",
        "systemd",
        is_flag=True,
        help="Use the sockets that systemd passes.  [default: SERVER_SYSTEMD_SOCKET]",
    ),
    _switch(
        "snmp.wrap-large-counters",
        "snmp_wrap_large_counters",
        "Reduce Counter64 values modulo 2^53.  [default: SNMP_WRAP_LARGE_COUNTERS, else on]",
    ),
    click.option(
        "--snmp.source-address",
        "source",
        metavar="ADDRESS[:0]",
        help="Address to poll from.  [default: SNMP_SOURCE_ADDRESS]",
    ),
    click.option("--snmp.module-concurrency", "at_once", type=int, metavar="N", help="Accepted, has no effect."),
    click.option("--snmp.debug-packets", "packets", is_flag=True, hidden=True),
    _switch(
        "config.expand-environment-variables",
        "snmp_expand_environment",
        "Replace $NAME in v3 auths of snmp.yml.  [default: SNMP_EXPAND_ENVIRONMENT, else off]",
    ),
    click.option(
        "--log.level",
        "log_level",
        type=click.Choice(["debug", "info", "warn", "error"], case_sensitive=False),
        help="Log level.  [default: LOG_LEVEL, else info]",
    ),
    click.option(
        "--log.format",
        "log_format",
        type=click.Choice(["logfmt", "json"]),
        help="Log format.  [default: LOG_FORMAT, else text]",
    ),
    click.option("--dry-run", is_flag=True, help="Check the settings and files, then exit."),
)


def exporter_flags(command: _F) -> _F:
    """Adds the options to a command, which takes them as ``**flags``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_from_flags(flags: Mapping[str, Any]) -> dict[str, object]:
    """The settings that the flags set. Raises click.UsageError for a flag that PromSNMP cannot follow."""
    if flags["metrics_path"] not in (None, "/metrics"):
        raise click.UsageError("--web.telemetry-path must be /metrics, where PromSNMP serves its own metrics")
    if flags["systemd"] and flags["listen"]:
        raise click.UsageError("use either --web.systemd-socket or --web.listen-address")
    if flags["packets"]:
        raise click.UsageError(
            "--snmp.debug-packets is not supported; 'promsnmp explain TARGET' shows requests and responses"
        )
    found: dict[str, object] = {name: flags[name] for name in _SAME if flags[name] is not None}
    if flags["log_level"]:
        found["log_level"] = "warning" if flags["log_level"] == "warn" else flags["log_level"]
    if flags["log_format"]:
        found["log_format"] = "text" if flags["log_format"] == "logfmt" else "json"
    if flags["source"]:
        found["snmp_source_address"] = _source(flags["source"])
    if flags["systemd"]:
        found["server_systemd_socket"] = True
    return {**found, **_listen(flags["listen"])}


_SAME = ("snmp_wrap_large_counters", "snmp_expand_environment")


def _source(text: str) -> str:
    """The address of ``address``, ``address:`` or ``address:0``."""
    if text.count(":") > 1 and "[" not in text:  # IPv6 without a port
        return text
    address, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    if port not in ("", "0"):
        raise click.UsageError(f"--snmp.source-address={text}: many devices are polled at once, so the port must be 0")
    return address.strip("[]")


def _listen(places: tuple[str, ...]) -> dict[str, object]:
    if not places:
        return {}
    try:
        (address, port), *_ = [listen_address(one) for one in places]
    except ValueError as error:
        raise click.UsageError(f"--web.listen-address: {error}") from None
    return {"server_address": address, "server_port": port, "server_more_addresses": ",".join(places[1:])}
