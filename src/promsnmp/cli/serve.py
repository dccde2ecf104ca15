"""``promsnmp serve``: the service itself."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import click


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port; 0 takes a free one. Default: SERVER_PORT, 8080.")
@click.option("--address", help="Address to listen on. Default: SERVER_ADDRESS, or every address.")
@click.option(
    "--config.file",
    "files",
    multiple=True,
    metavar="FILE",
    help="File in the form of snmp.yml; may be repeated, * and ? match names. Default: SNMP_CONFIG_FILES.",
)
@click.option("--web.config.file", "web_file", metavar="FILE", help="TLS and users. Default: WEB_CONFIG_FILE.")
@click.option(
    "--web.listen-address",
    "listen",
    metavar="[ADDRESS]:PORT",
    help="Address and port at once, as other exporters take them: :9116, 127.0.0.1:9116, [::1]:9116.",
)
@click.pass_context
def serve(
    ctx: click.Context,
    port: int | None,
    address: str | None,
    files: tuple[str, ...],
    web_file: str | None,
    listen: str | None,
) -> None:
    """Run the service: poll the devices of the inventory, answer Prometheus.

    Settings come from the environment (docs/configuration.md); options win over them. SIGTERM and Ctrl-C end it after
    the requests in flight are answered; a second Ctrl-C ends it at once.

    \b
    Examples:
      promsnmp serve
      promsnmp serve --port 0 --address 127.0.0.1
      promsnmp serve --config.file snmp.yml --web.config.file web.yml
      COLLECTION_INTERVAL=0 SNMP_ALLOW_ADHOC_TARGETS=true promsnmp serve
    """
    signal.signal(signal.SIGTERM, _leave)  # as PID 1 it would be ignored until the service handles it
    from promsnmp.app import build
    from promsnmp.observe.logging import configure_logging
    from promsnmp.settings import load_settings

    if listen is not None:
        if port is not None or address is not None:
            raise click.UsageError("--web.listen-address says what --address and --port say: give one or the others")
        address, port = _address_and_port(listen)
    options: dict[str, object] = {"server_port": port, "server_address": address, "web_config_file": web_file}
    options["snmp_config_files"] = ",".join(files) or None
    if (ctx.obj or {}).get("verbose"):
        options["log_level"] = "debug"
    settings = load_settings(**{name: value for name, value in options.items() if value is not None})
    configure_logging(level=settings.log_level, style=settings.log_format)
    ctx.exit(build(settings).run())


def _address_and_port(text: str) -> tuple[str, int]:
    """Both parts of ``[address]:port``; an empty address stays empty, for every address."""
    address, colon, port = text.rpartition(":")
    bare = address.removeprefix("[").removesuffix("]")
    if not (colon and port.isascii() and port.isdigit() and int(port) < 65_536) or (":" in address and bare == address):
        raise click.UsageError(f"--web.listen-address {text!r} is not [ADDRESS]:PORT, such as :9116 or [::1]:9116")
    return bare, int(port)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Nothing runs yet that would have to be ended in order."""
    sys.exit(0)
