"""What Prometheus would scrape: the targets of a job after relabelling (Prometheus, ``scrape/target.go``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from promsnmp.errors import ModuleError
from promsnmp.inventory.document.parsing import duration_text, read_milliseconds
from promsnmp.migration.notes import Notes
from promsnmp.migration.prometheus.config import ScrapeJob, TargetGroup, compose_file, files_of, read_groups
from promsnmp.migration.prometheus.relabel import relabel
from promsnmp.support.yaml_nodes import NodeError

PARAM = "__param_"


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """One request that Prometheus makes again and again."""

    job: ScrapeJob
    file: str
    line: int
    address: str
    """``host:port`` of the server."""
    path: str
    params: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str]
    """Those of its series, with ``job`` and ``instance``."""
    interval: int
    """Milliseconds."""

    def param(self, name: str) -> str:
        """The first value of a parameter; empty when absent."""
        return next(iter(self.params.get(name, ())), "")

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a parameter; a comma separates several, too, as for ``module``."""
        return tuple(dict.fromkeys(part for value in self.params.get(name, ()) for part in value.split(",") if part))


def targets_of(job: ScrapeJob, notes: Notes, *, instead: Sequence[Path] = ()) -> list[ScrapeTarget]:
    """The targets of a job. ``instead`` are files that replace its service discovery. Raises ModuleError."""
    groups = [*job.groups, *_groups_of_files(job, notes, instead)]
    return [target for group in groups for target in _targets(job, group, notes)]


def _groups_of_files(job: ScrapeJob, notes: Notes, instead: Sequence[Path]) -> Iterator[TargetGroup]:
    if instead:
        for path in instead:
            yield from _groups(path)
        return
    for kind, line in job.other_sources:
        what = f"{kind} of job {job.name!r} is not read; write its targets into a file and give it as --file-sd"
        notes.add(job.file, line, f"{what} {job.name}=FILE", lost=True)
    for pattern, line in job.files:
        paths = files_of(job, pattern)
        if not paths:
            what = f"no file matches {pattern!r} of job {job.name!r}; give the file as --file-sd {job.name}=FILE"
            notes.add(job.file, line, what, lost=True)
        for path in paths:
            yield from _groups(path)


def _groups(path: Path) -> list[TargetGroup]:
    try:
        return read_groups(compose_file(path), str(path))
    except NodeError as error:
        raise ModuleError(f"{path}:{error.line}: {error}") from None


def _targets(job: ScrapeJob, group: TargetGroup, notes: Notes) -> Iterator[ScrapeTarget]:
    defaults = {
        "job": job.name,
        "__scrape_interval__": duration_text(job.interval),
        "__scrape_timeout__": duration_text(job.timeout),
        "__metrics_path__": job.metrics_path,
        "__scheme__": job.scheme,
        **{PARAM + name: values[0] for name, values in job.params.items() if values},
    }
    for address, line in group.targets:
        given = {name: value for name, value in {**group.labels, "__address__": address}.items() if value}
        labels = relabel({**defaults, **given}, job.rules)
        if labels is None:
            notes.add(group.file, line, f"{address} of job {job.name!r} is dropped by its relabel_configs, as before")
        elif not labels.get("__address__"):
            what = f"{address} of job {job.name!r} has no __address__ after relabelling; Prometheus does not scrape it"
            notes.add(group.file, line, what)
        else:
            yield _target(job, group.file, line, labels)


def _target(job: ScrapeJob, file: str, line: int, labels: Mapping[str, str]) -> ScrapeTarget:
    params = dict(job.params)
    for name, value in labels.items():
        if name.startswith(PARAM):
            key = name.removeprefix(PARAM)
            params[key] = (value, *params.get(key, ())[1:])
    address = labels["__address__"]
    shown = {name: value for name, value in labels.items() if not name.startswith("__")}
    try:
        interval = read_milliseconds(labels.get("__scrape_interval__", "")) or job.interval
    except ValueError:
        interval = job.interval
    path = labels.get("__metrics_path__", job.metrics_path)
    return ScrapeTarget(job, file, line, address, path, params, {"instance": address, **shown}, interval)
