"""The catalogue: built-in modules, files, and their consistency."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.catalogue import builtin_catalogue, load_catalogue
from promsnmp.modules.model import Module
from promsnmp.modules.snmp_yml.read_options import ReadOptions
from promsnmp.snmp.credentials import Community, User, Version

CATALOGUE = builtin_catalogue()
MODULES = pytest.mark.parametrize("module", CATALOGUE.modules.values(), ids=lambda module: module.name)
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def asked_for(module: Module, oid: str) -> bool:
    """Whether a walk or a GET of the module brings rows of a column."""
    walked = any(f"{oid}.".startswith(f"{root}.") for root in module.walk)
    return walked or any(one.startswith(f"{oid}.") for one in module.get)


def test_built_in_modules_and_auths_are_available() -> None:
    assert {"if_mib", "system"} <= CATALOGUE.modules.keys()
    assert CATALOGUE.auth("public_v1") == Community(Version.V1, "public")
    assert CATALOGUE.auth("public_v2") == Community(Version.V2C, "public")


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ModuleError, match=r"unknown module 'nope'; known: .*if_mib.*system"):
        CATALOGUE.module("nope")
    with pytest.raises(ModuleError, match="unknown auth 'nope'; known: public_v1, public_v2"):
        CATALOGUE.auth("nope")


@MODULES
def test_every_metric_is_asked_for(module: Module) -> None:
    assert module.metrics
    assert [one.name for one in module.metrics if not asked_for(module, one.oid)] == []


@MODULES
def test_every_lookup_is_asked_for_and_leads_from_a_known_label(module: Module) -> None:
    for metric in module.metrics:
        known = {index.labelname for index in metric.indexes}
        for lookup in metric.lookups:
            assert not lookup.labels or asked_for(module, lookup.oid), (metric.name, lookup.oid)
            assert set(lookup.labels) <= known, (metric.name, lookup)
            known.add(lookup.labelname)


@MODULES
def test_every_metric_has_a_name_of_its_own_and_help_that_ends_with_its_oid(module: Module) -> None:
    names = [one.name for one in module.metrics]
    assert len(set(names)) == len(names)
    assert len({one.oid for one in module.metrics}) == len(names)
    for metric in module.metrics:
        assert NAME.fullmatch(metric.name), metric.name
        assert metric.help.endswith(f" - {metric.oid}"), metric.name


@MODULES
def test_enumerations_have_their_names(module: Module) -> None:
    for metric in module.metrics:
        assert metric.enum_values or metric.type not in ("EnumAsInfo", "EnumAsStateSet", "Bits"), metric.name


def test_every_interface_metric_has_the_four_labels() -> None:
    for metric in CATALOGUE.module("if_mib").metrics:
        if metric.oid.startswith(("1.3.6.1.2.1.2.2.", "1.3.6.1.2.1.31.1.1.")):
            labels = {one.labelname for one in metric.indexes} | {one.labelname for one in metric.lookups}
            assert labels == {"ifIndex", "ifName", "ifDescr", "ifAlias"}, metric.name


def test_files_may_have_modules_only_or_auths_only_but_not_nothing(tmp_path: Path) -> None:
    nothing, modules, auths = tmp_path / "nothing.yml", tmp_path / "modules.yml", tmp_path / "auths.yml"
    nothing.write_text("modules: {}\nauths: {}\n")
    modules.write_text("modules: {mine: {}}\n")
    auths.write_text("auths: {mine: {}}\n")
    with pytest.raises(ModuleError, match=r"nothing\.yml"):
        load_catalogue([str(nothing)])
    assert "public_v2" in load_catalogue([str(nothing), str(modules)]).auths
    assert "if_mib" in load_catalogue([str(auths)]).modules


def test_files_that_did_not_change_are_not_read_again(tmp_path: Path) -> None:
    same, other = tmp_path / "a.yml", tmp_path / "b.yml"
    same.write_text("modules: {same: {walk: [1.3]}}\n")
    other.write_text("modules: {other: {walk: [1.3]}}\n")
    before = load_catalogue([str(tmp_path / "*.yml")])
    other.write_text("modules: {other: {walk: [1.4]}}\n")
    after = load_catalogue([str(tmp_path / "*.yml")], before=before)
    assert after.module("same") is before.module("same")
    assert after.module("if_mib") is before.module("if_mib")
    assert after.module("other").walk == ("1.4",)
    other.unlink()
    gone = load_catalogue([str(tmp_path / "*.yml")], before=after)
    assert "other" not in gone.modules
    assert gone.files.keys() == after.files.keys() - {str(other)}


def test_auths_of_files_take_variables_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "snmp.yml"
    file.write_text("auths: {mine: {version: 3, username: $PROMSNMP_TEST_USER}}\n")
    monkeypatch.setenv("PROMSNMP_TEST_USER", "reader")
    expanding = ReadOptions(os.environ)
    assert load_catalogue([str(file)], options=expanding).auths["mine"] == User("reader")
    monkeypatch.delenv("PROMSNMP_TEST_USER")
    with pytest.raises(ModuleError, match=r"snmp.yml:1: .* environment variable PROMSNMP_TEST_USER is not set"):
        load_catalogue([str(file)], options=expanding)
    assert load_catalogue([str(file)]).auths["mine"] == User("$PROMSNMP_TEST_USER")
