"""``promsnmp explain``: polls one device and reports why each metric is there or missing."""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click
import uvloop

from promsnmp.cli.options.credentials import auth_option, credential_options
from promsnmp.cli.options.duration import deadline_option
from promsnmp.cli.options.modules import files_option, load_files, modules_option
from promsnmp.errors import ModuleError
from promsnmp.inventory.modules import AUTO
from promsnmp.snmp import oid
from promsnmp.snmp.credentials import Credentials

if TYPE_CHECKING:
    from promsnmp.modules.catalogue import Catalogue
    from promsnmp.modules.model import Metric
    from promsnmp.polling.explain.health import HealthExplanation
    from promsnmp.polling.explain.model import Explanation
    from promsnmp.polling.explain.recorder import PollRecording
    from promsnmp.polling.target import Target

PROGRESS_AFTER = 1.0
"""Seconds until progress is shown on a terminal."""
WIDTH, MIN_WIDTH = 120, 60
"""Characters of a line without a terminal, and on a narrow one."""
_OWN = ("promsnmp_", "snmp_scrape_", "interface_utilization")


@click.command("explain")
@click.argument("target")
@modules_option
@click.option("--metric", metavar="NAME", help="Show only this metric, with all details.")
@click.option("--health", "only_health", is_flag=True, help="Explain the device's health instead of its modules.")
@credential_options
@auth_option
@files_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@deadline_option
def explain(
    *,
    target: str,
    modules: tuple[str, ...],
    metric: str | None,
    only_health: bool,
    credentials: Credentials,
    auth: str | None,
    files: tuple[str, ...],
    as_json: bool,
    deadline: float,
) -> int:
    """Poll one device and report: why these modules, what was requested and how that ended, which columns came back and
    which metrics use them, what is unused, and why a metric is missing.

    TARGET is an address or a name, with a port if it is not 161: 192.0.2.1, switch.example:1161, [2001:db8::1]:161.
    A device of the inventory (PROM_INV_FILE) is polled as the service polls it, unless credentials are given.

    \b
    Examples:
      promsnmp explain 192.0.2.1
      promsnmp explain -c secret -m if_mib --metric ifHCInOctets 192.0.2.1
      promsnmp explain --health 192.0.2.1
      promsnmp explain --json 192.0.2.1 | jq '.metrics[] | select(.status == "missing") | [.name, .reason]'
    """
    from promsnmp.cli.options.poll_request import make_poll_request, poll_options
    from promsnmp.cli.output.explanation import report, report_metric
    from promsnmp.cli.output.explanation_json import to_json
    from promsnmp.cli.output.health_report import echo_report, health_to_json
    from promsnmp.cli.output.text import hanging
    from promsnmp.discovery.examine.check_identity import check_identity
    from promsnmp.polling.explain.explain import explain as explained
    from promsnmp.polling.explain.recorder import PollRecording
    from promsnmp.settings import load_settings

    if deadline != deadline:  # NaN is in every range
        raise click.UsageError("--deadline is not a number")
    catalogue = load_files(files)
    request = make_poll_request(target, modules, catalogue, auth=auth, credentials=credentials)
    if only_health:
        if modules or metric is not None:
            raise click.UsageError("--health explains no modules: leave out --module and --metric")
        health = poll_health(request.target, catalogue, deadline)
        if as_json:
            click.echo(json.dumps(health_to_json(health), indent=2))
        else:
            width = _width()
            echo_report(health, _heading, lambda line: hanging(line, width))
        return 0
    if metric is not None:
        is_settled = AUTO not in request.target.modules
        _check_metric(metric, request.target.modules if is_settled else tuple(catalogue.modules), catalogue)

    options = poll_options()

    async def poll() -> Explanation:
        recording = PollRecording()
        async with _progress(recording):
            until = asyncio.get_running_loop().time() + deadline
            return await explained(
                replace(request.target, health=False),
                catalogue,
                deadline=until,
                recording=recording,
                chosen_by=request.chosen_by,
                check_identity=check_identity,
                options=options,
                interval=None if request.target.device is None else load_settings().collection_interval,
            )

    found = uvloop.run(poll())
    if metric is not None:
        _check_metric(metric, found.modules, catalogue)
        found = _only_metric(found, metric, catalogue)
    if as_json:
        click.echo(json.dumps(to_json(found), indent=2))
        return 0
    width = _width()
    for line in (report if metric is None else report_metric)(found, _heading):
        click.echo("\n".join(hanging(line.rstrip(), width)))
    return 0


def poll_health(target: Target, catalogue: Catalogue, seconds: float) -> HealthExplanation:
    """The health of a device, by one poll of at most ``seconds``, with progress. Raises SnmpError."""
    from promsnmp.cli.options.poll_request import poll_options
    from promsnmp.polling.explain.health import explain_health
    from promsnmp.polling.explain.recorder import PollRecording

    async def poll() -> HealthExplanation:
        recording = PollRecording()
        async with _progress(recording):
            until = asyncio.get_running_loop().time() + seconds
            return await explain_health(target, catalogue, deadline=until, recording=recording, options=poll_options())

    return uvloop.run(poll())


def _width() -> int:
    """Characters of a line: those of the terminal, if there is one."""
    return max(shutil.get_terminal_size().columns, MIN_WIDTH) if sys.stdout.isatty() else WIDTH


def _heading(text: str) -> str:
    plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    return text if plain else click.style(text, bold=True)


@asynccontextmanager
async def _progress(recording: PollRecording) -> AsyncIterator[None]:
    """Shows the progress on stderr, when that is a terminal and the poll takes longer than PROGRESS_AFTER."""
    if not sys.stderr.isatty():
        yield
        return
    shown = False

    async def show() -> None:
        nonlocal shown
        await asyncio.sleep(PROGRESS_AFTER)
        while True:
            shown = True
            at = oid.to_text(recording.current_oid)[:60]
            click.echo(f"\r{len(recording.varbinds):,} varbinds, asking for {at}\x1b[K", err=True, nl=False)
            await asyncio.sleep(0.2)

    progress = asyncio.ensure_future(show())
    try:
        yield
    finally:
        progress.cancel()
        if shown:
            click.echo("\r\x1b[K", err=True, nl=False)


# ----------------------------------------------------------------------------------------------------------- one metric


def _has_name(metric: Metric, name: str) -> bool:
    """Whether a metric, or one derived from it, has this name."""
    from promsnmp.exposition.formats.text import metric_name
    from promsnmp.modules.types import MetricType

    names = {metric.name, *(f"{metric.name}{one.suffix}" for one in metric.regex_extracts)}
    if metric.type == MetricType.ENUM_AS_INFO:
        names.add(f"{metric.name}_info")
    return name in names or name in set(map(metric_name, names))


def _check_metric(name: str, modules: Iterable[str], catalogue: Catalogue) -> None:
    """Raises ModuleError, with similar names, unless one of the modules defines the metric."""
    if any(_has_name(metric, name) for module in modules for metric in catalogue.module(module).metrics):
        return
    prefix = f"{name!r} is not a metric of {', '.join(modules) or 'no module'}"
    if name.startswith(_OWN):
        raise ModuleError(f"{prefix}: PromSNMP itself makes it, from the poll or from the interfaces' counters")
    others = [one.name for one in catalogue.modules.values() if any(_has_name(metric, name) for metric in one.metrics)]
    if others:
        raise ModuleError(f"{prefix}; it is defined in module {', '.join(others)}: add -m {others[0]}")
    known = {metric.name for module in modules for metric in catalogue.module(module).metrics}
    alike = difflib.get_close_matches(name, sorted(known), n=3)
    hint = f"; did you mean: {', '.join(alike)}" if alike else ""
    raise ModuleError(f"{prefix}, nor of any other module{hint}")


def _only_metric(explanation: Explanation, name: str, catalogue: Catalogue) -> Explanation:
    """The explanation narrowed to one metric and to what its values and labels need."""
    wanted = {(module, metric) for module in explanation.modules for metric in catalogue.module(module).metrics}
    pairs = {(module, metric.name, metric.oid) for module, metric in wanted if _has_name(metric, name)}
    metrics = tuple(one for one in explanation.metrics if (one.module, one.name, one.oid) in pairs)
    needed = {one.oid.lstrip(".") for one in metrics} | {lookup.oid for one in metrics for lookup in one.lookups}
    return replace(
        explanation,
        metrics=metrics,
        walks=tuple(
            walk
            for walk in explanation.walks
            if any(_overlap(walk.oid, column) for column in needed)
            or any(f"{one.module} (filter)" in walk.modules for one in metrics)
        ),
        gets=tuple(get for get in explanation.gets if any(_overlap(get.oid, column) for column in needed)),
        columns=tuple(column for column in explanation.columns if column.oid in needed),
        unclaimed=(),
    )


def _overlap(one: str, other: str) -> bool:
    """Whether one of two dotted OIDs lies under the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
