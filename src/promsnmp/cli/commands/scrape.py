"""``promsnmp scrape``: polls one device without a server and prints its metrics."""

from __future__ import annotations

import asyncio
import sys

import click
import uvloop

from promsnmp.cli.options.credentials import auth_option, credential_options
from promsnmp.cli.options.duration import deadline_option
from promsnmp.cli.options.modules import files_option, load_files, modules_option
from promsnmp.errors import SnmpError
from promsnmp.snmp.credentials import Credentials


@click.command("scrape")
@click.argument("target")
@modules_option
@credential_options
@auth_option
@files_option
@click.option("--openmetrics", is_flag=True, help="Print OpenMetrics 1.0 instead of text 0.0.4.")
@deadline_option
def scrape(
    *,
    target: str,
    modules: tuple[str, ...],
    credentials: Credentials,
    auth: str | None,
    files: tuple[str, ...],
    openmetrics: bool,
    deadline: float,
) -> int:
    """Poll one device and print the metrics that Prometheus would get.

    TARGET is an address or a name, with a port if it is not 161: 192.0.2.1, switch.example:1161, [2001:db8::1]:161.
    A device of the inventory (PROM_INV_FILE) is polled as the service polls it, unless credentials are given.
    Problems with the page are printed on stderr.

    \b
    Examples:
      promsnmp scrape 192.0.2.1
      promsnmp scrape -c secret -m if_mib 192.0.2.1:1161 | promtool check metrics
      promsnmp scrape --config.file snmp.yml --auth public_v2 -m cisco_device switch.example
    """
    from promsnmp.cli.options.poll_request import make_poll_request, poll_options
    from promsnmp.modules.catalogue import CatalogueStore
    from promsnmp.polling.collector import Collector
    from promsnmp.polling.pages.page import Format

    catalogue = load_files(files)
    poll_target = make_poll_request(target, modules, catalogue, auth=auth, credentials=credentials).target
    options = poll_options()
    wanted = Format.OPENMETRICS if openmetrics else Format.TEXT

    async def poll() -> tuple[bytes, SnmpError | None]:
        collector = Collector(CatalogueStore(catalogue), options)
        page, problem = await collector.collect(poll_target, deadline=asyncio.get_running_loop().time() + deadline)
        return page.plain(wanted), problem

    page, problem = uvloop.run(poll())
    sys.stdout.buffer.write(page)
    sys.stdout.buffer.flush()
    if problem is not None:
        click.echo(f"promsnmp: the page is incomplete: {problem}", err=True)
    return 0
