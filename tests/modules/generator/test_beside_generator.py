"""The same MIBs and generator.yml, given to snmp_exporter's generator and to ours."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import yaml

from promsnmp.modules.generator.builder import build
from promsnmp.modules.generator.config import (
    read_generator,
)
from promsnmp.modules.generator.output import to_yaml
from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.mibs.tree import MibTree
from tests.support.exporter import require_generator
from tests.support.modules.generated import MIBS, as_main_branch, standard_mibs
from tests.support.modules.mib_slips import SLIPS, drawn, slipped

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
DELIBERATE = {"slotState", "owOctets", "ownValue", "ownText", "daWhen", "dateValue", "dateText"}
"""Where we know more: an index that is only a type, a SIZE of the index object itself
(RFC 2578 section 7.7), and DateAndTime as an index, at which snmp_exporter fails."""


def test_snmp_exporters_generator_gives_the_same_modules(tree: MibTree, tmp_path: Path) -> None:
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
    enums = {one["oid"]: one["enum_values"] for module in theirs.values() for one in module["metrics"]
             if one.get("enum_values") and one["type"] != "Bits"}  # fmt: skip
    for name, module in ours.items():
        other = as_main_branch(theirs[name], enums)
        for one in (module, other):
            one["metrics"] = {one["name"]: one for one in one["metrics"] if one["name"] not in DELIBERATE}
            one.update({key: sorted(one.get(key, ())) for key in ("walk", "get")})
        assert module == other, name


def test_what_snmp_exporters_generator_makes_of_a_mib_with_slips_we_make_too(tmp_path: Path) -> None:
    """It gives up a whole MIB for many slips; what it does give is the same here."""
    generator = require_generator()
    standard, mibs = standard_mibs(tmp_path / "standard"), tmp_path / "mibs"
    mibs.mkdir()
    numbers = random.Random(1)
    drawings = [[slip] for slip in SLIPS] + [drawn(numbers, numbers.randint(2, 5)) for _ in range(40)]
    for number, slips in enumerate(drawings, 90000):
        text = slipped(slips).replace("99998", str(number)).replace("slip", f"s{number}x")
        text = text.replace("Slip", f"S{number}x").replace("SLIP-MIB", f"S{number}-MIB")
        (mibs / f"{number}.mib").write_bytes(text.encode())
    configs, out = tmp_path / "generator.yml", tmp_path / "snmp.yml"
    configs.write_text("modules: {all: {walk: [1.3.6.1.4.1]}}")
    folders = ("-m", str(standard), "-m", str(mibs))
    command = [generator, *folders, "--no-fail-on-parse-errors", "generate", "-g", str(configs), "-o", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    theirs = as_main_branch(yaml.load(out.read_text(), Loader=yaml.CSafeLoader)["modules"]["all"], {})["metrics"]
    loaded = load_mibs([standard, mibs], cache=tmp_path / "cache")
    made = to_yaml([build(config, loaded.tree).module for config in read_generator(configs).configs])
    ours = {one["oid"]: one for one in yaml.load(made, Loader=yaml.CSafeLoader)["modules"]["all"]["metrics"]}
    assert len(theirs) > 9 * 60
    assert [(one, ours.get(one["oid"])) for one in theirs if ours.get(one["oid"]) != one] == []
