"""Confirmations in files of definitions: what is wrong is said with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.snmp import oid
from promsnmp.traps.names.definitions import builtin, load

HEAD = """\
mibs:
  ACME-MIB:
    objects:
      acmeState: {oid: 1.3.6.1.4.1.99999.1.1, enum: {1: good, 2: bad}}
    notifications:
      acmeBad: {oid: 1.3.6.1.4.1.99999.0.1, objects: [acmeState]}
    confirmations:
"""


def test_a_file_confirms_its_own_notifications_and_replaces_built_in_confirmations(tmp_path: Path) -> None:
    file = tmp_path / "acme.yml"
    file.write_text(
        f"{HEAD}      acmeBad: {{object: acmeState, is: [bad, 9]}}\n"
        "  IF-MIB:\n    confirmations:\n      linkDown: {object: ifAdminStatus, row: ifIndex, as_sent: true}\n"
    )
    known = load([file])
    own = known.confirmation(oid.encode("1.3.6.1.4.1.99999.0.1"))
    assert own is not None
    assert own.states == frozenset({2, 9})
    link = known.confirmation(oid.encode("1.3.6.1.6.3.1.1.5.3"))
    assert (link is not None and link.name, link is not None and link.as_sent) == ("ifAdminStatus", True)
    assert len(known.confirmations) == len(builtin().confirmations) + 1


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("acmeBad: {object: acmeState}", "needs one of"),
        ("acmeBad: {object: acmeState, is: [bad], not: [good]}", "needs one of"),
        ("acmeBad: {is: [bad]}", "has no object"),
        ("acmeBad: {object: acmeStat, is: [bad]}", "acmeStat"),
        ("acmeBad: {object: acmeState, row: nothing, is: [bad]}", "nothing"),
        ("acmeBad: {object: acmeState, row: ifIndex, scalar: true, is: [bad]}", "both row and scalar"),
        ("acmeBad: {object: acmeState, is: [worse]}", "worse"),
        ("acmeBad: {object: acmeState, as_sent: false}", "as_sent"),
        ("acmeBad: {object: acmeState, within: -1s}", "within"),
        ("acmeBad: {object: acmeState, within: 0}", "within"),
        ("acmeBad: {object: acmeState, others: 1}", "others"),
        ("acmeGood: {object: acmeState, is: [good]}", "acmeGood"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, entry: str, word: str) -> None:
    file = tmp_path / "acme.yml"
    file.write_text(f"{HEAD}      {entry}\n")
    with pytest.raises(ModuleError, match=word) as error:
        load([file])
    assert f"{file}:8:" in str(error.value)
