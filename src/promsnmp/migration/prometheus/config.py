"""Reads ``scrape_configs`` of prometheus.yml, with lines, as far as a migration needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import TypeVar

import yaml

from promsnmp.errors import ModuleError
from promsnmp.inventory.document.parsing import read_milliseconds
from promsnmp.migration.notes import Notes
from promsnmp.migration.prometheus.relabel import DEFAULT_REGEX, Rule
from promsnmp.modules.snmp_yml.reader import read_octets
from promsnmp.support import yaml_nodes, yaml_scalars, yaml_text
from promsnmp.support.yaml_nodes import NodeError

T = TypeVar("T")

DEFAULT_INTERVAL, DEFAULT_TIMEOUT = 60_000, 10_000
"""Milliseconds: those of Prometheus."""
_STAYS = (
    "metric_relabel_configs", "honor_labels", "sample_limit", "label_limit", "body_size_limit", "basic_auth",
    "authorization", "oauth2", "tls_config", "proxy_url", "follow_redirects", "native_histogram_bucket_limit",
)  # fmt: skip
"""Keys of a job that say how Prometheus scrapes; they have their place in the job that scrapes PromSNMP."""


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Targets with the labels that they share."""

    targets: tuple[tuple[str, int], ...]
    """Address and line."""
    labels: Mapping[str, str]
    file: str


@dataclass(slots=True)
class ScrapeJob:
    """One item of ``scrape_configs``."""

    name: str
    file: str
    line: int
    metrics_path: str = "/metrics"
    scheme: str = "http"
    interval: int = DEFAULT_INTERVAL
    """Milliseconds, like ``timeout``."""
    timeout: int = DEFAULT_TIMEOUT
    params: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: list[TargetGroup] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)
    """Patterns of ``file_sd_configs`` and their lines."""
    other_sources: list[tuple[str, int]] = field(default_factory=list)
    """Other kinds of service discovery and their lines."""
    stays: list[tuple[str, int]] = field(default_factory=list)
    """Keys that stay in Prometheus, and their lines."""
    rules: list[Rule] = field(default_factory=list)


def read_jobs(path: Path, notes: Notes) -> list[ScrapeJob]:
    """The scrape jobs of a prometheus.yml and its ``scrape_config_files``. Raises ModuleError with file and line."""
    root = compose_file(path)
    with_lines = _Reader(path, notes)
    return with_lines.run(lambda: list(with_lines.jobs(root)))


def compose_file(path: Path) -> yaml.Node:
    """The root node of a YAML or JSON file. Raises ModuleError."""
    try:
        root = yaml_text.compose(read_octets(path))
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{path}:{line or 1}: not valid YAML: {reason}") from None
    except RecursionError:
        raise ModuleError(f"{path}:1: lists or mappings are nested too deeply") from None
    if root is None:
        raise ModuleError(f"{path}:1: the file is empty")
    return root


def read_groups(node: yaml.Node, file: str) -> list[TargetGroup]:
    """The target groups of ``static_configs``, or of a file of ``file_sd_configs``. Raises NodeError."""
    groups = []
    for item in yaml_nodes.items(node, "target groups"):
        parts = dict(yaml_nodes.pairs(item, "a target group"))
        targets = tuple(
            (yaml_nodes.text(each, "a target"), each.start_mark.line + 1)
            for each in yaml_nodes.items(parts["targets"], "'targets'")
        ) if "targets" in parts else ()  # fmt: skip
        labels = {
            key: yaml_nodes.text(value, f"label {key[:40]!r}")
            for key, value in (yaml_nodes.pairs(parts["labels"], "'labels'") if "labels" in parts else ())
        }
        groups.append(TargetGroup(targets, labels, file))
    return groups


class _Reader:
    """Reads one file; ``globals`` are interval and timeout of its section ``global``."""

    def __init__(self, path: Path, notes: Notes, globals_: tuple[int, int] | None = None) -> None:
        self._path = path
        self._notes = notes
        self._interval, self._timeout = globals_ or (DEFAULT_INTERVAL, DEFAULT_TIMEOUT)

    def run(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except NodeError as error:
            raise ModuleError(f"{self._path}:{error.line}: {error}") from None

    def jobs(self, root: yaml.Node) -> list[ScrapeJob]:
        parts = dict(yaml_nodes.pairs(root, "the file"))
        if "global" in parts:
            given = dict(yaml_nodes.pairs(parts["global"], "'global'"))
            self._interval = _duration(given, "scrape_interval", self._interval)
            self._timeout = _duration(given, "scrape_timeout", self._timeout)
        jobs = [self._job(node) for node in yaml_nodes.items(parts["scrape_configs"], "'scrape_configs'")] if (
            "scrape_configs" in parts
        ) else []  # fmt: skip
        for node in yaml_nodes.items(parts["scrape_config_files"], "a list") if "scrape_config_files" in parts else ():
            pattern = yaml_nodes.text(node, "a file")
            for name in _files(self._path, pattern):
                other = _Reader(name, self._notes, (self._interval, self._timeout))
                jobs += other.run(lambda other=other, name=name: other.jobs(compose_file(name)))  # type: ignore[misc]  # a default binds the loop's value
        return jobs

    def _job(self, node: yaml.Node) -> ScrapeJob:
        parts = dict(yaml_nodes.pairs(node, "a scrape config"))
        name = _text(parts, "job_name", "")
        if not name:
            raise NodeError(node, "a scrape config has no 'job_name'")
        interval = _duration(parts, "scrape_interval", self._interval)
        job = ScrapeJob(
            name,
            str(self._path),
            node.start_mark.line + 1,
            _text(parts, "metrics_path", "/metrics"),
            _text(parts, "scheme", "http"),
            interval,
            _duration(parts, "scrape_timeout", min(self._timeout, interval)),
        )
        for key, key_node, value in yaml_nodes.entries(node, "a scrape config"):
            self._part(job, key, value, key_node.start_mark.line + 1)
        return job

    def _part(self, job: ScrapeJob, key: str, node: yaml.Node, line: int) -> None:
        if key == "params":
            for name, values in yaml_nodes.pairs(node, "'params'"):
                job.params[name] = tuple(yaml_nodes.text(one, name) for one in yaml_nodes.items(values, f"'{name}'"))
        elif key == "static_configs":
            job.groups += read_groups(node, str(self._path))
        elif key == "file_sd_configs":
            for item in yaml_nodes.items(node, "'file_sd_configs'"):
                given = dict(yaml_nodes.pairs(item, "a file_sd config"))
                patterns = yaml_nodes.items(given["files"], "'files'") if "files" in given else []
                job.files += [(yaml_nodes.text(one, "a file"), one.start_mark.line + 1) for one in patterns]
        elif key.endswith("_sd_configs"):
            job.other_sources.append((key, line))
        elif key == "relabel_configs":
            job.rules += [_rule(item) for item in yaml_nodes.items(node, "'relabel_configs'")]
        elif key in _STAYS:
            job.stays.append((key, line))


def files_of(job: ScrapeJob, pattern: str) -> list[Path]:
    """The files that a pattern of ``file_sd_configs`` matches; relative ones begin at prometheus.yml."""
    return _files(Path(job.file), pattern)


def _files(beside: Path, pattern: str) -> list[Path]:
    return [Path(name) for name in sorted(glob(str(beside.parent / pattern)))]  # noqa: PTH207  # the pattern may be absolute


def _text(parts: Mapping[str, yaml.Node], key: str, default: str) -> str:
    return yaml_nodes.text(parts[key], f"{key!r}") if key in parts else default


def _duration(parts: Mapping[str, yaml.Node], key: str, default: int) -> int:
    if key not in parts or yaml_nodes.is_null(parts[key]):
        return default
    try:
        return read_milliseconds(yaml_nodes.text(parts[key], f"{key!r}")) or default
    except ValueError as error:
        raise NodeError(parts[key], f"{key!r} {error}") from None


def _rule(node: yaml.Node) -> Rule:
    parts = dict(yaml_nodes.pairs(node, "a relabel config"))
    sources = yaml_nodes.items(parts["source_labels"], "'source_labels'") if "source_labels" in parts else []
    rule = Rule(
        action=_text(parts, "action", "replace").lower(),
        source_labels=tuple(yaml_nodes.text(one, "a source label") for one in sources),
        separator=_text(parts, "separator", ";"),
        regex=_text(parts, "regex", DEFAULT_REGEX),
        target_label=_text(parts, "target_label", ""),
        replacement=_text(parts, "replacement", "$1"),
        modulus=yaml_scalars.integer(parts["modulus"], "'modulus'") if "modulus" in parts else 0,
        line=node.start_mark.line + 1,
    )
    try:
        rule.check()
    except ValueError as error:
        raise NodeError(node, f"this relabel config is not valid: {error}") from None
    return rule
