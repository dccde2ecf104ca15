"""Instances of the Datadog agent."""

from __future__ import annotations

from functools import partial

import pytest

from promsnmp.errors import ModuleError
from promsnmp.migration.datadog.devices import read
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User, Version
from tests.support.migration.imported import import_text

CONFIGURATION = """\
init_config:
  loader: core
  use_device_id_as_hostname: true

instances:
  - ip_address: 192.0.2.1
    port: 1161
    community_string: 's3cret-community'
    timeout: 2
    retries: 4
    min_collection_interval: 60
    namespace: lab
    tags:
      - 'site:vienna'
      - critical
    profile: cisco-nexus
  - ip_address: '2001:db8::1'
    snmp_version: 3
    user: monitor
    authProtocol: SHA256
    authKey: s3cret-auth
    privProtocol: AES
    privKey: s3cret-priv
    context_name: vrf-a
  - network_address: 198.51.100.0/24
    community_string: s3cret-community
    ignored_ip_addresses: [198.51.100.7]
    discovery_interval: 600
    tags: ['site:graz']
  - ip_address: 192.0.2.9
    community_string: ENC[snmp_community]
  - ip_address: 192.0.2.10
    community_string: s3cret-community
    metrics:
      - MIB: UDP-MIB
        symbol: udpInDatagrams
"""


def test_instances_become_devices_and_networks_seeds() -> None:
    found = import_text(read, CONFIGURATION)
    assert list(found.devices) == ["192.0.2.1:1161", "[2001:db8::1]:161", "192.0.2.10:161"]
    first, user, last = found.devices.values()
    assert first.credentials == last.credentials == Community(Version.V2C, "s3cret-community")
    assert first.labels == {"site": "vienna", "critical": "true", "namespace": "lab"}
    assert (first.timeout, first.retries, first.interval, first.modules) == (2000, 4, 60_000, ())
    assert user.credentials == User(
        "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "s3cret-auth", PrivProtocol.AES, "s3cret-priv",
        context_name="vrf-a",
    )  # fmt: skip
    (seed,) = found.seeds
    assert (seed["potentialTargets"], seed["exclude"]) == (["198.51.100.0/24"], ["198.51.100.7"])
    assert seed["labels"] == {"site": "graz"}
    assert [line.partition(" ")[0] for line in found.lost.splitlines()] == ["f:30:", "f:32:"]
    assert "profile 'cisco-nexus'" in found.told
    assert "discovery_interval" in found.told


def test_profiles_become_modules_when_asked_for() -> None:
    found = import_text(partial(read, with_profiles=True), CONFIGURATION)
    assert found.devices["192.0.2.1:1161"].modules == ("datadog_cisco_nexus",)


@pytest.mark.parametrize("section", ["network_devices:\n  autodiscovery:", "snmp_listener:"])
def test_networks_of_autodiscovery_become_seeds(section: str) -> None:
    indent = " " * (4 if "network" in section else 2)
    configs = (
        "configs:\n  - network_address: 192.0.2.0/28\n    port: 1161\n    authentications:\n"
        "      - {community_string: one}\n      - {user: monitor, authKey: s3cret-auth}\n"
    )
    text = f"{section}\n" + "".join(f"{indent}{line}\n" for line in configs.splitlines())
    (seed,) = import_text(read, text).seeds
    assert seed["port"] == 1161
    assert isinstance(credentials := seed["credentials"], list)
    assert [one.get("readCommunity") or one["securityName"] for one in credentials] == ["one", "monitor"]


@pytest.mark.parametrize(("text", "line"), [("api_key: x\n", 1), ("instances:\n  - 3\n", 2), ("instances: [\n", 2)])
def test_other_files_are_refused_with_a_line(text: str, line: int) -> None:
    with pytest.raises(ModuleError, match=f"^f:{line}: "):
        import_text(read, text)


def test_wrong_instances_are_left_out() -> None:
    found = import_text(
        read,
        """\
        instances:
          - community_string: public
          - {ip_address: 192.0.2.1, community_string: public, snmp_version: 4}
          - {ip_address: 192.0.2.2, community_string: public, timeout: soon}
          - {ip_address: 192.0.2.3, snmp_version: 3}
          - {network_address: not a network, community_string: public}
        """,
    )
    assert list(found.devices) == ["192.0.2.2:161"]
    assert {line.split(":")[1] for line in found.lost.splitlines()} == {"2", "3", "4", "5"}
