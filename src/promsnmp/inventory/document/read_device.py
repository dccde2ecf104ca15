"""JSON object -> device: what a document says of one device, its agents and identifiers.

Where the original PromSNMP leaves open what a document means, the docstrings here say what we decided.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.address import normal_address
from promsnmp.inventory.document.credentials import read_credentials, read_hex
from promsnmp.inventory.document.fields import Fields, kind_of
from promsnmp.inventory.document.parsing import read_instant
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.values import OVERRIDE_KEYS, new_id, read_id, read_labels, read_modules, read_overrides
from promsnmp.inventory.index import collisions
from promsnmp.inventory.model import (
    ACTIVE,
    DEFAULT_PORT,
    LOST,
    NO_IDENTIFIERS,
    Agent,
    AgentEndpoint,
    Device,
    DeviceIdentifiers,
    IdentityChange,
    Inventory,
    NamedCredentials,
    SourceMark,
)
from promsnmp.inventory.named_credentials.document import differing_keys
from promsnmp.snmp.credentials import Community

MAX_TIMEOUT = 3_600_000
"""Milliseconds; a larger value is a mistake in the unit."""
MAX_RETRIES = 100

_DEVICE_KEYS = frozenset({
    "id", "sysName", "sysDescr", "sysContact", "sysLocation", "discoveredAt", "agents", "primaryAgent", "modules",
    "labels", "sysObjectId", "vendor", "model", "detectedModules", "status", "lastSeen", "missedSince", "marks",
    "identityChange", "source"
}) | OVERRIDE_KEYS  # fmt: skip
_AGENT_KEYS = frozenset({
    "id", "type", "endpoint", "version", "timeout", "retries", "discoveredAt", "readCommunity", "writeCommunity",
    "securityName", "securityLevel", "authProtocol", "authPassphrase", "privProtocol", "privPassphrase", "engineId",
    "contextName", "contextEngineId", "device", "credentialsName"
})  # fmt: skip

_SOURCE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z", re.ASCII)
_READ_ONLY_KEYS = frozenset({"polling"})
"""Keys that only answers have; ignored in documents."""


def read_device(document: object, *, old: Device | None = None, named: Iterable[NamedCredentials] = ()) -> Device:
    """The device that a JSON document of one device describes; the places of problems are relative to the device.

    ``named`` are the credentials that agents may name. ``old`` is the device that it replaces: masked secrets, ids and
    discovered values are taken from there. Unknown keys are problems here, unlike in an inventory: they are typing
    mistakes rather than another program's data.
    Raises InventoryInvalid with all problems.
    """
    if not isinstance(document, Mapping):
        raise InventoryInvalid([f"the device must be an object, not {kind_of(document)}"])
    problems: list[str] = []
    _refuse_unknown(Fields(document, "", problems), _DEVICE_KEYS, "a device")
    agents = document.get("agents")
    for number, item in enumerate(agents if isinstance(agents, list) else ()):
        if isinstance(item, Mapping):
            _refuse_unknown(Fields(item, f"agents[{number}]", problems), _AGENT_KEYS, "an agent")
    given = {key: value for key, value in document.items() if key in _DEVICE_KEYS}
    previous = PreviousValues(Inventory((old,) if old else (), named_credentials=tuple(named)))
    previous.is_single = True
    device = device_from(given, "", problems, previous)
    if device is not None:
        problems += [problem.replace("devices[0].", "") for problem in collisions([device])]
    if problems or device is None:
        raise InventoryInvalid(problems)
    return device


def _refuse_unknown(fields: Fields, known: frozenset[str], what: str) -> None:
    for key in fields.values.keys() - known - _READ_ONLY_KEYS:
        similar = get_close_matches(key.lower(), {name.lower(): name for name in known}, 1, 0.6)
        intended = next((name for name in known if name.lower() in similar), "")
        fields.problem(
            ascii(key)[1:-1][:80], f"is not a key of {what}" + (f"; did you mean {intended}?" if intended else "")
        )


def device_from(item: object, place: str, problems: list[str], previous: PreviousValues) -> Device | None:
    before = len(problems)
    fields = Fields(item, place, problems)
    if len(problems) > before:
        return None
    sys_name = fields.text("sysName")
    given_id = read_id(fields)
    old = previous.device(given_id, sys_name)
    agents = [
        _agent(each, fields.at(f"agents[{i}]"), problems, previous) for i, each in enumerate(fields.items("agents"))
    ]
    usable = [agent for agent in agents if agent is not None]
    primary = _primary(fields, usable, previous, complete=len(usable) == len(agents))
    if primary is not None and primary not in usable:
        usable.append(primary)
    if not sys_name and not usable and len(problems) == before:
        problems.append(f"{place or 'the device'}: needs a sysName or an agent")
    return Device(
        id=given_id or (old.id if old else new_id()),
        sys_name=sys_name,
        sys_descr=fields.text("sysDescr"),
        sys_contact=fields.text("sysContact"),
        sys_location=fields.text("sysLocation"),
        discovered_at=fields.value("discoveredAt", read_instant) or (old.discovered_at if old else None),
        agents=tuple(usable),
        primary=primary,
        modules=read_modules(fields, "modules"),
        labels=read_labels(fields),
        overrides=read_overrides(fields),
        sys_object_id=fields.text("sysObjectId") or (old.sys_object_id if old else ""),
        vendor=fields.text("vendor") or (old.vendor if old else ""),
        model=fields.text("model") or (old.model if old else ""),
        detected_modules=read_modules(fields, "detectedModules") or (old.detected_modules if old else ()),
        status=_status(fields) or (old.status if old else ACTIVE),
        last_seen=fields.value("lastSeen", read_instant) or (old.last_seen if old else None),
        missed_since=fields.value("missedSince", read_instant) or (old.missed_since if old else None),
        identifiers=_identifiers(fields) or (old.identifiers if old else NO_IDENTIFIERS),
        identity_change=_identity_change(fields) or (old.identity_change if old else None),
        extra=_extra(fields, _DEVICE_KEYS) or (old.extra if old else ""),
        source=_source(fields) or (old.source if old else None),
    )


def _source(fields: Fields) -> SourceMark | None:
    """``source``: an object, or only the name of the source that is to take the device over."""
    value = fields.values.get("source")
    if value is None:
        return None
    inner = Fields({"name": value} if isinstance(value, str) else value, fields.at("source"), fields.problems)
    name = inner.text("name")
    if inner.values and not _SOURCE_NAME.match(name):
        inner.problem("name", "must be 1 to 64 letters, digits, '.', '_' and '-', not '.' or '-' first")
    return SourceMark(name, inner.text("key"), inner.texts("given")) if name else None


def _status(fields: Fields) -> str:
    status = fields.text("status").lower()
    if status not in ("", ACTIVE, LOST):
        fields.problem("status", f"{status[:40]!r} is neither {ACTIVE} nor {LOST}")
        return ""
    return status


def _identifiers(fields: Fields) -> DeviceIdentifiers | None:
    value = fields.values.get("marks")
    if value is None:
        return None
    inner = Fields(value, fields.at("marks"), fields.problems)
    return DeviceIdentifiers(
        sys_name=inner.text("sysName"),
        serial_numbers=inner.texts("serialNumbers"),
        mac_addresses=inner.texts("macAddresses"),
        local_mac_addresses=inner.texts("localMacAddresses"),
        booted_at=inner.value("bootedAt", read_instant),
        sys_object_id=inner.text("sysObjectId"),
    )


def _identity_change(fields: Fields) -> IdentityChange | None:
    value = fields.values.get("identityChange")
    if value is None:
        return None
    inner = Fields(value, fields.at("identityChange"), fields.problems)
    since = inner.value("since", read_instant)
    return IdentityChange(since, inner.texts("differences")) if since else None


def _primary(fields: Fields, agents: list[Agent], previous: PreviousValues, *, complete: bool) -> Agent | None:
    """The agent that ``primaryAgent`` repeats, by id, else by endpoint; its entry in ``agents`` counts.

    One that is not among ``agents`` becomes an additional agent; without ``primaryAgent`` the first agent is primary.
    """
    value = fields.values.get("primaryAgent")
    if value is None:
        return agents[0] if agents else None
    if isinstance(value, dict) and len(copied := [agent for agent in agents if agent.id == value.get("id")]) == 1:
        return copied[0]  # the case of every document that we wrote
    place = fields.at("primaryAgent")
    silent = Fields(value if isinstance(value, Mapping) else {}, place, [])
    wanted, endpoint = read_id(silent), _endpoint(silent)
    matching = [agent for agent in agents if agent.id == wanted] or [a for a in agents if a.endpoint == endpoint]
    if matching:
        return matching[0]
    return _agent(value, place, fields.problems, previous) if complete else None


def _agent(item: object, place: str, problems: list[str], previous: PreviousValues) -> Agent | None:
    before = len(problems)
    fields = Fields(item, place, problems)
    if len(problems) > before:
        return None
    given_id, endpoint = read_id(fields), _endpoint(fields)
    old = previous.agent(given_id, endpoint)
    name = _credentials_name(fields, previous)
    credentials = previous.named[name] if name else read_credentials(fields, "type", old.credentials if old else None)
    agent = Agent(
        id=given_id or (old.id if old else new_id()),
        endpoint=endpoint or AgentEndpoint(""),
        credentials=credentials or Community(),
        timeout=fields.integer("timeout", default=1500, low=1, high=MAX_TIMEOUT),
        retries=fields.integer("retries", default=1, low=0, high=MAX_RETRIES),
        discovered_at=fields.value("discoveredAt", read_instant) or (old.discovered_at if old else None),
        write_community=fields.secret("writeCommunity", old.write_community if old else ""),
        engine_id=read_hex(fields, "engineId"),
        extra=_extra(fields, _AGENT_KEYS) or (old.extra if old else ""),
        credentials_name=name,
    )
    return agent if endpoint else None


def _credentials_name(fields: Fields, previous: PreviousValues) -> str:
    """``credentialsName``, if these credentials are known. A file without them (an older PromSNMP wrote it) loses the
    name, and the agent keeps its copy."""
    name = fields.text("credentialsName")
    if name and name not in previous.named:
        if previous.has_inventory:
            fields.problem(
                "credentialsName", f"there are no credentials {name[:64]!r}; add them first, or leave it out"
            )
        return ""
    if name and previous.is_single and (keys := differing_keys(fields, previous.named[name])):
        what = f"is not what credentials {name!r} have; change those, or set credentialsName to null"
        fields.problem(keys[0], what)
    return name


def _endpoint(fields: Fields) -> AgentEndpoint | None:
    """``endpoint``; the default port is 161. None when there is no usable address."""
    value = fields.values.get("endpoint")
    if value is None:
        fields.problem("endpoint", 'is missing, like {"address": "192.0.2.1", "port": 161}')
        return None
    inner = Fields(value, fields.at("endpoint"), fields.problems)
    port = inner.integer("port", default=DEFAULT_PORT, low=1, high=65535)
    address = inner.convert("address", normal_address)
    if address is None and inner.values and not inner.failed("address"):
        inner.problem("address", "is missing")
    return AgentEndpoint(address, port) if address and not inner.failed("port") else None


def _extra(fields: Fields, known: frozenset[str]) -> str:
    if fields.values.keys() <= known:
        return ""
    found = {key: value for key, value in fields.values.items() if key not in known and key not in _READ_ONLY_KEYS}
    return json.dumps(found) if found else ""
