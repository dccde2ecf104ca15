"""Which of several definitions of one name counts: as in net-snmp, with whose generator the results are compared."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from promsnmp.modules.mibs.definitions import Definition, MibModule
from promsnmp.modules.mibs.duplicate_names import meanings
from promsnmp.modules.mibs.files import load_mibs
from tests.support.exporter import require_generator
from tests.support.modules.generated import standard_mibs

SERIES = """DUP-SERIES-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises FROM SNMPv2-SMI;
dupRoot OBJECT IDENTIFIER ::= { enterprises 99991 }
dupModels OBJECT IDENTIFIER ::= { dupRoot 1 }
dupSwitch OBJECT IDENTIFIER ::= { dupRoot 2 }
dupSwitch OBJECT IDENTIFIER ::= { dupModels 1 }
END
"""
SWITCH = """DUP-SWITCH-MIB DEFINITIONS ::= BEGIN
IMPORTS OBJECT-TYPE FROM SNMPv2-SMI dupSwitch FROM DUP-SERIES-MIB;
dupOld OBJECT IDENTIFIER ::= { dupSwitch 3 }
dupNew OBJECT IDENTIFIER ::= { dupSwitch 4 }
dupTable OBJECT IDENTIFIER ::= { dupOld 1 }
dupTable OBJECT IDENTIFIER ::= { dupNew 1 }
dupValue OBJECT-TYPE SYNTAX INTEGER MAX-ACCESS read-only STATUS current DESCRIPTION "A value." ::= { dupTable 7 }
END
"""


def test_the_generator_puts_the_same_objects_below_names_that_are_defined_twice(tmp_path: Path) -> None:
    generator, mibs = require_generator(), tmp_path / "mibs"
    mibs.mkdir()
    (mibs / "series.mib").write_text(SERIES)
    (mibs / "switch.mib").write_text(SWITCH)
    configs, out, standard = tmp_path / "generator.yml", tmp_path / "snmp.yml", standard_mibs(tmp_path / "standard")
    configs.write_text("modules: {all: {walk: [1.3.6.1.4.1.99991]}}")
    command = [generator, "-m", str(standard), "-m", str(mibs), "generate", "-g", str(configs), "-o", str(out)]
    subprocess.run(command, capture_output=True, check=True)
    theirs = [one["oid"] for one in yaml.safe_load(out.read_text())["modules"]["all"]["metrics"]]
    ours = load_mibs([mibs]).tree.named("dupValue")
    assert theirs == [".".join(map(str, node.oid)) for node in ours] == ["1.3.6.1.4.1.99991.1.1.4.1.7"]


@pytest.mark.parametrize("parts", [(("a", -1), ("", 1)), (("", 1),), (("b", -1), ("", 2))])
def test_names_in_terms_of_themselves_and_of_each_other_do_not_hang(parts: tuple[tuple[str, int], ...]) -> None:
    other = (("a", -1), ("", 3))
    definitions = (Definition("a", 1, parts), Definition("a", 2, other), Definition("b", 3, (("a", -1), ("", 1))))
    found = meanings(MibModule("A", "a.mib", (), (), definitions))
    assert set(found.within) == {"a", "b"}
    assert set(found.elsewhere) <= {"a"}
