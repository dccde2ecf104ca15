"""The written snmp.yml: our reader and snmp_exporter read it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.generator.builder import build
from promsnmp.modules.generator.config import (
    ModuleConfig,
    Override,
    parse_generator,
)
from promsnmp.modules.generator.output import MAX_LINES, to_yaml
from promsnmp.modules.mibs.tree import MibTree
from promsnmp.modules.model import Index, Metric, Module
from promsnmp.modules.snmp_yml.reader import read_text
from tests.support import tools
from tests.support.exporter import dry_run, require_exporter
from tests.support.modules.generated import GENERATOR, NAMES, built_module


def test_written_modules_read_back_the_same(tree: MibTree) -> None:
    file = parse_generator(GENERATOR, source="generator.yml")
    modules = [build(config, tree).module for config in file.configs]
    modules += [replace(built_module(tree, "acmeTypes", "acmeIndexes", "acmeOld"), name="all")]
    document = read_text(to_yaml(modules, file.auths), source="snmp.yml")
    assert list(document.modules) == ["if_mib", "all"]
    for module in modules:
        back = document.modules[module.name]
        assert [(one.name, one.oid, str(one.type), one.help) for one in back.metrics] == [
            (one.name, one.oid, str(one.type), one.help) for one in module.metrics
        ]
        for key in ("walk", "get", "filters", "retries", "timeout", "max_repetitions", "use_unconnected_udp_socket"):
            assert getattr(back, key) == getattr(module, key)
        for one, other in zip(back.metrics, module.metrics, strict=True):
            assert (one.indexes, one.lookups, one.enum_values) == (other.indexes, other.lookups, other.enum_values)
            assert (one.scale, one.offset, one.datetime_pattern) == (other.scale, other.offset, other.datetime_pattern)


def test_auths_are_written_as_they_were() -> None:
    text = to_yaml([Module("m", walk=("1.3",))], {"a": {"version": "3", "username": "x", "password": "0123"}})
    assert yaml.safe_load(text)["auths"] == {"a": {"version": 3, "username": "x", "password": "0123"}}
    assert "password: '0123'" in text


IF_MIB = ModuleConfig(
    "if_mib",
    ("interfaces", "ifXTable"),
    NAMES,
    (
        *((name, Override(ignore=True)) for name in ("ifAlias", "ifDescr", "ifName")),
        ("ifType", Override(type="EnumAsInfo")),
    ),
)


def test_an_interface_mib_becomes_the_if_mib_that_snmp_exporter_is_released_with(tree: MibTree) -> None:
    released = yaml.load(
        tools.require_shared("snmp_exporter", "snmp.yml").read_bytes(),
        Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),
    )["modules"]["if_mib"]
    ours = yaml.safe_load(to_yaml([build(IF_MIB, tree).module]))["modules"]["if_mib"]
    assert sorted(ours["walk"]) == sorted(released["walk"])
    assert ours.get("get") == released.get("get")
    for one in (*ours["metrics"], *released["metrics"]):
        del one["help"]  # our MIB has other texts, and fewer kinds of lines
        if one["name"] == "ifType":
            del one["enum_values"]
    assert {one["name"]: one for one in ours["metrics"]} == {one["name"]: one for one in released["metrics"]}


def test_snmp_exporter_loads_what_is_written(tree: MibTree, tmp_path: Path) -> None:
    program = require_exporter()
    file = parse_generator(GENERATOR, source="generator.yml")
    modules = [build(one, tree).module for one in file.configs]
    modules += [replace(built_module(tree, "acmeTypes", "acmeIndexes", "acmeOld"), name="all")]
    config = tmp_path / "snmp.yml"
    config.write_text(to_yaml(modules, file.auths))
    ran = dry_run(program, config)
    assert ran.process.returncode == 0, ran.output()
    assert "Configuration parsed successfully" in ran.output()


def test_a_file_that_would_be_too_long_is_refused_with_the_metric_at_which_it_is() -> None:
    names = tuple((number, f"n{number}") for number in range(MAX_LINES // 4))
    metrics = tuple(Metric(f"m{number}", f"1.3.{number}", "gauge", "", (Index("i", "EnumAsInfo", 0, False, names),))
                    for number in range(5))  # fmt: skip
    with pytest.raises(ModuleError, match=rf"module large: more than {MAX_LINES} lines .* m3 \(1\.3\.3\)"):
        to_yaml([Module("small"), Module("large", metrics=metrics)])
    with pytest.raises(ModuleError, match="module second"):
        to_yaml([Module("first", metrics=metrics[:2]), Module("second", metrics=metrics[2:])])
