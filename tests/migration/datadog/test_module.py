"""Modules of Datadog profiles: what they say, and what they make of a device."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from promsnmp.errors import ModuleError
from promsnmp.migration.datadog.module import ImportedModule, import_profile, known_types
from promsnmp.migration.datadog.profiles import Profiles
from promsnmp.migration.notes import Notes
from promsnmp.modules.catalogue import Catalogue, CatalogueStore, builtin_catalogue
from promsnmp.modules.snmp_yml.check import module_notes
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.modules.snmp_yml.writer import to_yaml
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.sim.mib import Mib
from promsnmp.sim.recording import parse_recording
from tests.support.modules.pages import samples_of

BASE = """\
metadata:
  device:
    fields:
      name: {symbol: {OID: 1.3.6.1.2.1.1.5.0, name: sysName}}
metric_tags:
  - {OID: 1.3.6.1.2.1.1.5.0, symbol: sysName, tag: snmp_host}
metrics:
  - MIB: ACME-MIB
    symbol: {OID: 1.3.6.1.4.1.99999.1.1.0, name: acmeTemperature, scale_factor: 0.1}
"""
SWITCH = """\
extends: [_base.yaml, _missing.yaml]
sysobjectid: ['1.3.6.1.4.1.99999.9.*']
metrics:
  - MIB: ACME-MIB
    forced_type: monotonic_count
    symbol: {OID: 1.3.6.1.4.1.99999.1.2.0, name: acme.drops}
  - MIB: ACME-MIB
    symbol: {OID: 1.3.6.1.4.1.99999.1.3.0, name: acmeLoad, extract_value: 'load (\\d+)%'}
  - {MIB: ACME-MIB, metric_type: flag_stream, symbol: {OID: 1.3.6.1.4.1.99999.1.4.0, name: acmeState},
     options: {placement: 2, metric_suffix: OnBattery}}
  - {MIB: ACME-MIB, metric_type: flag_stream, symbol: {OID: 1.3.6.1.4.1.99999.1.4.0, name: acmeState},
     options: {placement: 3, metric_suffix: Fault}}
  - MIB: ACME-MIB
    table: {OID: 1.3.6.1.4.1.99999.2, name: acmePortTable}
    metric_type: monotonic_count_and_rate
    symbols:
      - {OID: 1.3.6.1.4.1.99999.2.1.3, name: acmePortErrors}
    metric_tags:
      - {tag: slot, index: 1}
      - {tag: kind, index: 2, mapping: {1: copper, 2: fibre}}
      - {tag: port, column: {OID: 1.3.6.1.4.1.99999.2.1.4, name: acmePortName}}
      - {tag: state, mapping: {1: up, 2: down}, symbol: {OID: 1.3.6.1.4.1.99999.2.1.5, name: acmePortState}}
      - {tag: mac, symbol: {OID: 1.3.6.1.4.1.99999.2.1.6, name: acmePortMac, format: mac_address}}
      - {tag: card, table: acmeCardTable, symbol: {OID: 1.3.6.1.4.1.99999.3.1.2, name: acmeCardName},
         index_transform: [{start: 0, end: 0}]}
  - MIB: ACME-MIB
    table: {OID: 1.3.6.1.4.1.99999.2, name: acmePortTable}
    symbols: [{name: acmePort, constant_value_one: true}]
    metric_tags:
      - {tag: port, symbol: {OID: 1.3.6.1.4.1.99999.2.1.4, name: acmePortName}}
  - MIB: ACME-MIB
    table: {OID: 1.3.6.1.4.1.99999.4, name: acmePeerTable}
    symbols: [{OID: 1.3.6.1.4.1.99999.4.1.2, name: acmePeerRoutes, metric_type: gauge}]
    metric_tags:
      - {tag: peer, symbol: {OID: 1.3.6.1.4.1.99999.5.1.2, name: acmePeerName},
         index_transform: [{start: 1, end: 4}]}
  - {MIB: ACME-MIB, symbol: acmeWithoutOid}
  - MIB: ACME-MIB
    table: {OID: 1.3.6.1.4.1.99999.6, name: acmeFanTable}
    symbols: [{OID: 1.3.6.1.4.1.99999.6.1.2, name: acmeFan, metric_type: percent}]
    metric_tags:
      - {column: {OID: 1.3.6.1.4.1.99999.6.1.3, name: acmeFanName}, match: '(\\w)(\\w)', tags: {a: \\1, b: \\2}}
"""
DEVICE = """\
1.3.6.1.4.1.99999.1.1.0|2|215
1.3.6.1.4.1.99999.1.2.0|65|7
1.3.6.1.4.1.99999.1.3.0|4|now: load 42% of all
1.3.6.1.4.1.99999.1.4.0|4|0100
1.3.6.1.4.1.99999.2.1.3.1.2.300|65|11
1.3.6.1.4.1.99999.2.1.3.1.2.301|65|12
1.3.6.1.4.1.99999.2.1.4.1.2.300|4|ge-1
1.3.6.1.4.1.99999.2.1.4.1.2.301|4|ge-2
1.3.6.1.4.1.99999.2.1.5.1.2.300|2|2
1.3.6.1.4.1.99999.2.1.6.1.2.300|4x|0200000000AA
1.3.6.1.4.1.99999.3.1.2.1|4|card A
1.3.6.1.4.1.99999.4.1.2.1.192.0.2.1|66|5
1.3.6.1.4.1.99999.4.1.2.1.192.0.2.2|66|6
1.3.6.1.4.1.99999.5.1.2.192.0.2.1|4|upstream
1.3.6.1.4.1.99999.6.1.2.1|2|3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "_base.yaml").write_text(BASE)
    (tmp_path / "acme-switch.yaml").write_text(SWITCH)
    return tmp_path


def imported(folder: Path, name: str = "acme-switch") -> tuple[ImportedModule, str]:
    notes = Notes()
    one = import_profile(Profiles([folder], notes).profile(name), known_types(builtin_catalogue()), notes)
    return one, "\n".join(map(str, notes.notes))


async def test_a_device_polled_with_the_module_has_what_the_profile_says(folder: Path) -> None:
    one, _ = imported(folder)
    assert list(module_notes(one.module)) == []
    catalogue = builtin_catalogue()
    module = read_text(to_yaml({one.module.name: one.module}, {}), source="x").modules["datadog_acme_switch"]
    store = CatalogueStore(Catalogue({**catalogue.modules, module.name: module}, catalogue.auths))
    collector = Collector(store, CollectorOptions(utilization=False))
    objects, problems = parse_recording(DEVICE.encode())
    assert problems == []
    samples = await samples_of(Mib.of(objects), module.name, collector=collector)
    rows = [
        'card="card A",index_rest="300",kind="fibre",mac="02:00:00:00:00:AA",port="ge-1",slot="1",state="down"',
        'card="card A",index_rest="301",kind="fibre",mac="",port="ge-2",slot="1",state=""',
    ]
    assert sorted(samples) == sorted([
        "acmeTemperature 21.5",
        "acme_drops 7",
        "acmeLoad 42",
        "acmeState_OnBattery 1",
        "acmeState_Fault 0",
        f"acmePortErrors{{{rows[0]}}} 11",
        f"acmePortErrors{{{rows[1]}}} 12",
        'acmePort{index="1.2.300",port="ge-1"} 1',
        'acmePort{index="1.2.301",port="ge-2"} 1',
        'acmePeerRoutes{index1="1",index2="192.0.2.1",index_rest="",peer="upstream"} 5',
        'acmePeerRoutes{index1="1",index2="192.0.2.2",index_rest="",peer=""} 6',
        'acmeFan{index="1"} 300',
    ])  # fmt: skip
    assert collector.dropped == {}


def test_what_does_not_fit_is_named_with_its_line(folder: Path) -> None:
    one, notes = imported(folder)
    lines = SWITCH.splitlines()
    for word, what in (("acmeWithoutOid", "without an OID"), ("acmeFanName", "match"), ("_missing", "'_missing'")):
        line = next(number for number, line in enumerate(lines, 1) if word in line)
        assert any(f"acme-switch.yaml:{line}: " in text and what in text for text in notes.splitlines())
    assert (one.symbols, one.converted, one.sys_object_ids) == (9, 8, ("1.3.6.1.4.1.99999.9.*",))


def test_types_of_our_own_modules_are_used_where_the_profile_has_none(folder: Path) -> None:
    (folder / "if.yaml").write_text(
        dedent("""\
        metrics:
          - table: {OID: 1.3.6.1.2.1.31.1.1, name: ifXTable}
            symbols:
              - {OID: 1.3.6.1.2.1.31.1.1.1.6, name: ifHCInOctets}
              - {OID: 1.3.6.1.2.1.31.1.1.1.15, name: ifHighSpeed}
              - {OID: 1.3.6.1.4.1.99999.7.1.1, name: unknown}
        """)
    )
    one, _ = imported(folder, "if")
    assert [metric.type for metric in one.module.metrics] == ["counter", "gauge", "gauge"]
    assert one.guessed == 1


def test_profiles_that_extend_each_other_end(folder: Path) -> None:
    (folder / "_base.yaml").write_text(f"extends: [acme-switch.yaml]\n{BASE}")
    assert imported(folder)[0].converted == 8


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("metrics: 3", 1),
        ("metrics:\n  - symbol: {OID: 1.x, name: y}", 2),
        ("metrics:\n  - table: x\n    symbols: [{OID: 1.3, name: y}]\n    metric_tags: [{tag: x, index: z}]", 4),
        ("metrics:\n  - symbols: []\n    metric_tags: [{index_transform: [{start: 3, end: 1}]}]", 3),
        ("metrics: [", 2),
        ("", 1),
    ],
)
def test_a_wrong_profile_is_refused_with_a_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "wrong.yaml").write_text(f"{text}\n" if text else "")
    with pytest.raises(ModuleError, match=rf"wrong.yaml:{line}: "):
        imported(tmp_path, "wrong")
