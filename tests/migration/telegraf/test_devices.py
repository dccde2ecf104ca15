"""Agents of Telegraf."""

from __future__ import annotations

import pytest

from promsnmp.errors import ModuleError
from promsnmp.migration.telegraf.devices import read
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User, Version
from tests.support.migration.imported import import_text

CONFIGURATION = """\
[global_tags]
  dc = "vienna"

[agent]
  interval = "30s"

[[outputs.influxdb_v2]]
  urls = ["http://127.0.0.1:8086"]

[[inputs.snmp]]
  alias = "core"
  agents = [
    "udp://192.0.2.1:161",
    "192.0.2.2:1161",   # no scheme
    "tcp://192.0.2.3:161",
  ]
  timeout = "2s"
  version = 2
  community = "s3cret-community"
  retries = 1
  max_repetitions = 25

  [inputs.snmp.tags]
    role = "core"

  [[inputs.snmp.field]]
    oid = "RFC1213-MIB::sysUpTime.0"
    name = "uptime"
  [[inputs.snmp.table]]
    oid = "IF-MIB::ifTable"

[[inputs.snmp]]
  agents = ["udp://[2001:db8::1]:161"]
  interval = "5m"
  version = 3
  sec_name = "monitor"
  sec_level = "authPriv"
  auth_protocol = "SHA512"
  auth_password = "s3cret-auth"
  priv_protocol = "AES256C"
  priv_password = "s3cret-priv"
  context_name = "vrf-a"

[[inputs.snmp]]
  agents = ["192.0.2.9"]
  community = "$SNMP_COMMUNITY"

[[inputs.snmp]]
  agents = ["192.0.2.10"]
"""


def test_inputs_become_devices() -> None:
    found = import_text(read, CONFIGURATION)
    assert list(found.devices) == ["192.0.2.1:161", "192.0.2.2:1161", "[2001:db8::1]:161", "192.0.2.10:161"]
    first, second, user, plain = found.devices.values()
    assert first.credentials == second.credentials == Community(Version.V2C, "s3cret-community")
    assert (first.credentials_name, first.timeout, first.retries, first.interval) == ("x-core", 2000, 1, 30_000)
    assert first.labels == {"dc": "vienna", "role": "core"}
    assert first.overrides["maxRepetitions"] == 25
    assert user.credentials == User(
        "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA512, "s3cret-auth", PrivProtocol.AES256C, "s3cret-priv",
        context_name="vrf-a",
    )  # fmt: skip
    assert (user.timeout, user.retries, user.interval) == (5000, 3, 300_000)
    assert plain.credentials == Community(Version.V2C, "public")
    assert (second.source, user.source) == ("f:14", "f:33")


def test_what_is_not_carried_over_is_named_with_its_line() -> None:
    found = import_text(read, CONFIGURATION)
    assert [line.partition(" ")[0] for line in found.lost.splitlines()] == ["f:15:", "f:44:"]
    assert "community is a variable" in found.lost
    assert "fields and tables" in found.told
    assert "s3cret" not in found.lost + found.told


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[inputs.snmp]]\nagents = [\n", 3),
        ("x = 1\nx = 2\n", 2),
        (b"a = 1\nb = '\xff'\n", 2),
        ("x = " + "[" * 5000, 1),
    ],
)
def test_what_is_no_toml_is_refused_with_a_line(text: str | bytes, line: int) -> None:
    with pytest.raises(ModuleError, match=f"^f:{line}: "):
        import_text(read, text)


@pytest.mark.parametrize(
    "values",
    ["version = 4", "timeout = 'soon'", "timeout = true", "interval = [1]", "version = 3", "max_repetitions = 'x'",
     "retries = 1e300", "timeout = inf", "timeout = nan"],
)  # fmt: skip
def test_wrong_values_lose_their_input_only(values: str) -> None:
    text = f'[[inputs.snmp]]\nagents = ["192.0.2.1"]\n{values}\n[[inputs.snmp]]\nagents = ["192.0.2.2"]\n'
    found = import_text(read, text)
    assert list(found.devices) == ["192.0.2.2:161"]
    assert found.lost.startswith(("f:1: ", "f:2: "))


def test_a_file_without_agents_says_so() -> None:
    assert "no [[inputs.snmp]]" in import_text(read, "[inputs]\nsnmp = 3\n").lost
    assert "no list 'agents'" in import_text(read, "[[inputs.snmp]]\nversion = 2\n").lost
