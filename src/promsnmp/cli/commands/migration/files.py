"""The options that name the files of a Prometheus with snmp_exporter, and the devices in them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from glob import glob
from pathlib import Path
from typing import Any

import click

from promsnmp.errors import ModuleError
from promsnmp.migration.notes import Notes
from promsnmp.migration.prometheus.config import ScrapeJob, read_jobs
from promsnmp.migration.prometheus.devices import ScrapedDevice, devices_of, is_snmp
from promsnmp.migration.prometheus.targets import targets_of
from promsnmp.modules.catalogue import Catalogue, load_catalogue
from promsnmp.modules.snmp_yml.read_options import ReadOptions


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of the old files to a command, which gets ``devices`` and ``notes`` instead of them."""

    @functools.wraps(command)
    def with_source(
        *,
        prometheus: Path,
        snmp: tuple[str, ...],
        file_sd: tuple[str, ...],
        jobs: tuple[str, ...],
        expand: bool,
        **options: Any,
    ) -> Any:
        notes = Notes()
        catalogue = load_catalogue(snmp, options=ReadOptions(environment=os.environ if expand else None))
        devices = read_source(prometheus, catalogue, file_sd, jobs, notes)
        return command(devices=devices, notes=notes, **options)

    for option in reversed(_OPTIONS):
        with_source = option(with_source)
    return with_source


def read_source(
    prometheus: Path, catalogue: Catalogue, file_sd: Sequence[str], names: Sequence[str], notes: Notes
) -> list[ScrapedDevice]:
    """The devices of the chosen jobs. Raises ModuleError for a file, click.UsageError for an option."""
    jobs = read_jobs(prometheus, notes)
    if unknown := sorted(set(names) - {job.name for job in jobs}):
        known = ", ".join(job.name for job in jobs) or "none"
        raise click.UsageError(f"--job {unknown[0]}: there is no such job in {prometheus}; jobs: {known}")
    instead = _instead(file_sd, jobs)
    targets = []
    for job in jobs:
        if names and job.name not in names:
            continue
        if not _may_be_snmp(job):
            notes.add(job.file, job.line, f"job {job.name!r} does not scrape snmp_exporter's /snmp; it stays as it is")
            continue
        targets += targets_of(job, notes, instead=instead.get(job.name, ()))
    for target in targets:
        if not is_snmp(target):
            what = f"{target.address}{target.path} of job {target.job.name!r} is no device: it has no parameter target"
            notes.add(target.file, target.line, f"{what}; it stays as it is")
    return devices_of(targets, catalogue, notes)


def _may_be_snmp(job: ScrapeJob) -> bool:
    paths = [job.metrics_path, *(rule.replacement for rule in job.rules if rule.target_label == "__metrics_path__")]
    groups = [group.labels.get("__metrics_path__", "") for group in job.groups]
    return any(path.rstrip("/").endswith("/snmp") for path in (*paths, *groups))


def _instead(values: Sequence[str], jobs: Sequence[ScrapeJob]) -> dict[str, list[Path]]:
    """The files of ``--file-sd`` by job."""
    found: dict[str, list[Path]] = {}
    snmp = [job.name for job in jobs if _may_be_snmp(job)]
    for value in values:
        name, separator, pattern = value.partition("=")
        if not separator:
            if len(snmp) != 1:
                raise click.UsageError(
                    f"--file-sd {value}: write JOB=FILE; jobs with /snmp: {', '.join(snmp) or 'none'}"
                )
            name, pattern = snmp[0], value
        elif name not in snmp:
            raise click.UsageError(f"--file-sd {value}: no job {name!r} with /snmp; jobs: {', '.join(snmp) or 'none'}")
        paths = [Path(path) for path in sorted(glob(pattern))]  # noqa: PTH207  # the pattern may be absolute
        if not paths:
            raise ModuleError(f"{pattern}:1: cannot be read: no such file")
        found.setdefault(name, []).extend(paths)
    return found


_OPTIONS = (
    click.option(
        "--prometheus",
        type=click.Path(path_type=Path, dir_okay=False),
        required=True,
        metavar="FILE",
        help="prometheus.yml, with the jobs that scrape snmp_exporter.",
    ),
    click.option(
        "--snmp",
        multiple=True,
        required=True,
        metavar="FILE",
        help="snmp.yml of snmp_exporter, or a pattern (snmp*.yml); repeatable.",
    ),
    click.option(
        "--file-sd",
        multiple=True,
        metavar="[JOB=]FILE",
        help="Targets of a job, in place of its service discovery; a file, or a pattern; repeatable.",
    ),
    click.option("--job", "jobs", multiple=True, metavar="NAME", help="Only this job; repeatable.  [default: all]"),
    click.option(
        "--expand-environment-variables",
        "expand",
        is_flag=True,
        help="Expand variables in auths, as snmp_exporter does with --config.expand-environment-variables.",
    ),
)
