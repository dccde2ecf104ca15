"""The test MIBs, loaded once."""

from __future__ import annotations

import pytest

from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.mibs.tree import MibTree
from tests.support.modules.generated import MIBS


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> MibTree:
    return load_mibs([MIBS], cache=tmp_path_factory.mktemp("cache")).tree
