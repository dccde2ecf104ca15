"""Keys that PromSNMP does not know: an error with the nearest key, or a warning for files of a later snmp_exporter."""

from __future__ import annotations

import logging

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.snmp_yml.check import check_text
from promsnmp.modules.snmp_yml.read_options import ReadOptions, read_options
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.settings.snmp import SnmpSettings

WARN = ReadOptions(ignore_unknown_keys=True)
TOMORROW = """\
tomorrow: {a: [1]}
auths:
  mine: {community: x, tomorrows_secret: y}
modules:
  m:
    walk: [1.3.6.1.2.1.2]
    tomorrows_list: [{name: a}]
    filters: [{oid: 1.3.6.1.2.1.2.2.1.3, targets: [1.3.6.1.2.1.2.2.1.4], values: [x], invert: true}]
    metrics:
    - name: a
      oid: 1.3.6.1.2.1.2.2.1.4
      type: gauge
      unit: octets
      indexes: [{labelname: i, type: gauge, format: hex}]
      lookups: [{labels: [i], labelname: n, oid: 1.3.6.1.2.1.2.2.1.2, format: hex}]
      regex_extracts: {T: [{regex: a, flags: i}]}
    - {name: b, oid: 1.3.6.1.2.1.2.2.1.5, type: gauge, unit: octets}
"""
TODAY = """\
auths:
  mine: {community: x}
modules:
  m:
    walk: [1.3.6.1.2.1.2]
    filters: [{oid: 1.3.6.1.2.1.2.2.1.3, targets: [1.3.6.1.2.1.2.2.1.4], values: [x]}]
    metrics:
    - name: a
      oid: 1.3.6.1.2.1.2.2.1.4
      type: gauge
      indexes: [{labelname: i, type: gauge}]
      lookups: [{labels: [i], labelname: n, oid: 1.3.6.1.2.1.2.2.1.2}]
      regex_extracts: {T: [{regex: a}]}
    - {name: b, oid: 1.3.6.1.2.1.2.2.1.5, type: gauge}
"""


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("modules: {m: {wlak: []}}", "walk"),
        ("modules: {m: {metrics: [{name: a, oid: 1.3, typ: gauge}]}}", "type"),
        ("modules: {m: {metrics: [{name: a, oid: 1.3, type: gauge, displayhint: x}]}}", "display_hint"),
        ("modules: {m: {metrics: [{name: a, oid: 1.3, type: gauge, lookups: [{label: [i]}]}]}}", "labels"),
        ("auths: {a: {comunity: x}}", "community"),
        ("modlues: {}", "modules"),
    ],
)
def test_a_typo_is_refused_with_the_nearest_key(text: str, nearest: str) -> None:
    with pytest.raises(ModuleError, match=f"did you mean '{nearest}'"):
        read_text(text, source="f.yml")


def test_a_key_that_resembles_none_is_refused_without_a_guess() -> None:
    with pytest.raises(ModuleError, match=r"unknown key 'qqq' in module 'm'; allowed"):
        read_text("modules: {m: {qqq: 1}}", source="f.yml")


def test_unknown_keys_may_be_warnings_at_every_place_of_a_file(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert read_text(TOMORROW, source="f.yml", options=WARN) == read_text(TODAY, source="f.yml")
    lines = [record.getMessage() for record in caplog.records]
    assert [int(line.split(":")[1]) for line in lines] == [1, 3, 7, 8, 13, 14, 16]
    assert "'unit' in metric 'a'" in lines[4]
    assert lines[4].endswith("(and 1 more)")
    assert "tomorrows_secret" not in "".join(lines)


def test_warnings_are_notes_of_a_check() -> None:
    checked = check_text(TOMORROW, source="f.yml", options=WARN)
    assert checked.problems == ()
    assert len(checked.notes) == 7
    assert len(check_text(TOMORROW, source="f.yml").problems) == 9


def test_a_mistake_is_refused_beside_an_unknown_key() -> None:
    with pytest.raises(ModuleError, match=r"f\.yml:1: 'walk' of module 'm' must be a list"):
        read_text("modules: {m: {tomorrow: 1, walk: 5}}", source="f.yml", options=WARN)


def test_settings_decide() -> None:
    assert read_options(SnmpSettings()) == ReadOptions()
    assert read_options(SnmpSettings(snmp_config_unknown_keys="warn")) == WARN
    assert read_options(SnmpSettings(snmp_expand_environment=True)).environment is not None
