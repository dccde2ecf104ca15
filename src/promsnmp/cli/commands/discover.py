"""``promsnmp discover``: searches networks for devices, from this machine or by a running service."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.options.duration import timeout_option
from promsnmp.cli.options.inventory_file import command_settings, file_option, local_user, open_inventory
from promsnmp.cli.options.modules import known_modules
from promsnmp.cli.options.search_request import Document, request_options
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted
from promsnmp.discovery.factory import make_discovery
from promsnmp.discovery.jobs import ENDED_STATES, Job
from promsnmp.discovery.request import read_request
from promsnmp.discovery.serialize import detailed_document, job_document
from promsnmp.discovery.service import Discovery
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.errors import InventoryError, InventoryInvalid, PromSnmpError, SettingsError
from promsnmp.inventory.model import Inventory
from promsnmp.observe.counts import DiscoveryCounts
from promsnmp.polling.detection.identify import identify
from promsnmp.settings import Settings

PATH = "/promsnmp/discovery"
FOUND, NONE_FOUND, INTERRUPTED = 0, 1, 130
POLL_INTERVAL = 0.2
"""Seconds between two requests for the state of a job."""

Show = Callable[[Document], None]


@click.command("discover")
@request_options
@click.option("--save", is_flag=True, help="Save the devices found to the inventory file.")
@click.option(
    "--save-seed",
    is_flag=True,
    help="Save the devices found and the search itself, which DISCOVERY_CRON repeats (every night at 2).",
)
@click.option("--remove-lost", is_flag=True, help="Remove lost devices instead of marking them.")
@click.option("--rate", type=click.IntRange(1, 100_000), metavar="PACKETS", help="Packets per second.")
@timeout_option(default_help="  [default: DISCOVERY_TIMEOUT]")
@click.option("-r", "--retries", type=click.IntRange(0, 100), help="Retries per packet.")
@click.option("--detach", is_flag=True, help="With --url: return at once, without waiting for the result.")
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON instead of a table.")
@file_option
@service_options
def discover(
    *,
    request: Document,
    save: bool,
    save_seed: bool,
    remove_lost: bool,
    rate: int | None,
    timeout: float | None,
    retries: int | None,
    detach: bool,
    as_json: bool,
    file: Path | None,
    service: ServiceClient | None,
) -> int:
    """Search TARGET... for devices and print those found.

    A TARGET is an address, a network (192.0.2.0/24, 2001:db8::/120), a range (192.0.2.1-192.0.2.50, 192.0.2.1-50) or a
    name. Credentials are tried in order: the user, the communities, those of files. Nothing is saved unless --save or
    --save-seed is given; what is found is compared with the inventory all
    the same. They write the inventory file PROM_INV_FILE, and a running server picks that up. With --url a
    running service searches and saves what it finds, at its own rate and timeouts; from another machine it wants
    credentials (PROMSNMP_TOKEN, --login). Ctrl-C stops the search and keeps the devices found so far.

    Rate, timeout and retries come from the settings DISCOVERY_*, unless options override them.

    \b
    Examples:
      promsnmp discover 192.0.2.0/24 --community public
      promsnmp discover 10.0.0.0/16 --exclude 10.0.9.0/24 -c public -c private -u monitor -a SHA-256 -x AES --save
      promsnmp discover 192.0.2.1-50 --credentials logins.yml --json | jq -r '.devices[].sysName'
      promsnmp discover 192.0.2.0/24 -c public --save-seed --url http://promsnmp:8080
    \b
    Exit codes: 0 devices found, 1 none found or the search failed, 2 wrong arguments or settings, 130 interrupted.
    """
    if remove_lost:
        request = request | {"removeLost": True}
    own = {"--save": save, "--rate": rate, "-t": timeout, "-r": retries}
    if service:
        if given := [option for option, value in own.items() if value]:
            raise click.UsageError(f"{given[0]} cannot be used with --url: the service has its own settings")
        return _remote(service, request, save_seed=save_seed, detach=detach, as_json=as_json)
    if detach:
        raise click.UsageError("--detach needs --url")
    settings = _with_pace(command_settings(file), rate, timeout, retries)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        job = runner.run(_search(settings, request, save=save or save_seed, save_seed=save_seed))
    document = detailed_document(job, time.time())
    code = _finish(document, as_json=as_json, interrupted=job.stop_requested)
    if code == NONE_FOUND:
        _advise(request, f"{settings.discovery_timeout} ms", settings.discovery_retries)
    elif document.get("devices") and not (save or save_seed):
        click.echo("found, not saved; add --save to write them to the inventory", err=True)
    return code


def _with_pace(settings: Settings, rate: int | None, timeout: float | None, retries: int | None) -> Settings:
    changes = {
        "discovery_packets_per_second": rate,
        "discovery_timeout": None if timeout is None else max(1, round(timeout * 1000)),
        "discovery_retries": retries,
    }
    return settings.model_copy(update={name: value for name, value in changes.items() if value is not None})


# -------------------------------------------------------------------------------------------------- from this machine


async def _search(settings: Settings, document: Document, *, save: bool, save_seed: bool) -> Job:
    """Searches from this machine; saves to the inventory file or nowhere."""
    discovery, inventory = _own_discovery(settings, save=save)
    search_request = read_request(document, inventory())
    if problems := discovery.seeds.problems_of(search_request.seed):
        raise InventoryInvalid(problems)
    seed = discovery.seeds.deduplicate(search_request.seed)
    if save_seed:
        await discovery.seeds.save(seed, who=local_user())
    job = discovery.start(
        discovery.plan(seed, who=local_user(), remove_lost=search_request.remove_lost, saved=save_seed)
    )
    with _until_interrupted(lambda: discovery.stop_job(job)), _bar() as show:
        while job.state not in ENDED_STATES:
            await asyncio.wait({asyncio.ensure_future(job.ended_event.wait())}, timeout=POLL_INTERVAL)
            show(job_document(job, time.time()))
    return job


def _own_discovery(settings: Settings, *, save: bool) -> tuple[Discovery, Callable[[], Inventory]]:
    if not save:
        memory = UnsavedInventory(_inventory_to_compare(settings))
        return _make_discovery(settings, lambda: memory.current, memory.update), lambda: memory.current
    store = open_inventory(settings, create=True)
    return _make_discovery(settings, lambda: store.current, store.update), lambda: store.current


def _inventory_to_compare(settings: Settings) -> Inventory:
    """The inventory that the devices found are compared with; empty when it cannot be read, which is reported."""
    try:
        return open_inventory(settings).current
    except (InventoryError, SettingsError) as error:
        click.echo(f"promsnmp: not compared with the inventory: {error}", err=True)
        return Inventory()


def _make_discovery(settings: Settings, inventory: Callable[[], Inventory], update: Any) -> Discovery:
    return make_discovery(
        settings,
        inventory=inventory,
        update=update,
        identify=identify,
        counts=DiscoveryCounts(),
        known_modules=partial(known_modules, settings),
    )


@contextmanager
def _until_interrupted(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C calls ``stop``; the next one ends the command as usual."""
    loop = asyncio.get_running_loop()

    def first() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        stop()

    loop.add_signal_handler(signal.SIGINT, first)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


# ------------------------------------------------------------------------------------------------------ by a service


def _remote(service: ServiceClient, document: Document, *, save_seed: bool, detach: bool, as_json: bool) -> int:
    """Lets a service search, and follows the job."""
    query = {"scheduleNow": "true", "saveSeed": str(save_seed).lower()}
    accepted = service.call("POST", PATH, query=query, document=document).json()
    location = str(accepted["location"])
    if "jobId" not in accepted:
        click.echo(accepted["message"])
        return FOUND
    if detach:
        click.echo(json.dumps(accepted, indent=2) if as_json else f"search started: {service.url}{location}")
        return FOUND
    interrupted = False
    job: Document = {"state": "queued"}
    with _bar() as show:
        while job["state"] in ("queued", "running"):
            try:
                job = service.get(location).json()
                show(job)
                time.sleep(POLL_INTERVAL)
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                job = service.call("DELETE", location).json()
    code = _finish(job, as_json=as_json, interrupted=interrupted)
    if code == NONE_FOUND:
        _advise(document, "its DISCOVERY_TIMEOUT", None)
    return code


# ------------------------------------------------------------------------------------------------------------ output


@contextmanager
def _bar() -> Iterator[Show]:
    """A progress bar on the standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        BarColumn(), TaskProgressColumn(), TextColumn("{task.completed:,}/{task.total:,} addresses"),
        TextColumn("{task.fields[found]} found"), TextColumn("{task.fields[rate]} packets/s"),
        TextColumn("{task.fields[left]}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1, found=0, rate=0, left="")

        def show(job: Document) -> None:
            left = job.get("timeLeft")
            progress.update(
                task,
                total=max(job["addresses"], 1),
                completed=min(job["probed"], job["addresses"]),
                found=job["found"],
                rate=round(job["rate"]),
                left="" if left is None else f"{left:.0f} s left",
            )

        yield show


def _finish(job: Document, *, as_json: bool, interrupted: bool) -> int:
    """Prints the result of a search and returns the exit code."""
    devices = sorted(job.get("devices", []), key=lambda device: (device["sysName"].lower(), device["addresses"]))
    if as_json:
        click.echo(json.dumps(job, indent=2, ensure_ascii=False))
    elif devices:
        headings = ("sysName", "addresses", "version", "vendor", "model", "location", "change")
        print_table(headings, [_row(device) for device in devices])
    click.echo(_summary(job), err=True)
    if job["state"] == "failed":
        raise PromSnmpError(f"the search failed: {job.get('error', 'the service gave no reason')}")
    if interrupted:
        return INTERRUPTED
    return FOUND if devices or job["found"] else NONE_FOUND


def _advise(request: Document, timeout: str, retries: int | None) -> None:
    """Says what was tried, without secrets, and what to look at when nothing answered."""
    tried = Counter(str(one["version"]) for one in request["credentials"])
    what = ", ".join(
        f"{version} with {counted(number, 'user' if version == 'v3' else 'community')}"
        for version, number in tried.items()
    )
    times = "" if retries is None else f", {counted(retries, 'retry')}"
    click.echo(
        f"no device answered. Tried: UDP port {request['port']}, {what}, {timeout} per packet{times}.\n"
        "Check the addresses, the version, and the community (-c) or user (-u, -a, -x); that the agents accept this "
        "host;\nand that no firewall drops UDP. 'promsnmp walk ADDRESS' asks one device and says what is wrong.",
        err=True,
    )


def _row(device: Document) -> tuple[str, ...]:
    return (
        device["sysName"],
        " ".join(device["addresses"]),
        device["version"],
        device["vendor"],
        device["model"],
        device["sysLocation"],
        device["change"],
    )


def _summary(job: Document) -> str:
    found = job["added"] + job["updated"] + job["unchanged"]
    parts = [
        f"{job['probed']:,} of {job['addresses']:,} addresses probed",
        f"{counted(found, 'device')} found ({job['added']:,} new)",
    ]
    if job["refusing"]:
        some = ", ".join(job["refusing"][:3]) + (", ..." if len(job["refusing"]) > 3 else "")
        parts.append(f"{counted(len(job['refusing']), 'address')} rejected the credentials: {some}")
    if job["lost"] or job["removed"]:
        parts.append(f"{job['lost']:,} lost, {job['removed']:,} removed")
    parts += [f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(job["errors"].items())]
    return "; ".join(parts)
