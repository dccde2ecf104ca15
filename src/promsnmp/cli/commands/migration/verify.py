"""``promsnmp migrate verify``: scrapes snmp_exporter and PromSNMP side by side and compares the samples."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from promsnmp import __version__
from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.migration.files import source_options
from promsnmp.cli.options.duration import Duration
from promsnmp.cli.options.service import make_client, service_options
from promsnmp.cli.output.files import require_folder
from promsnmp.cli.output.text import counted, printable
from promsnmp.errors import ServiceError
from promsnmp.inventory.storage.atomic_file import write_bytes
from promsnmp.migration.notes import Notes
from promsnmp.migration.prometheus.devices import ScrapedDevice
from promsnmp.migration.prometheus.targets import ScrapeTarget
from promsnmp.migration.verify.compare import Comparison, compare
from promsnmp.migration.verify.pages import Page, parse_page
from promsnmp.migration.verify.report import html_of, text_of

AT_ONCE = 8
"""Devices that are scraped at the same time."""
_TEXT = {"Accept": "text/plain;version=0.0.4"}
_OLD_PARAMETERS = ("auth", "snmp_context", "snmp_engineid")


@click.command()
@source_options
@click.option("--old", required=True, metavar="URL", help="snmp_exporter, such as http://exporter:9116.")
@click.option(
    "--rounds", type=click.IntRange(2, 100_000), default=3, show_default=True, help="How often both are scraped."
)
@click.option("--hours", type=click.FloatRange(0.01, 24 * 31), help="How long, in place of --rounds.")
@click.option(
    "--interval",
    type=Duration(shortest=0.1, longest=86_400),
    help="Time between two rounds.  [default: the longest interval of the devices]",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="By how much a gauge may differ, as a fraction of its value.",
)
@click.option(
    "-o", "output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write a page (HTML) for the change request, too.",
)  # fmt: skip
@service_options
def verify(
    devices: Sequence[ScrapedDevice],
    notes: Notes,
    old: str,
    rounds: int,
    hours: float | None,
    interval: float | None,
    tolerance: float,
    output: Path | None,
    service: ServiceClient | None,
) -> int:
    """Scrape snmp_exporter and PromSNMP side by side and compare them sample by sample.

    The devices are those that 'promsnmp migrate snmp-exporter' makes of the same files, and the requests to --old those
    that Prometheus makes now. PromSNMP is at --url (or PROMSNMP_URL). Labels must be equal; counters may differ by what
    they grow by between two scrapes, gauges by what they move by and by --tolerance.

    Differences that are documented (docs/reference/conformance.md) are listed with the reason. Exit codes: 0 the same,
    or documented differences only; 1 differences to look at, or a device could not be scraped; 2 wrong arguments or
    files.

    \b
    Examples:
      promsnmp migrate verify --prometheus prometheus.yml --snmp snmp.yml --old http://exporter:9116 \\
          --url http://promsnmp:8080 -o report.html
      promsnmp migrate verify --prometheus prometheus.yml --snmp snmp.yml --old http://exporter:9116 --hours 24
    """
    if service is None:
        raise click.UsageError("which PromSNMP? give its --url, or set PROMSNMP_URL")
    if output:
        require_folder(output)
    if not devices:
        raise click.UsageError("no device in these files; see 'promsnmp migrate snmp-exporter --dry-run'")
    pause = interval or max(device.interval for device in devices) / 1000
    count = rounds if hours is None else max(2, round(hours * 3600 / pause) + 1)
    began = datetime.now(UTC)
    comparisons = _compare_all(devices, make_client(old), service, count, pause, tolerance)
    for line in text_of(comparisons):
        click.echo(printable(line))
    is_same = all(one.is_same for one in comparisons)
    if output:
        facts = [
            ("snmp_exporter", old),
            ("PromSNMP", f"{service.url} (promsnmp {__version__})"),
            ("time", f"{began:%Y-%m-%d %H:%M} to {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
            ("rounds", f"{count}, every {pause:g} s"),
            ("tolerance of gauges", f"{tolerance:.1%}"),
            ("not migrated", counted(sum(note.lost for note in notes.notes), "entry")),
        ]
        write_bytes(output, html_of(comparisons, facts=facts).encode(), keep_mode=False, mode=0o644)
        click.echo(f"report in {output}")
    return 0 if is_same else 1


def _compare_all(
    devices: Sequence[ScrapedDevice],
    old: ServiceClient,
    new: ServiceClient,
    count: int,
    pause: float,
    tolerance: float,
) -> list[Comparison]:
    """Keeps first, last and one earlier round of each device, so that a day needs no more memory than three rounds."""
    pages: list[list[tuple[Page, Page]]] = [[] for _ in devices]
    failures: list[dict[str, int]] = [{} for _ in devices]

    def scrape(number: int) -> None:
        kept, failed = pages[number], failures[number]
        try:
            before = _scrape_old(devices[number], old)
        except (ServiceError, ValueError) as error:
            failed.setdefault(f"snmp_exporter: {error}", 0)  # it may fail where PromSNMP does not
            return
        try:
            kept.append((before, _scrape_new(devices[number], new)))
            del kept[1 : len(kept) - 2]
        except (ServiceError, ValueError) as error:
            failed[str(error)] = failed.get(str(error), 0) + 1

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in range(count):
            started = time.monotonic()
            list(pool.map(scrape, range(len(devices))))
            if done + 1 < count:
                time.sleep(max(0.0, started + pause - time.monotonic()))
    comparisons = []
    for device, kept, failed in zip(devices, pages, failures, strict=True):
        name = device.sys_name or str(device.endpoint)
        ours = sum(failed.values())
        why = f"{counted(ours, 'scrape')} of PromSNMP failed: {next(reversed(failed))}" if ours else ""
        if len(kept) < 2:
            comparisons.append(Comparison(name, 0, (), why or next(iter(failed), "fewer than two pages")))
        else:
            comparisons.append(replace(compare(name, kept, tolerance=tolerance), failure=why))
    return comparisons


def _scrape_old(device: ScrapedDevice, old: ServiceClient) -> Page:
    """What Prometheus gets now. Raises ServiceError, and ValueError when an answer is no page."""
    page = Page()
    for target in device.targets:
        page.update(_page(old.call("GET", target.path, query=_query(target), headers=_TEXT).body, old.url))
    return page


def _scrape_new(device: ScrapedDevice, new: ServiceClient) -> Page:
    """What Prometheus will get. Raises as ``_scrape_old``."""
    query = {"target": device.sys_name or _address(device), "module": ",".join(device.modules)}
    return _page(new.call("GET", "/snmp", query=query, headers=_TEXT).body, new.url)


def _page(body: bytes, url: str) -> Page:
    try:
        return parse_page(body.decode("utf-8", "replace"))
    except ValueError as error:
        raise ValueError(f"{url}: {error}") from None


def _query(target: ScrapeTarget) -> dict[str, str]:
    single = {name: target.param(name) for name in ("target", *_OLD_PARAMETERS) if target.param(name)}
    modules = ",".join(target.values("module"))
    return single | ({"module": modules} if modules else {})


def _address(device: ScrapedDevice) -> str:
    endpoint = device.endpoint
    return endpoint.address if endpoint.port == 161 else str(endpoint)
