"""Hosts of a Zabbix export (YAML, XML or JSON) that have an SNMP interface.

Keys and defaults are those of Zabbix's manual (Configuration export/import, Hosts); before Zabbix 5.0 community and
user were properties of items, and such files have no ``details``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from promsnmp.errors import ModuleError
from promsnmp.migration.drafts import MOST_DEVICES, Draft, Drafts, label_name
from promsnmp.migration.migrated import Document
from promsnmp.migration.node_values import compose, items_at, line_of, mapping, text_at
from promsnmp.migration.notes import Notes
from promsnmp.migration.zabbix.xml_nodes import compose_xml
from promsnmp.support.yaml_nodes import NodeError

_VERSIONS = {"": 1, "SNMPV1": 0, "SNMPV2": 1, "SNMPV2C": 1, "SNMPV3": 3, "1": 0, "2": 1, "3": 3}
_LEVELS = {"": 1, "NOAUTHNOPRIV": 1, "AUTHNOPRIV": 2, "AUTHPRIV": 3, "0": 1, "1": 2, "2": 3}
_AUTH = dict(enumerate(("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")))
_PRIV = dict(enumerate(("DES", "AES128", "AES192", "AES256", "AES192C", "AES256C")))
_SNMP = frozenset({"SNMP", "2"})
_MACRO = re.compile(r"\{\$[A-Z0-9_.]+(?::[^{}]*)?\}")
_ONLY_MACRO = re.compile(r"\{\$([A-Z0-9_.]+)\}\Z")
_FALSE = frozenset({"NO", "0", "FALSE"})
_LONGEST_CHAIN = 8
"""Macros whose values name macros."""


def read(octets: bytes, file: str, notes: Notes) -> Drafts:
    """The devices of an export. Raises ModuleError when it is none."""
    is_xml = octets.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
    root = compose_xml(octets, file) if is_xml else compose(octets, file)
    try:
        parts = mapping(root, "the file")
        if "zabbix_export" not in parts:
            raise NodeError(root, "this is no export of Zabbix: there is no 'zabbix_export'")
        export = mapping(parts["zabbix_export"], "'zabbix_export'")
        return Drafts(_Export(export, file, notes).drafts())
    except NodeError as error:
        raise ModuleError(f"{file}:{error.line}: {error}") from None


class _Export:
    """The hosts of one export, with the macros of its templates."""

    def __init__(self, export: dict[str, yaml.Node], file: str, notes: Notes) -> None:
        self._export = export
        self._file = file
        self._notes = notes
        self._templates: dict[str, dict[str, yaml.Node]] = {}
        for node in items_at(export, "templates"):
            parts = mapping(node, "a template")
            self._templates[text_at(parts, "template", "name")] = parts

    def drafts(self) -> list[Draft]:
        drafts: list[Draft] = []
        for node in items_at(self._export, "hosts"):
            drafts += self._host(mapping(node, "a host"), line_of(node))
            if len(drafts) > MOST_DEVICES:
                raise NodeError(node, f"more than {MOST_DEVICES:,} devices; split the export")
        if not drafts:
            what = "the export has no host with an SNMP interface; export hosts, not templates"
            self._notes.add(self._file, 1, what, lost=True)
        return drafts

    def _host(self, host: dict[str, yaml.Node], line: int) -> list[Draft]:
        name = text_at(host, "name", "host")
        interfaces = [(mapping(one, "an interface"), line_of(one)) for one in items_at(host, "interfaces")]
        snmp = [(parts, at) for parts, at in interfaces if text_at(parts, "type").upper() in _SNMP]
        if not snmp:
            self._notes.add(self._file, line, f"{name}: it has no SNMP interface; it is left out")
            return []
        if text_at(host, "status").upper() in ("DISABLED", "1"):
            self._notes.add(self._file, line, f"{name}: disabled in Zabbix; it is left out")
            return []
        if proxy := text_at(mapping(host["proxy"], "'proxy'"), "name") if "proxy" in host else "":
            self._notes.add(
                self._file, line, f"{name}: Zabbix reaches it by proxy {proxy!r}; PromSNMP must reach it itself"
            )
        macros = self._macros(host)
        drafts = []
        for number, (parts, at) in enumerate(snmp):
            shown = name if number == 0 else ""  # names are unique; further interfaces are agents of their own
            drafts.append(self._interface(host, parts, at, shown, macros))
        if len(snmp) > 1:
            what = f"{name}: its {len(snmp)} SNMP interfaces become devices of their own; the first has its name"
            self._notes.add(self._file, line, what)
        return drafts

    def _interface(
        self, host: dict[str, yaml.Node], parts: dict[str, yaml.Node], line: int, name: str, macros: Mapping[str, str]
    ) -> Draft:
        use_name = text_at(parts, "useip").upper() in _FALSE and text_at(parts, "dns")
        address = text_at(parts, "dns") if use_name else text_at(parts, "ip") or "127.0.0.1"
        details = mapping(parts["details"], "'details'") if "details" in parts else {}
        device: Document = {"labels": self._labels(host), **_inventory(host)}
        if repetitions := text_at(details, "max_repetitions"):
            device["maxRepetitions"] = repetitions
        credentials, hint = self._credentials(details, macros, line, address)
        return Draft(
            file=self._file,
            line=line,
            address=_expanded(address, macros),
            port=_expanded(text_at(parts, "port"), macros) or "161",
            name=name,
            credentials=credentials,
            credentials_hint=hint,
            device=device,
        )

    def _labels(self, host: dict[str, yaml.Node]) -> dict[str, str]:
        labels: dict[str, str] = {}
        for node in items_at(host, "tags"):
            parts = mapping(node, "a tag")
            if name := label_name(text_at(parts, "tag")):
                labels[name] = text_at(parts, "value") or "true"
        return labels

    def _macros(self, host: dict[str, yaml.Node]) -> dict[str, str]:
        """The host's macros and those of its templates in this export; the host's own count."""
        found: dict[str, str] = {}
        waiting = [text_at(mapping(node, "a template"), "name") for node in items_at(host, "templates")]
        seen: set[str] = set()
        while waiting:
            template = self._templates.get(name := waiting.pop(0))
            if template is None or name in seen:
                continue
            seen.add(name)
            waiting += [text_at(mapping(node, "a template"), "name") for node in items_at(template, "templates")]
            found = _macros_of(template) | found
        return found | _macros_of(host)

    def _credentials(
        self, details: dict[str, yaml.Node], macros: Mapping[str, str], line: int, address: str
    ) -> tuple[Document, str]:
        """The credentials, without those that macros have which are not in the file; and what they are called."""
        version = _VERSIONS.get(text_at(details, "version").upper(), 1)
        if version != 3:
            given = text_at(details, "community") or "{$SNMP_COMMUNITY}"
            found: Document = {"version": version, "readCommunity": given}
        else:
            level = _LEVELS.get(text_at(details, "securitylevel").upper(), 1)
            given = text_at(details, "securityname")
            found = {"version": 3, "securityName": given, "securityLevel": level}
            if level >= 2:
                found["authProtocol"] = _protocol(text_at(details, "authprotocol"), _AUTH)
                found["authPassphrase"] = text_at(details, "authpassphrase")
            if level == 3:
                found["privProtocol"] = _protocol(text_at(details, "privprotocol"), _PRIV)
                found["privPassphrase"] = text_at(details, "privpassphrase")
            found["contextName"] = text_at(details, "contextname")
        expanded: Document = {
            key: _expanded(value, macros) if isinstance(value, str) else value for key, value in found.items()
        }
        texts = [value for value in expanded.values() if isinstance(value, str)]
        if missing := sorted({macro for text in texts for macro in _MACRO.findall(text)}):
            what = f"{address}: the file does not say what {', '.join(missing)} is (a global or a secret macro)"
            self._notes.add(self._file, line, f"{what}; give the name of credentials as --credentials")
            return {}, ""
        only = _ONLY_MACRO.match(given)
        return {key: value for key, value in expanded.items() if value != ""}, only[1] if only else ""


def _protocol(text: str, names: Mapping[int, str]) -> str:
    """Exports of older versions have numbers; the first protocol is the default, which exports leave out."""
    return names.get(int(text), text) if text.isdigit() and len(text) < 3 else text or names[0]


def _macros_of(parts: dict[str, yaml.Node]) -> dict[str, str]:
    found = {}
    for node in items_at(parts, "macros"):
        macro = mapping(node, "a macro")
        if "value" in macro:
            found[text_at(macro, "macro")] = text_at(macro, "value")
    return found


def _expanded(text: str, macros: Mapping[str, str]) -> str:
    """The text with its macros replaced; those that are not known stay."""
    for _ in range(_LONGEST_CHAIN):
        replaced = _MACRO.sub(lambda found: macros.get(found[0], found[0])[:1000], text)[:10_000]
        if replaced == text:
            break
        text = replaced
    return text


def _inventory(host: dict[str, yaml.Node]) -> Document:
    """Location and contact of the host inventory."""
    if "inventory" not in host:
        return {}
    parts = mapping(host["inventory"], "'inventory'")
    return {"sysLocation": text_at(parts, "location"), "sysContact": text_at(parts, "contact")}
