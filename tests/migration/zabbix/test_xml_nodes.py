"""Zabbix's XML in encodings that cannot be read."""

from __future__ import annotations

import pytest

from promsnmp.errors import ModuleError
from promsnmp.migration.zabbix.xml_nodes import compose_xml


@pytest.mark.parametrize("encoding", ["shift_jis", "utf-7", "idna", "hex", "nonsense"])
def test_an_encoding_that_cannot_be_read_is_an_error_of_the_file(encoding: str) -> None:
    with pytest.raises(ModuleError, match=r"hosts.xml:1: .*encoding"):
        compose_xml(f"<?xml version='1.0' encoding='{encoding}'?><a/>".encode(), "hosts.xml")
