"""``promsnmp serve``: runs the service."""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from promsnmp.cli.options.config_file import config_option
from promsnmp.cli.options.exporter_flags import exporter_flags, settings_from_flags
from promsnmp.cli.output.text import counted

if TYPE_CHECKING:
    from promsnmp.settings import Settings


@click.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="TCP port; 0 takes a free one.  [default: SERVER_PORT, else 8080]"
)
@click.option("--address", help="Address to listen on.  [default: SERVER_ADDRESS, else all]")
@click.option(
    "--config.file",
    "files",
    multiple=True,
    metavar="FILE",
    help="File in the format of snmp.yml; repeatable, * and ? match names.  [default: SNMP_CONFIG_FILES]",
)
@click.option(
    "--web.config.file", "web_file", metavar="FILE", help="File with TLS and users.  [default: WEB_CONFIG_FILE]"
)
@config_option
@exporter_flags
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    *,
    port: int | None,
    address: str | None,
    files: tuple[str, ...],
    web_file: str | None,
    **flags: Any,
) -> None:
    """Run the service: poll the devices of the inventory, answer Prometheus.

    Settings come from the environment and promsnmp.yml (docs/reference/configuration.md); options override them. The
    flags of snmp_exporter are accepted, too. SIGTERM and Ctrl-C stop the service once the requests in flight are
    answered; a second Ctrl-C stops it at once.

    \b
    Examples:
      promsnmp serve
      promsnmp serve --port 0 --address 127.0.0.1
      promsnmp serve --config /etc/promsnmp/promsnmp.yml
      promsnmp serve --config.file snmp.yml --web.config.file web.yml
      COLLECTION_INTERVAL=0 SNMP_ALLOW_ADHOC_TARGETS=true promsnmp serve
    """
    signal.signal(signal.SIGTERM, _leave)  # PID 1 would ignore it until the service handles it
    from promsnmp.app import build
    from promsnmp.observe.logging import configure_logging
    from promsnmp.settings import load_settings
    from promsnmp.settings.settings import misspelt_lines

    if flags["listen"] and (port is not None or address is not None):
        raise click.UsageError("use either --web.listen-address, or --address and --port")
    options = settings_from_flags(flags)
    own = {"server_port": port, "server_address": address, "web_config_file": web_file}
    options |= {name: value for name, value in own.items() if value is not None}
    if files:
        options["snmp_config_files"] = ",".join(files)
    if (ctx.obj or {}).get("verbose"):
        options["log_level"] = "debug"
    settings = load_settings(**options)
    configure_logging(level=settings.log_level, style=settings.log_format)
    if flags["dry_run"]:
        click.echo(check_files(settings))
        return
    for line in misspelt_lines():
        logging.getLogger("promsnmp.settings").warning("%s", line)
    ctx.exit(build(settings).run())


def check_files(settings: Settings) -> str:
    """Checks the files that settings name; says what they hold. Raises ModuleError or SettingsError."""
    from promsnmp.discovery.schedule import read_cron, read_zone
    from promsnmp.http.security.web_config_watcher import WebConfigWatcher
    from promsnmp.modules.catalogue import load_catalogue
    from promsnmp.modules.snmp_yml.read_options import read_options
    from promsnmp.traps.names.namer import Namer
    from promsnmp.traps.outputs.factory import check_outputs
    from promsnmp.traps.rules.reader import load_rules

    WebConfigWatcher(settings.web_config_file)
    if settings.trap_port:
        Namer.of_files(settings.trap_definition_files).ready()
        load_rules(settings.trap_rules)
        check_outputs(settings)
    read_cron(settings.discovery_cron)
    read_zone(settings.discovery_tz)
    found = load_catalogue(settings.config_patterns, options=read_options(settings))
    return (
        f"Settings and files are valid: {counted(len(found.modules), 'module')}, {counted(len(found.auths), 'auth')}."
    )


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Exits at once: nothing runs yet that needs an orderly end."""
    sys.exit(0)
