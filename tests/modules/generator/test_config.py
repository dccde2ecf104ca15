from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.generator.builder import BuildResult, build
from promsnmp.modules.generator.config import (
    LookupRule,
    ModuleConfig,
    Override,
    StaticFilter,
    parse_generator,
    read_generator,
)
from promsnmp.modules.generator.output import to_yaml
from promsnmp.modules.mibs.base import OIDS, TYPES
from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.mibs.tree import MibTree
from promsnmp.modules.model import Filter, Index, Lookup, Metric, Module, RegexExtract
from promsnmp.modules.snmp_yml.reader import read_text
from tests.support import tools
from tests.support.exporter import dry_run, require_exporter, require_generator

pytest.importorskip("pysmi", reason="pysmi is not installed (the extra 'mibs')")

MIBS = Path(__file__).parents[1] / "mibs" / "data"
ACME = "1.3.6.1.4.1.99999"
NAMES = tuple(LookupRule(("ifIndex",), name) for name in ("ifAlias", "ifDescr", "ifName"))


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> MibTree:
    return load_mibs([MIBS], cache=tmp_path_factory.mktemp("cache")).tree


def made(tree: MibTree, *walk: str, **how: Any) -> Module:
    """The module of a recipe in which nothing is missing."""
    built = built_of(tree, *walk, **how)
    assert built.missing == ()
    return built.module


def built_of(tree: MibTree, *walk: str, **how: Any) -> BuildResult:
    return build(ModuleConfig("test", walk, **how), tree)


def metric(module: Module, name: str) -> Metric:
    (found,) = (one for one in module.metrics if one.name == name)
    return found


def names(module: Module) -> list[str]:
    return [one.name for one in module.metrics]


# --- types


METRIC_TYPES = {
    "tInteger": "gauge", "tInteger32": "gauge", "tUnsigned": "gauge", "tGauge": "gauge", "tTicks": "gauge",
    "tCounter": "counter", "tCounter64": "counter", "tOctets": "OctetString", "tObjectId": "OctetString",
    "tAddress": "InetAddressIPv4", "tBits": "Bits", "tFlags": "Bits", "tEnum": "gauge", "tTruth": "gauge",
    "tText": "DisplayString", "tName": "DisplayString", "tUtf8": "DisplayString", "tMixed": "OctetString",
    "tMac": "PhysAddress48", "tPhys": "PhysAddress48", "tDate": "DateAndTime", "tFloat": "Float", "tDouble": "Double",
    "tStatus": "gauge", "tInetType": "gauge", "tInet": "InetAddress", "tInetAlone": "OctetString",
    "tInet4": "InetAddressIPv4", "tInet6": "InetAddressIPv6", "tPortKind": "gauge", "tPort": "LldpPortId",
    "tNarrow": "DisplayString", "tDerived": "DisplayString", "t_dashed": "gauge", "tGauge64": "counter",
}  # fmt: skip


def test_each_syntax_becomes_its_metric_type(tree: MibTree) -> None:
    module = made(tree, "acmeTypes")
    assert {one.name: str(one.type) for one in module.metrics} == METRIC_TYPES
    assert module.walk == (f"{ACME}.1",)
    assert module.get == ()


def test_what_has_no_metric_type_is_left_out_and_said(tree: MibTree) -> None:
    (note,) = built_of(tree, "acmeTypes").notes
    assert note.startswith("tOpaque is left out: no metric type fits Opaque, override its type (")
    module = made(tree, "acmeTypes", overrides=(("tOpaque", Override(type="Float")),))
    assert metric(module, "tOpaque").type == "Float"


def test_help_is_the_first_sentence_and_the_oid(tree: MibTree) -> None:
    assert metric(made(tree, "tText"), "tText").help == f"Object tText of the test - {ACME}.1.15"
    assert metric(made(tree, "ifNumber"), "ifNumber").help == "How many lines there are - 1.3.6.1.2.1.2.1"


def test_enumerations_and_bits_carry_their_names(tree: MibTree) -> None:
    module = made(tree, "acmeTypes")
    assert metric(module, "tEnum").enum_values == ((-1, "broken"), (0, "idle"), (1, "busy"))
    assert metric(module, "tFlags").enum_values == ((0, "first"), (1, "second"))


# --- indexes


@pytest.mark.parametrize(
    ("name", "indexes"),
    [
        ("plainValue", [Index("plIndex", "gauge")]),
        ("enumValue", [Index("enKind", "gauge", enum_values=((1, "a"), (2, "b")))]),
        ("textValue", [Index("txName", "DisplayString")]),
        ("impliedValue", [Index("imNumber", "gauge"), Index("imName", "DisplayString", implied=True)]),
        ("extraValue", [Index("imNumber", "gauge"), Index("imName", "DisplayString", implied=True)]),
        ("macValue", [Index("maAddress", "PhysAddress48", 6)]),
        ("sizedValue", [Index("szOctets", "OctetString", 4)]),
        ("ownValue", [Index("owOctets", "OctetString", 3)]),
        ("oidValue", [Index("oiType", "OctetString")]),
        ("addressValue", [Index("adAddress", "InetAddressIPv4")]),
        ("inetValue", [Index("inAddress", "InetAddress"), Index("inPort", "gauge")]),
        ("safiValue", [Index("saAddress", "InetAddress")]),
        ("dateValue", [Index("daWhen", "OctetString")]),
        (
            "truthValue",
            [Index("trFlag", "gauge", enum_values=((1, "true"), (2, "false"))), Index("trCounter", "counter")],
        ),
        ("slotState", [Index("slotEntry", "gauge")]),
    ],
)
def test_rows_are_labelled_by_their_indexes(tree: MibTree, name: str, indexes: list[Index]) -> None:
    assert list(metric(made(tree, name), name).indexes) == indexes


def test_tables_with_an_index_that_cannot_be_a_label_are_left_out_and_said(tree: MibTree) -> None:
    built = built_of(tree, "loneTable", "opaqueTable", "plainTable")
    assert names(built.module) == ["plIndex", "plainValue", "plainText"]
    lone, _, opaque = built.notes
    assert lone.startswith("loneEntry is left out: index loAddress is an InetAddress that no InetAddressType stands")
    assert opaque.startswith("opaqueEntry is left out: index opIndex cannot be a label: its type is Opaque")


def test_an_override_changes_the_type_of_an_index_too(tree: MibTree) -> None:
    module = made(tree, "enumTable", "inetTable", overrides=(
        ("enKind", Override(type="EnumAsInfo")), ("inAddress", Override(type="InetAddressMissingSize")),
    ))  # fmt: skip
    assert metric(module, "enumValue").indexes == (Index("enKind", "EnumAsInfo", enum_values=((1, "a"), (2, "b"))),)
    assert metric(module, "inetValue").indexes[0] == Index("inAddress", "InetAddressMissingSize")
    state = made(tree, "enumTable", overrides=(("enKind", Override(type="EnumAsStateSet")),))
    assert metric(state, "enumValue").indexes[0].type == "gauge"


# --- what is asked for


@pytest.mark.parametrize(
    ("named", "walk", "get"),
    [
        (["ifTable"], ["1.3.6.1.2.1.2.2"], []),
        (["1.3.6.1.2.1.2", "ifTable", "ifNumber", "ifInOctets.3"], ["1.3.6.1.2.1.2"], []),
        (["ifNumber"], [], ["1.3.6.1.2.1.2.1.0"]),
        (["ifNumber.0"], [], ["1.3.6.1.2.1.2.1.0"]),
        (["1.3.6.1.2.1.2.1.0"], [], ["1.3.6.1.2.1.2.1.0"]),
        ([".1.3.6.1.2.1.2.1"], [], ["1.3.6.1.2.1.2.1.0"]),
        (["IF-MIB::ifInOctets"], ["1.3.6.1.2.1.2.2.1.10"], []),
        (["ifInOctets.3", "1.3.6.1.2.1.2.2.1.10.12"], [], ["1.3.6.1.2.1.2.2.1.10.3", "1.3.6.1.2.1.2.2.1.10.12"]),
        (["tInet"], [], [f"{ACME}.1.26.0", f"{ACME}.1.27.0"]),
        (["ifXEntry", "ifEntry"], ["1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"], []),
    ],
)
def test_tables_are_walked_and_instances_fetched(
    tree: MibTree, named: list[str], walk: list[str], get: list[str]
) -> None:
    module = made(tree, *named)
    assert (list(module.walk), list(module.get)) == (walk, get)


def test_a_single_instance_makes_one_metric_with_its_indexes(tree: MibTree) -> None:
    module = made(tree, "ifInOctets.3")
    assert names(module) == ["ifInOctets"]
    assert metric(module, "ifInOctets").indexes == (Index("ifIndex", "gauge"),)


def test_what_no_mib_has_is_listed_and_the_rest_is_built(tree: MibTree) -> None:
    named = ("nowhere", "ifNumber", "IF-MIB::tText", "1.3.6.1.2.1.99", "ifNumber.x", "ifNumber.5", "")
    built = built_of(
        tree, *named, overrides=(("noSuch", Override(ignore=True)),), lookups=(LookupRule(("a",), "gone"),)
    )
    assert built.missing == (
        "noSuch (override)", "nowhere", "IF-MIB::tText", "1.3.6.1.2.1.99", "ifNumber.x", "ifNumber.5", "",
        "gone (lookup)",
    )  # fmt: skip
    assert names(built.module) == ["ifNumber"]


def test_objects_that_can_only_be_notified_or_written_make_no_metric(tree: MibTree) -> None:
    assert "tNotify" not in names(made(tree, "acmeTypes"))
    assert names(made(tree, "oldTable")) == ["oldIndex", "oldBytes", "old_height"]


def test_broken_objects_are_left_out_with_the_reason(tree: MibTree) -> None:
    built = built_of(tree, "acmeBroken")
    assert names(built.module) == ["goodFirst", "goodSecond", "goodThird", "goodFourth"]
    assert [note.partition(" (")[0] for note in built.notes] == [
        "badType is left out: type SecretKind is not defined",
        "badEntry is left out: index secretIndex is not defined",
    ]


# --- lookups


def test_a_lookup_labels_every_metric_that_has_its_indexes(tree: MibTree) -> None:
    module = made(tree, "ifInOctets", "ifNumber", lookups=NAMES)
    assert metric(module, "ifInOctets").lookups == (
        Lookup(("ifIndex",), "ifAlias", "1.3.6.1.2.1.31.1.1.1.18", "DisplayString"),
        Lookup(("ifIndex",), "ifDescr", "1.3.6.1.2.1.2.2.1.2", "DisplayString"),
        Lookup(("ifIndex",), "ifName", "1.3.6.1.2.1.31.1.1.1.1", "DisplayString"),
    )
    assert metric(module, "ifNumber").lookups == ()
    assert module.walk == (
        "1.3.6.1.2.1.2.2.1.2",
        "1.3.6.1.2.1.2.2.1.10",
        "1.3.6.1.2.1.31.1.1.1.1",
        "1.3.6.1.2.1.31.1.1.1.18",
    )


def test_a_lookup_of_a_single_instance_fetches_that_instance(tree: MibTree) -> None:
    module = made(tree, "ifInOctets.3", lookups=(LookupRule(("ifIndex",), "ifName"),))
    assert (module.walk, module.get) == ((), ("1.3.6.1.2.1.2.2.1.10.3", "1.3.6.1.2.1.31.1.1.1.1.3"))


def test_source_indexes_are_dropped_after_all_lookups(tree: MibTree) -> None:
    rules = (
        LookupRule(("ifIndex",), "ifName", drop_sources=True),
        LookupRule(("ifIndex",), "ifDescr", drop_sources=True),
    )
    lookups = metric(made(tree, "ifInOctets", lookups=rules), "ifInOctets").lookups
    assert [(one.labels, one.labelname) for one in lookups] == [
        (("ifIndex",), "ifName"), (("ifIndex",), "ifDescr"), ((), "ifIndex"),
    ]  # fmt: skip


def test_a_lookup_may_start_from_the_label_of_another(tree: MibTree) -> None:
    rules = (LookupRule(("ifIndex",), "ifType"), LookupRule(("ifType",), "ifName"))
    found = metric(made(tree, "ifInOctets", lookups=rules), "ifInOctets")
    assert found.indexes == (Index("ifIndex", "gauge"), Index("ifType", "gauge"))
    assert [one.labels for one in found.lookups] == [("ifIndex",), ("ifType",)]


def test_a_lookup_that_nothing_uses_is_said(tree: MibTree) -> None:
    built = built_of(tree, "ifNumber", lookups=(LookupRule(("ifIndex",), "ifName"),))
    assert built.notes == ("lookup ifName is not used: nothing has the index ifIndex",)


# --- overrides and filters


def test_overrides_change_one_metric(tree: MibTree) -> None:
    extract = RegexExtract("Temp", (("(.*)C", "$1"), (".*", "0")))
    overrides = (
        ("ifSpeed", Override(scale=0.001, offset=-5.0, help="Kilo")),
        ("1.3.6.1.2.1.2.2.1.2", Override(regex_extracts=(extract,))),
        ("IF-MIB::ifMtu", Override(name="mtu")),
        ("ifType", Override(type="EnumAsInfo")),
        ("ifOperStatus", Override(type="EnumAsStateSet")),
        ("ifAdminStatus", Override(ignore=True)),
    )
    module = made(tree, "ifTable", overrides=overrides)
    speed = metric(module, "ifSpeed")
    assert (speed.scale, speed.offset, speed.help) == (0.001, -5.0, "Kilo")
    assert metric(module, "ifDescr").regex_extracts == (extract,)
    assert metric(module, "mtu").oid == "1.3.6.1.2.1.2.2.1.4"
    assert (metric(module, "ifType").type, metric(module, "ifOperStatus").type) == ("EnumAsInfo", "EnumAsStateSet")
    assert not {"ifMtu", "ifAdminStatus"} & set(names(module))


def test_an_override_finds_names_as_metrics_have_them(tree: MibTree) -> None:
    assert "t_dashed" not in names(made(tree, "acmeTypes", overrides=(("t_dashed", Override(ignore=True)),)))


def test_two_objects_of_one_name_are_said(tree: MibTree) -> None:
    built = built_of(tree, "ifMtu", "ifSpeed", overrides=(("ifMtu", Override(name="ifSpeed")),))
    assert built.notes == (
        "ifSpeed is made of 1.3.6.1.2.1.2.2.1.4 and of 1.3.6.1.2.1.2.2.1.5: rename or ignore one of them",
    )


def test_a_static_filter_fetches_some_rows_of_its_targets_and_of_what_they_label(tree: MibTree) -> None:
    module = made(tree, "ifInOctets", "ifMtu", lookups=(LookupRule(("ifIndex",), "ifName"),),
                  static_filters=(StaticFilter(("ifName",), ("1", "2")),))  # fmt: skip
    assert module.walk == ()
    columns = ("1.3.6.1.2.1.2.2.1.4", "1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.31.1.1.1.1")
    assert module.get == tuple(f"{column}.{row}" for column in columns for row in (1, 2))


def test_a_dynamic_filter_may_use_names(tree: MibTree) -> None:
    module = made(tree, "ifTable", filters=(Filter("ifAdminStatus", ("ifTable", "1.3.6.1.2.1.31"), ("1",)),))
    assert module.filters == (Filter("1.3.6.1.2.1.2.2.1.7", ("1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31"), ("1",)),)
    assert built_of(tree, "ifTable", filters=(Filter("no", ("ifTable",), ("1",)),)).missing == ("no (filter)",)


# --- generator.yml


GENERATOR = r"""
auths:
  public_v2: {version: 2}
  secret: {version: 3, username: admin, password: 0123, security_level: authNoPriv}
common: &common
modules:
  if_mib:
    walk: [interfaces, ifXTable]
    max_repetitions: 5
    retries: 0
    timeout: 1m30s
    use_unconnected_udp_socket: true
    allow_nonincreasing_oids: true
    lookups:
      - source_indexes: [ifIndex]
        lookup: ifAlias
      - source_indexes: [ifIndex]
        lookup: 1.3.6.1.2.1.2.2.1.2
      - {source_indexes: [ifIndex], lookup: "IF-MIB::ifName", drop_source_indexes: true}
    overrides:
      ifAlias: {ignore: true}
      ifType: &info {type: EnumAsInfo}
      ifPromiscuousMode: *info
      ifMtu:
        scale: 0.5
        offset: 3
        regex_extracts:
          Temp: [{regex: '(\d+)C'}, {regex: '.*', value: '0'}]
    filters:
      static: [{targets: [ifMtu], indices: ["1", 2]}]
      dynamic: [{oid: 1.3.6.1.2.1.2.2.1.7, targets: ["1.3.6.1.2.1.2.2.1.4"], values: ["1"]}]
version: 2
""".replace("common: &common\n", "")


def test_everything_of_a_generator_yml_is_read() -> None:
    file = parse_generator(GENERATOR, source="generator.yml")
    assert file.auths["secret"]["password"] == "0123"
    (config,) = file.configs
    assert config.walk == ("interfaces", "ifXTable")
    assert config.settings == {"max_repetitions": 5, "retries": 0, "timeout": 90.0, "use_unconnected_udp_socket": True,
                               "allow_nonincreasing_oids": True}  # fmt: skip
    assert config.lookups[2] == LookupRule(("ifIndex",), "IF-MIB::ifName", drop_sources=True)
    assert dict(config.overrides)["ifPromiscuousMode"].type == "EnumAsInfo"
    assert dict(config.overrides)["ifMtu"].regex_extracts == (RegexExtract("Temp", ((r"(\d+)C", "$1"), (".*", "0"))),)
    assert config.static_filters == (StaticFilter(("ifMtu",), ("1", "2")),)
    assert config.filters == (Filter("1.3.6.1.2.1.2.2.1.7", ("1.3.6.1.2.1.2.2.1.4",), ("1",)),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modules:\n  a:\n    wlak: [x]", r"g\.yml:3: unknown key 'wlak' in module 'a'; allowed: .*walk"),
        (
            "modules: {a: {overrides: {b: {type: Gauge}}}}",
            r"g\.yml:1: 'type' of override 'b': 'Gauge' is not known; allowed",
        ),
        ("modules: {a: {lookups: [{lookup: b}]}}", "a lookup has no 'source_indexes'"),
        ("modules: {a: {timeout: 5x}}", "is not a duration"),
        ("modules: {a: {filters: {static: [{targets: [b], indices: [x]}]}}}", "'x' is not an index"),
        ("modules: {a: {filters: {dynamic: [{oid: b, values: [c]}]}}}", "a filter has no 'targets'"),
        ("modules: {a: {overrides: {b: {scale: many}}}}", "must be a number"),
        ("module: {}", "unknown key 'module' in the file"),
        ("a: [", r"g\.yml:\d+: not valid YAML"),
    ],
)
def test_what_is_wrong_in_a_generator_yml_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ModuleError, match=message):
        parse_generator(text, source="g.yml")


def test_secrets_of_a_generator_yml_are_not_shown() -> None:
    file = parse_generator(GENERATOR, source="g.yml")
    assert "0123" not in repr(file)
    with pytest.raises(ModuleError) as error:
        parse_generator("auths: {a: {pasword hunter2: }}", source="g.yml")
    assert "hunter2" not in str(error.value)


def test_a_generator_yml_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"nowhere\.yml: cannot be read: No such file"):
        read_generator(tmp_path / "nowhere.yml")


# --- what is written


def test_what_is_written_is_read_back_the_same(tree: MibTree) -> None:
    file = parse_generator(GENERATOR, source="generator.yml")
    modules = [build(config, tree).module for config in file.configs]
    modules += [replace(made(tree, "acmeTypes", "acmeIndexes", "acmeOld"), name="all")]
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
        del one["help"]  # our MIB has words of its own, and fewer kinds of lines
        if one["name"] == "ifType":
            del one["enum_values"]
    assert {one["name"]: one for one in ours["metrics"]} == {one["name"]: one for one in released["metrics"]}


def test_snmp_exporter_loads_what_is_written(tree: MibTree, tmp_path: Path) -> None:
    program = require_exporter()
    file = parse_generator(GENERATOR, source="generator.yml")
    modules = [build(one, tree).module for one in file.configs]
    modules += [replace(made(tree, "acmeTypes", "acmeIndexes", "acmeOld"), name="all")]
    config = tmp_path / "snmp.yml"
    config.write_text(to_yaml(modules, file.auths))
    ran = dry_run(program, config)
    assert ran.process.returncode == 0, ran.output()
    assert "Configuration parsed successfully" in ran.output()


# --- beside snmp_exporter's generator


BESIDE = r"""
modules:
  if_mib:
    walk: [interfaces, ifXTable]
    lookups:
      - {source_indexes: [ifIndex], lookup: ifAlias}
      - {source_indexes: [ifIndex], lookup: 1.3.6.1.2.1.2.2.1.2}
    overrides: {ifAlias: {ignore: true}, ifType: {type: EnumAsInfo}, ifMtu: {scale: 0.5, offset: 2, help: words}}
  types: {walk: [acmeTypes]}
  tables: {walk: [acmeIndexes]}
  old: {walk: [acmeOld]}
  single:
    walk: [ifNumber, 1.3.6.1.2.1.2.2.1.10.3, ifOutOctets, plainValue]
    retries: 0
    timeout: 10s
    lookups:
      - {source_indexes: [ifIndex], lookup: ifName, drop_source_indexes: true}
      - {source_indexes: [plIndex], lookup: plainText}
  chained:
    walk: [ifTable]
    lookups:
      - {source_indexes: [ifIndex], lookup: ifType}
      - {source_indexes: [ifType], lookup: ifName}
    overrides: {ifIndex: {type: EnumAsInfo}}
    filters:
      static: [{targets: [ifName, ifOutOctets], indices: ["1", "2"]}]
      dynamic: [{oid: 1.3.6.1.2.1.2.2.1.7, targets: ["1.3.6.1.2.1.2.2.1.2"], values: ["1"]}]
"""
DELIBERATE = {"tDerived", "slotState", "owOctets", "ownValue", "ownText", "daWhen", "dateValue", "dateText"}
"""Where we know more: types derived from DisplayString, an index that is only a type, a SIZE of the index object itself
(RFC 2578 section 7.7), and DateAndTime as an index, at which snmp_exporter fails."""


def standard_mibs(folder: Path) -> Path:
    """What the generator needs to be told of the top of the tree, from our own tables."""
    folder.mkdir()
    nodes = "".join(
        f"{name} OBJECT IDENTIFIER ::= {{ iso {' '.join(map(str, oid[1:]))} }}\n"
        for name, oid in OIDS.items()
        if oid[1:]
    )
    for name in ("SNMPv2-SMI", "RFC1155-SMI"):
        (folder / name).write_text(f"{name} DEFINITIONS ::= BEGIN\n{nodes.replace('zeroDotZero', 'zero')}END\n")
    types = ""
    for one in TYPES.values():
        narrowed = f" (SIZE ({one.syntax.fixed_size}))" if one.syntax.fixed_size else ""
        if one.syntax.enums:
            narrowed = f" {{ {', '.join(f'{label}({number})' for number, label in one.syntax.enums)} }}"
        base = "INTEGER" if one.syntax.enums else one.syntax.name
        hint = f'DISPLAY-HINT "{one.hint}" ' if one.hint else ""
        types += f'{one.name} ::= TEXTUAL-CONVENTION {hint}STATUS current DESCRIPTION "" SYNTAX {base}{narrowed}\n'
    for name in ("SNMPv2-TC", "HCNUM-TC", "SNMP-FRAMEWORK-MIB", "INET-ADDRESS-MIB", "RFC1213-MIB"):
        (folder / name).write_text(f"{name} DEFINITIONS ::= BEGIN\n{types}END\n")
    return folder


def test_snmp_exporters_generator_makes_the_same_of_the_same_mibs(tree: MibTree, tmp_path: Path) -> None:
    generator = require_generator()
    configs, out = tmp_path / "generator.yml", tmp_path / "snmp.yml"
    configs.write_text(BESIDE)
    folders = ("-m", str(standard_mibs(tmp_path / "standard")), "-m", str(MIBS))
    command = [generator, *folders, "--no-fail-on-parse-errors", "generate", "-g", str(configs), "-o", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    theirs = yaml.safe_load(out.read_text())["modules"]
    ours = yaml.safe_load(to_yaml([build(config, tree).module for config in read_generator(configs).configs]))[
        "modules"
    ]
    assert ours.keys() == theirs.keys()
    for name, module in ours.items():
        other = theirs[name]
        for one in (module, other):
            one["metrics"] = {one["name"]: one for one in one["metrics"] if one["name"] not in DELIBERATE}
            one.update({key: sorted(one.get(key, ())) for key in ("walk", "get")})
        assert module == other, name
