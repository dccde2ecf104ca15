"""PromSNMP loads and refuses the same files as snmp_exporter; refusals name the line."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.snmp_yml.read_options import ReadOptions
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.modules.snmp_yml.writer import to_yaml
from tests.support.exporter import Exporter, reload, require_exporter
from tests.support.modules.odd_files import BASE, odd_files

FILES = odd_files()
REFUSED_HERE: Mapping[str, Sequence[str]] = {
    "not an OID": ("walk *", "get *", "oid *", "filter without oid"),
    "an impossible number or duration": ("retries -1", "timeout 0", "timeout 0s", "timeout -5s"),
    "not a number": ("scale .inf", "scale .nan", "enum {null: a}"),
    "an impossible size": ("indexes [{labelname: i, type: OctetString, fixed_size: -1}]",),
    "a metric, index or lookup that says too little": (
        *("metric empty", "metric null", "metric without *", "name ", "name null"),
        *("indexes [null]", "indexes [{}]", "indexes [{type: gauge}]", "lookups [null]"),
        *("lookups [{labels: [i], oid: 1.3.7, type: gauge}]", "lookups [{labels: [i], labelname: n, type: gauge}]"),
    ),
    "a type that does not exist": (
        *("metric type unknown", "metric type of an index", "indexes [{labelname: i, type: foo}]"),
        *("indexes [{labelname: i, type: Bits}]", "indexes [{labelname: i, type: DateAndTime}]"),
        "lookups [{labels: [i], labelname: n, oid: 1.3.7, type: foo}]",
    ),
    "lookups in a circle": (
        "lookups [{labels: [n], labelname: n, oid: 1.3.7, type: gauge}]",
        "lookups [{labels: [b], labelname: a, oid: 1.3.7, type: gauge}, *",
    ),
    "an expression that is none": ("filter regex",),
    "a second document": ("two documents",),
}
"""Files that snmp_exporter loads, although every scrape then fails or lacks something, or part of the file is ignored.
"""
OTHERWISE = {"timeout 5": "5s", "timeout 1e3": "1000s"}
"""Durations without a unit, which snmp_exporter reads as nanoseconds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``config`` is None when the file was refused."""

    config: Mapping[str, Any] | None
    error: str = ""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    folder = tmp_path_factory.mktemp("loading")
    file = folder / "snmp.yml"
    file.write_text(BASE)
    found = {}
    with Exporter(require_exporter(), file, log=folder / "log") as exporter:
        for name, text in FILES.items():
            file.write_bytes(text.encode())
            try:
                reload(exporter)
            except urllib.error.HTTPError as error:
                found[name] = Verdict(None, error.read().decode())
            else:
                found[name] = Verdict(yaml.safe_load(exporter.get("/config")[1]))
    return found


def ours(name: str) -> Verdict:
    try:
        found = read_text(FILES[name].encode(), source="f.yml", options=ReadOptions({}))
    except ModuleError as error:
        return Verdict(None, str(error))
    return Verdict(yaml.safe_load(to_yaml(found.modules, found.auths)) or {})


def is_deliberate(name: str) -> bool:
    return any(fits(name, pattern) for patterns in REFUSED_HERE.values() for pattern in patterns)


def fits(name: str, pattern: str) -> bool:
    """Whether a name is a pattern, or starts like one that ends in a star."""
    return name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_accepted_or_refused_as_by_snmp_exporter(name: str, theirs: dict[str, Verdict]) -> None:
    mine, other = ours(name), theirs[name]
    if other.config is None or (mine.config is None and is_deliberate(name)):
        assert mine.config is None, f"snmp_exporter refuses it: {other.error}"
        assert re.match(r"f\.yml:\d+: [^\n]{10,}$", mine.error), mine.error
    else:
        assert mine.config is not None, mine.error
        assert plain(mine.config.get("modules")) == plain(expected(name, other.config))


def expected(name: str, config: Mapping[str, Any]) -> Any:
    modules: Any = config.get("modules")
    if name in OTHERWISE:
        modules["m"]["timeout"] = OTHERWISE[name]
    return modules


def plain(modules: Mapping[str, Any] | None) -> dict[str, Any]:
    """Modules without keys that have their defaults, in the same spelling."""
    return {name: _plain_module(one or {}) for name, one in (modules or {}).items()}


def _plain_module(module: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in module.items() if key not in ("retries", "max_repetitions", "timeout")}
    # snmp_exporter keeps the retries of one module for others; what is null there is 0, and here the default
    for key, default in (("max_repetitions", 25), ("timeout", "5s")):
        found[key] = module.get(key) or default
    found["timeout"] = _TIMES.get(found["timeout"], found["timeout"])
    found["metrics"] = [_plain_metric(one) for one in module.get("metrics") or ()]
    found["filters"] = [_plain_filter(one) for one in module.get("filters") or ()]
    found["walk"] = [one.removeprefix(".") for one in module.get("walk") or ()]
    found["get"] = [one.removeprefix(".") for one in module.get("get") or ()]
    return {key: value for key, value in found.items() if value not in (False, [], None)}


_TIMES = {"1m30s": "90s", "1h0m0s": "3600s", "999999h0m0s": "1e+09s", "5\u00b5s": "0.005ms", "100ns": "0.0001ms"}


def _plain_metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in metric.items() if value not in ("", 0, None, [], {})}
    for extract in (one for entries in found.get("regex_extracts", {}).values() for one in entries):
        whole = re.fullmatch(r"\^\(\?:(.*)\)\$", extract["regex"] or "", re.DOTALL)
        extract["regex"] = whole[1] if whole else extract["regex"] or ""
    for index in found.get("indexes", ()):
        index["type"] = index["type"] or "gauge"
    found["lookups"] = [
        {key: value for key, value in lookup.items() if key in ("labels", "labelname") or lookup.get("labels")}
        for lookup in found.get("lookups", ())
    ]
    for lookup in found["lookups"]:
        if lookup["labels"]:
            lookup.setdefault("type", "OctetString")
    return found


def _plain_filter(one: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if value}


def test_deliberate_refusals_are_in_use() -> None:
    patterns = [pattern for patterns in REFUSED_HERE.values() for pattern in patterns]
    assert [one for one in patterns if not any(fits(name, one) for name in FILES)] == []
