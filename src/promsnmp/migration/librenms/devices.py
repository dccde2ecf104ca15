"""The devices of LibreNMS: an answer of its API (``GET /api/v0/devices``), or its table ``devices`` as CSV or JSON.

The keys are the columns of that table (docs.librenms.org, API, Devices; ``SELECT * FROM devices``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from promsnmp.errors import ModuleError
from promsnmp.migration.drafts import MOST_DEVICES, Draft, Drafts
from promsnmp.migration.migrated import Document
from promsnmp.migration.node_values import compose, line_of, mapping
from promsnmp.migration.notes import Notes
from promsnmp.migration.tables import rows
from promsnmp.support.yaml_nodes import NodeError

Row = Mapping[str, str]
_NULLS = frozenset({"NULL", "\\N"})
"""How mysql and its tools write null in tables."""
_VERSIONS = {"v1": 0, "v2c": 1, "v3": 3}
_LEVELS = {"noauthnopriv": 1, "authnopriv": 2, "authpriv": 3}
_TRUE = frozenset({"1", "true"})


def read(octets: bytes, file: str, notes: Notes) -> Drafts:
    """The devices of a file. Raises ModuleError when it is not of LibreNMS."""
    drafts: list[Draft] = []
    is_json = octets.lstrip()[:1] in (b"{", b"[")
    for line, row in _json_rows(octets, file) if is_json else _table_rows(octets, file, notes):
        if len(drafts) >= MOST_DEVICES:
            raise ModuleError(f"{file}:{line}: more than {MOST_DEVICES:,} devices; split the file")
        if draft := _draft(row, file, line, notes):
            drafts.append(draft)
    return Drafts(drafts)


def _table_rows(octets: bytes, file: str, notes: Notes) -> Iterator[tuple[int, Row]]:
    for line, row in rows(octets, file):
        if isinstance(row, str):
            notes.add(file, line, row, lost=True)
        elif "hostname" not in row:
            raise ModuleError(
                f"{file}:1: there is no column 'hostname'; export the table devices with its column names"
            )
        else:
            yield line, {key: "" if value in _NULLS else value for key, value in row.items()}


def _json_rows(octets: bytes, file: str) -> Iterator[tuple[int, Row]]:
    """The devices of the API's answer, of a list, or of phpMyAdmin's list of tables."""
    root = compose(octets, file)
    try:
        for node in _device_nodes(root):
            values = mapping(node, "a device").items()
            found = {key.lower(): _text(value) for key, value in values if isinstance(value, yaml.ScalarNode)}
            if "hostname" not in found:
                raise NodeError(node, "a device without 'hostname'; this is no list of LibreNMS's devices")
            yield line_of(node), found
    except NodeError as error:
        raise ModuleError(f"{file}:{error.line}: {error}") from None


def _text(node: yaml.ScalarNode) -> str:
    is_null = not node.style and node.value in ("null", "~", "")
    return "" if is_null else str(node.value)


def _device_nodes(root: yaml.Node) -> list[yaml.Node]:
    if isinstance(root, yaml.MappingNode):
        parts = mapping(root, "the file")
        if not isinstance(parts.get("devices"), yaml.SequenceNode):
            raise NodeError(root, "there is no list 'devices'; write the answer of GET /api/v0/devices into the file")
        return list(parts["devices"].value)
    assert isinstance(root, yaml.SequenceNode)
    tables = [mapping(node, "an item") for node in root.value]
    data = [parts["data"] for parts in tables if isinstance(parts.get("data"), yaml.SequenceNode)]
    return [node for each in data for node in each.value] if data else list(root.value)


def _draft(row: Row, file: str, line: int, notes: Notes) -> Draft | None:
    name = row["hostname"].strip()
    if row.get("snmp_disable", "").lower() in _TRUE:
        notes.add(file, line, f"{name}: LibreNMS only pings it (snmp_disable); it is left out")
        return None
    if row.get("disabled", "").lower() in _TRUE:
        notes.add(file, line, f"{name}: disabled in LibreNMS; it is left out")
        return None
    transport = row.get("transport", "").lower()
    if transport.startswith("tcp"):
        notes.add(file, line, f"{name}: not imported: the inventory has SNMP over UDP only, not {transport}", lost=True)
        return None
    if row.get("override_syslocation", "") in _TRUE:
        notes.add(file, line, f"{name}: its location is LibreNMS's, not that of the device")
    labels = {"os": row.get("os", ""), "type": row.get("type", "")}
    return Draft(
        file=file,
        line=line,
        address=row.get("overwrite_ip", "").strip() or name,
        port=row.get("port", ""),
        name=row.get("sysname", "").strip() or name,
        credentials=_credentials(row),
        agent=_timing(row, name, file, line, notes),
        device={
            "sysLocation": row.get("location", ""),
            "sysContact": row.get("syscontact", ""),
            "labels": {key: value for key, value in labels.items() if value},
        },
    )


def _timing(row: Row, name: str, file: str, line: int, notes: Notes) -> Document:
    """``timeout`` is in seconds; empty and 0 mean LibreNMS's default."""
    timing: Document = {}
    try:
        if seconds := float(row.get("timeout") or 0):
            timing["timeout"] = round(seconds * 1000)
    except (ValueError, OverflowError):
        notes.add(file, line, f"{name}: its timeout is no number of seconds; the default is used", lost=True)
    if row.get("retries"):
        timing["retries"] = row["retries"]
    return timing


def _credentials(row: Row) -> Document:
    version = _VERSIONS.get(row.get("snmpver", "").lower(), 1)
    if version != 3:
        return {"version": version, "readCommunity": row["community"]} if row.get("community") else {}
    if not row.get("authname"):
        return {}
    level = _LEVELS.get(row.get("authlevel", "").lower(), 1)
    credentials: Document = {"version": 3, "securityName": row["authname"], "securityLevel": level}
    if level >= 2:
        credentials |= {"authProtocol": row.get("authalgo", ""), "authPassphrase": row.get("authpass", "")}
    if level == 3:
        credentials |= {"privProtocol": row.get("cryptoalgo", ""), "privPassphrase": row.get("cryptopass", "")}
    return credentials
