"""Devices of LibreNMS, in the forms in which one gets them out."""

from __future__ import annotations

import json

import pytest

from promsnmp.errors import ModuleError
from promsnmp.migration.librenms.devices import read
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User, Version
from tests.support.migration.imported import import_text

CORE = {
    "device_id": 1, "inserted": "2024-03-01 09:00:00", "hostname": "core1.example", "sysName": "core1", "display": None,
    "ip": None, "overwrite_ip": None, "community": "s3cret/c", "authlevel": None, "authname": None, "authpass": None,
    "authalgo": None, "cryptopass": None, "cryptoalgo": None, "snmpver": "v2c", "port": 161, "transport": "udp",
    "timeout": None, "retries": None, "snmp_disable": 0, "sysObjectID": ".1.3.6.1.4.1.2636.1.1.1.2.29", "os": "junos",
    "status": True, "ignore": 0, "disabled": 0, "type": "network", "location": "Wien \U0001f1e6 / R7",
    "sysContact": "noc",
}  # fmt: skip
USER = CORE | {
    "device_id": 2, "hostname": "sw2.example", "sysName": "sw2", "overwrite_ip": "2001:db8::2", "snmpver": "v3",
    "community": None, "authlevel": "authPriv", "authname": "monitor", "authpass": "s3cret-auth", "authalgo": "SHA-256",
    "cryptopass": "s3cret-priv", "cryptoalgo": "AES-256", "port": 1161, "timeout": 2, "retries": 4, "os": "ios",
}  # fmt: skip
OTHERS = [
    CORE | {"hostname": "ping.example", "snmp_disable": 1},
    CORE | {"hostname": "old.example", "disabled": 1},
    CORE | {"hostname": "tcp.example", "transport": "tcp"},
    CORE | {"hostname": "bare.example", "community": None},
]
# As PHP writes JSON: slashes and everything outside ASCII with backslashes.
API = json.dumps({"status": "ok", "devices": [CORE, USER, *OTHERS], "count": 6}, indent=1).replace("/", "\\/")


def test_the_answer_of_the_api_becomes_devices() -> None:
    found = import_text(read, API)
    assert list(found.devices) == ["core1.example:161", "[2001:db8::2]:1161"]
    core, user = found.devices.values()
    assert core.credentials == Community(Version.V2C, "s3cret/c")
    assert (core.sys_name, core.location, core.contact) == ("core1", "Wien \U0001f1e6 / R7", "noc")
    assert core.labels == {"os": "junos", "type": "network"}
    assert (core.timeout, core.retries, user.timeout, user.retries) == (0, None, 2000, 4)
    assert user.credentials == User(
        "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "s3cret-auth", PrivProtocol.AES256, "s3cret-priv"
    )
    assert (core.credentials_name, user.credentials_name) == ("x-core1", "x-monitor")
    for name, notes in (("ping", found.told), ("old", found.told), ("tcp", found.lost), ("bare", found.lost)):
        assert f"{name}.example" in notes
    line = API[: API.index('"tcp.example"')].count("\n")
    assert f"f:{line - 2}: tcp.example" in found.lost


def test_a_list_and_phpmyadmins_export_have_the_same_devices() -> None:
    header = {"type": "header", "version": "5.2.1", "comment": "Export to JSON plugin for PHPMyAdmin"}
    table = {"type": "table", "name": "devices", "database": "librenms", "data": [CORE, USER]}
    for document in ([CORE, USER], [header, {"type": "database", "name": "librenms"}, table]):
        assert list(import_text(read, json.dumps(document)).devices) == ["core1.example:161", "[2001:db8::2]:1161"]


@pytest.mark.parametrize(("delimiter", "null"), [(",", "NULL"), ("\t", "\\N"), (",", "")])
def test_the_table_as_csv_has_the_same_devices(delimiter: str, null: str) -> None:
    values = [[null if value is None else f'"{value}"' for value in row.values()] for row in (CORE, USER)]
    found = import_text(read, "\n".join(map(delimiter.join, [list(CORE), *values])))
    assert list(found.devices) == ["core1.example:161", "[2001:db8::2]:1161"]
    assert found.devices["core1.example:161"].credentials == Community(Version.V2C, "s3cret/c")


@pytest.mark.parametrize(
    ("text", "line"),
    [("{}", 1), ('{"devices": [\n{"name": "x"}]}', 2), ('{"devices": [\n\n{]', 3), ("a,b\n1,2\n", 1), ("[" * 5000, 1)],
)
def test_other_files_are_refused_with_a_line(text: str, line: int) -> None:
    with pytest.raises(ModuleError, match=f"^f:{line}: "):
        import_text(read, text)
