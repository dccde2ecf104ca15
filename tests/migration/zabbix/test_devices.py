"""Hosts of Zabbix, in its three forms."""

from __future__ import annotations

import json

import pytest
import yaml

from promsnmp.errors import ModuleError
from promsnmp.migration.zabbix.devices import read
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User, Version
from tests.support.migration.imported import import_text

YAML = """\
zabbix_export:
  version: '7.0'
  host_groups:
    - uuid: 6f6799aa69e844b4b3918f779f2abf08
      name: 'Network devices'
  templates:
    - uuid: 7f6799aa69e844b4b3918f779f2abf08
      template: 'Campus switch'
      name: 'Campus switch'
      macros:
        - macro: '{$SNMP_COMMUNITY}'
          value: s3cret-community
        - macro: '{$PORT}'
          value: '1161'
  hosts:
    - host: core1
      name: 'Core 1'
      templates:
        - name: 'Campus switch'
      groups:
        - name: 'Network devices'
      interfaces:
        - ip: 192.0.2.1
          interface_ref: if1
        - type: SNMP
          ip: 192.0.2.1
          port: '161'
          details:
            community: '{$SNMP_COMMUNITY}'
            max_repetitions: '20'
          interface_ref: if2
      tags:
        - tag: site
          value: vienna
        - tag: critical
      macros:
        - macro: '{$OTHER}'
          type: SECRET_TEXT
      inventory:
        location: 'rack 7'
        contact: noc
    - host: sw2
      name: sw2
      interfaces:
        - type: SNMP
          useip: 'NO'
          ip: 192.0.2.2
          dns: sw2.example
          port: '{$PORT}'
          details:
            version: SNMPV3
            contextname: vlan-7
            securityname: monitor
            securitylevel: AUTHPRIV
            authprotocol: SHA256
            authpassphrase: '{$AUTH}'
            privprotocol: AES256
            privpassphrase: s3cret-priv
      macros:
        - macro: '{$PORT}'
          value: '1161'
        - macro: '{$AUTH}'
          value: s3cret-auth
    - host: secret
      name: secret
      interfaces:
        - type: SNMP
          ip: 192.0.2.3
          details:
            community: '{$GLOBAL}'
    - host: retired
      name: retired
      status: DISABLED
      interfaces:
        - type: SNMP
          ip: 192.0.2.4
          details: {}
    - host: agent
      name: agent
      interfaces:
        - ip: 192.0.2.5
"""

SINGULAR = {
    "hosts": "host", "templates": "template", "host_groups": "host_group", "groups": "group", "tags": "tag",
    "interfaces": "interface", "macros": "macro",
}  # fmt: skip


def as_xml(name: str, value: object) -> str:
    if isinstance(value, list):
        inner = "\n".join(as_xml(SINGULAR[name], one) for one in value)
    elif isinstance(value, dict):
        inner = "\n".join(as_xml(key, one) for key, one in value.items())
    else:
        return f"<{name}>{value}</{name}>"
    return f"<{name}>\n{inner}\n</{name}>"


FORMS = {
    "yaml": YAML,
    "json": json.dumps(yaml.safe_load(YAML)).replace("/", "\\/"),
    "xml": f'<?xml version="1.0" encoding="UTF-8"?>\n{as_xml("zabbix_export", yaml.safe_load(YAML)["zabbix_export"])}',
}


@pytest.mark.parametrize("form", FORMS)
def test_hosts_with_an_snmp_interface_become_devices(form: str) -> None:
    found = import_text(read, FORMS[form], fallback="campus")
    assert list(found.devices) == ["192.0.2.1:161", "sw2.example:1161", "192.0.2.3:161"]
    core, user, secret = found.devices.values()
    assert core.credentials == Community(Version.V2C, "s3cret-community")
    assert (core.credentials_name, core.sys_name) == ("x-SNMP_COMMUNITY", "Core 1")
    assert core.labels == {"site": "vienna", "critical": "true"}
    assert (core.location, core.contact, core.overrides["maxRepetitions"]) == ("rack 7", "noc", 20)
    assert user.credentials == User(
        "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "s3cret-auth", PrivProtocol.AES256, "s3cret-priv",
        context_name="vlan-7",
    )  # fmt: skip
    assert (secret.credentials, secret.credentials_name) == (None, "campus")
    assert "{$GLOBAL}" in found.told
    assert "retired: disabled" in found.told
    assert "agent: it has no SNMP interface" in found.told
    assert found.lost == ""


def test_without_other_credentials_a_host_with_an_unknown_macro_is_left_out() -> None:
    found = import_text(read, YAML)
    assert "192.0.2.3:161" not in found.devices
    line = YAML.splitlines().index("          ip: 192.0.2.3")
    assert f"f:{line}: 192.0.2.3: not imported" in found.lost


@pytest.mark.parametrize("form", FORMS)
def test_lines_are_those_of_the_file(form: str) -> None:
    found = import_text(read, FORMS[form])
    line = FORMS[form][: FORMS[form].index("sw2.example")].count("\n") + 1
    assert abs(int(found.devices["sw2.example:1161"].source.partition(":")[2]) - line) <= 4


def test_macros_that_name_each_other_end() -> None:
    text = YAML.replace("value: s3cret-community", "value: '{$PORT}{$SNMP_COMMUNITY}{$SNMP_COMMUNITY}'")
    found = import_text(read, text)
    assert "192.0.2.1:161" not in found.devices


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n", 1),
        ("zabbix_export:\n  hosts:\n    - [a]\n", 3),
        ("zabbix_export:\n  hosts: {}\n", 2),
        ("<zabbix_export>\n<hosts>\n</zabbix_export>", 3),
        ("<zabbix_export>" + "<a>" * 100, 1),
        (
            '<?xml version="1.0"?>\n<!DOCTYPE z [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>\n<z>&b;</z>',
            2,
        ),
        ('<!DOCTYPE z SYSTEM "file:///etc/passwd"><zabbix_export/>', 1),
    ],
)
def test_other_files_are_refused_with_a_line(text: str, line: int) -> None:
    with pytest.raises(ModuleError, match=f"^f:{line}: "):
        import_text(read, text)
