"""Browsing as a state machine: every varbind of a subtree is returned."""

from __future__ import annotations

import pytest

from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.walk import Subtree
from tests.support.agents.function_agent import MIB, Agent


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("root", ["1", "1.3", "1.3.6.1"])
def test_the_whole_tree_can_be_walked(root: str, version: Version) -> None:
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(oid.encode(root)), taken.extend, version=version)
    Agent(is_v1=version is Version.V1).run(browse)
    assert [one.oid for one in taken] == [MIB.oid(at) for at in range(len(MIB))]
    assert browse.failure is None
