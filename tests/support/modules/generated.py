"""Modules built from the test MIBs in ``tests/modules/mibs/data``, and a generator.yml with every key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promsnmp.modules.generator.builder import BuildResult, build
from promsnmp.modules.generator.config import (
    LookupRule,
    ModuleConfig,
)
from promsnmp.modules.mibs.base import OIDS, TYPES
from promsnmp.modules.mibs.linker import link
from promsnmp.modules.mibs.parser import parse
from promsnmp.modules.mibs.tree import LoadedMibs, MibTree
from promsnmp.modules.model import Module

MIBS = Path(__file__).parents[2] / "modules" / "mibs" / "data"
NAMES = tuple(LookupRule(("ifIndex",), name) for name in ("ifAlias", "ifDescr", "ifName"))

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


def built_module(tree: MibTree, *walk: str, **config: Any) -> Module:
    """The module of a configuration without missing names."""
    built = built_of(tree, *walk, **config)
    assert built.missing == ()
    return built.module


def built_of(tree: MibTree, *walk: str, **config: Any) -> BuildResult:
    return build(ModuleConfig("test", walk, **config), tree)


def link_text(name: str, body: str, *others: tuple[str, str]) -> LoadedMibs:
    """The MIB modules of some names with these declarations."""
    files = [
        parse(f"{one} DEFINITIONS ::= BEGIN\n{declarations}\nEND", path=one)
        for one, declarations in ((name, body), *others)
    ]
    return link([module for file in files for module in file.modules], [one for file in files for one in file.problems])


def as_main_branch(module: dict[str, Any], enums: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """A module of 0.30.1's generator (as in snmp.yml) with enumerations as labels, as the main branch makes them.

    ``enums`` has the names of enumerations (not of BITS) by OID. No override may keep numbers.
    """
    for metric in module["metrics"]:
        for index in metric.get("indexes", ()):
            if index.get("enum_values"):
                index["type"] = "EnumAsInfo"
        for lookup in metric.get("lookups", ()):
            if names := enums.get(lookup.get("oid", "")):
                lookup.update(type="EnumAsInfo", enum_values=dict(names))
                for index in metric.get("indexes", ()):
                    if index["labelname"] == lookup["labelname"]:
                        index.update(type="EnumAsInfo", enum_values=dict(names))
    return module


def standard_mibs(folder: Path) -> Path:
    """A MIB with the top of the OID tree from our own tables, which the generator needs."""
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
