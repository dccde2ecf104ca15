"""Devices in delimited text."""

from __future__ import annotations

from functools import partial

import pytest

from promsnmp.errors import ModuleError
from promsnmp.migration.csv.devices import read
from promsnmp.snmp.credentials import AuthProtocol, Community, SecurityLevel, User, Version
from tests.support.migration.imported import import_text


def test_rows_become_devices_with_named_credentials() -> None:
    found = import_text(
        read,
        """\
        address;name;version;community;user;auth_protocol;auth_passphrase;modules;timeout;interval;label.site

        # a comment
        192.0.2.1;core1;;s3cret;;;;if_mib, ups;2s;5m;vienna
        192.0.2.2:1161;core2;1;s3cret;;;;;;;"a;b"
        [2001:db8::1]:1161;;;;monitor;SHA-256;s3cret-auth;;;;
        """,
    )
    assert (found.lost, list(found.devices)) == ("", ["192.0.2.1:161", "192.0.2.2:1161", "[2001:db8::1]:1161"])
    core1, core2, user = found.devices.values()
    assert (core1.sys_name, core1.modules, core1.timeout, core1.interval) == ("core1", ("if_mib", "ups"), 2000, 300_000)
    assert (core1.labels, core2.labels) == ({"site": "vienna"}, {"site": "a;b"})
    assert (core1.credentials, core2.credentials) == (
        Community(Version.V2C, "s3cret"), Community(Version.V1, "s3cret"),
    )  # fmt: skip
    assert [one.credentials_name for one in found.devices.values()] == ["x-core1", "x-core2", "x-monitor"]
    assert isinstance(user.credentials, User)
    assert (user.credentials.level, user.credentials.auth_protocol) == (SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA256)
    assert core1.source == "f:4"


def test_each_wrong_row_is_named_with_its_line_and_the_others_are_imported() -> None:
    found = import_text(
        read,
        """\
        address,community,port,retries,color
        192.0.2.1,s3cret,99999,,
        192.0.2.2,s3cret,,many,
        192.0.2.3,,,,
        not an address,s3cret,,,
        192.0.2.5,s3cret,,,,too many
        192.0.2.6,s3cret,,,
        192.0.2.6,other,,,
        """,
    )
    assert list(found.devices) == ["192.0.2.6:161"]
    lines = found.lost.splitlines()
    assert {line.split(":")[1] for line in lines} == {"1", "2", "3", "4", "5", "6", "8"}
    assert "unknown column 'color'" in found.lost
    assert "--credentials" in lines[[line.startswith("f:4") for line in lines].index(True)]
    assert "s3cret" not in found.lost


def test_credentials_of_the_inventory_are_used_by_name() -> None:
    found = import_text(read, "address,credentials\n192.0.2.1,campus\n192.0.2.2,\n", fallback="others")
    assert [(one.credentials, one.credentials_name) for one in found.devices.values()] == [
        (None, "campus"), (None, "others"),
    ]  # fmt: skip
    assert "readCommunity" not in found.devices["192.0.2.1:161"].agent()


@pytest.mark.parametrize(
    "text", ["", "\n\n", "name,community\ncore1,x\n", "address,address\n192.0.2.1,x\n", b"\xff\xfe\x00"]
)
def test_what_is_no_table_of_devices_is_refused_with_a_line(text: str | bytes) -> None:
    with pytest.raises(ModuleError, match=r"^f:1: "):
        import_text(read, text)


def test_a_quote_that_does_not_end_is_an_error_with_its_line() -> None:
    with pytest.raises(ModuleError, match=r"^f:3: "):
        import_text(read, 'address,community\n192.0.2.1,x\n192.0.2.2,"x\n')


def test_a_delimiter_can_be_given() -> None:
    found = import_text(partial(read, delimiter="#"), "address#community\n192.0.2.1#a,b;c\n")
    assert found.devices["192.0.2.1:161"].credentials == Community(Version.V2C, "a,b;c")
