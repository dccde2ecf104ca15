"""The form of a device: its fields, what a device has in them, and the patch or document that what was entered makes.

Secrets can be entered and are never shown. A field counts as changed when its text is not the one that the form showed:
hidden characters are shown as codes and long texts are cut, and neither may change a device by merely being sent back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from promsnmp.inventory.document.parsing import VERSION_NAMES, duration_text
from promsnmp.inventory.model import (
    ACTIVE,
    COMMUNITY_AGENT,
    DEFAULT_PORT,
    NO_IDENTIFIERS,
    USER_AGENT,
    Device,
    PollOverrides,
)
from promsnmp.snmp.credentials import LEVEL_NAMES, AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.web import text
from promsnmp.web.edit.viewer import Form, first

Values = dict[str, str]
"""The texts of the fields, by key."""

SETTING, YES, NO = "", "yes", "no"
LEVELS = {name: level for level, name in LEVEL_NAMES.items()}
_VERSIONS = {"v1": 0, "v2c": 1, "v3": 3}
_USER_KEYS = ("securityName", "securityLevel", "authProtocol", "authPassphrase", "privProtocol", "privPassphrase",
              "contextName", "contextEngineId")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form. ``options``: what can be chosen, by value; ``is_secret``: entered, never shown."""

    key: str
    title: str
    hint: str = ""
    rows: int = 0
    """Lines of a text of several lines; 0: one line."""
    options: Mapping[str, str] | None = None
    is_secret: bool = False
    only: str = ""
    """The version of SNMP that it is for, ``v2`` or ``v3``; empty: all."""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]


SECTIONS = (
    Section("Device", (
        Field("name", "Name", "sysName; scrapes use it"),
        Field("address", "Address", "an address, or a host's name"),
        Field("port", "Port"),
        Field("labels", "Labels", "one name=value on a line, for /targets", rows=3),
        Field("modules", "Modules", "separated by commas; empty: those of COLLECTION_MODULES"),
        Field("location", "Location"),
        Field("contact", "Contact"),
        Field("description", "Description", rows=2),
    )),
    Section("SNMP", (
        Field("version", "Version", options={one: one for one in _VERSIONS}),
        Field("community", "Community", "v1, v2c", is_secret=True, only="v2"),
        Field("user", "User", "v3", only="v3"),
        Field("level", "Security level", "v3", options={one: one for one in LEVELS}, only="v3"),
        Field("auth_protocol", "Authentication", "v3", only="v3",
              options={one.value: one.value for one in AuthProtocol}),
        Field("auth_passphrase", "Authentication passphrase", "v3", is_secret=True, only="v3"),
        Field("priv_protocol", "Privacy", "v3", only="v3",
              options={one.document_name: one.document_name for one in PrivProtocol}),
        Field("priv_passphrase", "Privacy passphrase", "v3", is_secret=True, only="v3"),
        Field("context", "Context name", "v3", only="v3"),
    )),
    Section("Polling", (
        Field("interval", "Interval", "such as 30s or 5m; empty: COLLECTION_INTERVAL"),
        Field("timeout", "Time-out", "milliseconds for a packet"),
        Field("retries", "Retries"),
        Field("max_repetitions", "maxRepetitions", "of a GETBULK; empty: as the modules say"),
        Field("max_varbinds", "maxVarbinds", "objects of a GET; empty: as many as fit"),
        Field("text_encoding", "Text encoding", "such as gbk or latin-1; empty: UTF-8"),
        Field("unconnected", "Other source address", "may it answer from another address or port?",
              options={SETTING: "as the modules say", YES: "yes", NO: "no"}),
    )),
)  # fmt: skip
FIELDS = {field.key: field for section in SECTIONS for field in section.fields}
SECRETS = tuple(key for key, field in FIELDS.items() if field.is_secret)
CREDENTIALS = ("version", "user", "level", "auth_protocol", "priv_protocol", "context")
NEW: Values = {key: "" for key in FIELDS if key not in SECRETS} | {
    "port": str(DEFAULT_PORT), "version": "v2c", "timeout": "1500", "retries": "1", "level": "authPriv",
    "auth_protocol": AuthProtocol.SHA256.value, "priv_protocol": PrivProtocol.AES.document_name,
}  # fmt: skip
"""What the form of a new device shows."""


def values_of(device: Device) -> Values:
    """What a form shows of a device: hidden characters as codes, long texts cut."""
    return {key: text.visible(value) for key, value in _values(device).items()}


def _values(device: Device) -> Values:
    agent, overrides = device.primary, device.overrides
    found = NEW | {
        "name": device.sys_name,
        "labels": "\n".join(f"{name}={value}" for name, value in device.labels),
        "modules": ", ".join(device.modules),
        "location": device.sys_location,
        "contact": device.sys_contact,
        "description": device.sys_descr,
        **_overrides(overrides),
    }
    if agent is None:
        return found
    found |= {
        "address": agent.endpoint.address,
        "port": str(agent.endpoint.port),
        "timeout": str(agent.timeout),
        "retries": str(agent.retries),
        "version": VERSION_NAMES[agent.version],
    }
    if isinstance(user := agent.credentials, User):
        found |= {
            "user": user.name,
            "level": LEVEL_NAMES[user.level],
            "auth_protocol": user.auth_protocol.value,
            "priv_protocol": user.priv_protocol.document_name,
            "context": user.context_name,
        }
    return found


def _overrides(overrides: PollOverrides) -> Values:
    unconnected = SETTING if overrides.unconnected is None else YES if overrides.unconnected else NO
    return {
        "interval": duration_text(overrides.interval) if overrides.interval else "",
        "max_repetitions": str(overrides.max_repetitions or ""),
        "max_varbinds": str(overrides.max_varbinds or ""),
        "text_encoding": overrides.text_encoding,
        "unconnected": unconnected,
    }


def entered(form: Form) -> Values:
    """What somebody has entered, secrets included."""
    return {key: first(form, key).replace("\r\n", "\n") for key in FIELDS}


def changed_keys(base: Values, mine: Values) -> frozenset[str]:
    """The fields, without secrets, whose text is not the one that the form showed."""
    return frozenset(
        key for key in base if key in FIELDS and _sent_back(key, base[key]) != _sent_back(key, mine.get(key, ""))
    )


def _sent_back(key: str, value: str) -> str:
    """As a browser sends a value back that a form showed."""
    whole = text.visible(value, len(value))
    return (whole if FIELDS[key].rows else whole.replace("\n", "").replace("\r", "")).strip()


def pack(values: Values) -> str:
    """The values as one text for a hidden field, whatever characters they have."""
    return base64.b64encode(json.dumps(values).encode()).decode()


def unpack(packed: str) -> Values:
    """The values of ``pack``; those of a new device for anything else."""
    try:
        found = json.loads(base64.b64decode(packed, validate=True))
    except (ValueError, RecursionError):
        return dict(NEW)
    given = found if isinstance(found, dict) else {}
    return {key: str(given.get(key, value)) for key, value in NEW.items()}


OBSERVED = "description"
"""The field that a poll may fill in: a change of it counts only for those who change it, too."""


def operated(device: Device) -> Device:
    """The device without what polls and searches note of it: what two people may disagree about."""
    agents = tuple(replace(agent, engine_id="") for agent in device.agents)
    return replace(
        device, sys_descr="", sys_object_id="", vendor="", model="", detected_modules=(), status=ACTIVE,
        last_seen=None, missed_since=None, identifiers=NO_IDENTIFIERS, identity_change=None, agents=agents,
        primary=None if device.primary is None else replace(device.primary, engine_id=""),
    )  # fmt: skip


def document_of(mine: Values) -> dict[str, object]:
    """The document of a new device."""
    made: dict[str, object] = _patch(dict(NEW), mine, changed_keys(NEW, mine))
    agent = _endpoint(mine) | _limits(mine) | _credentials(mine, None)
    return {key: value for key, value in made.items() if value is not None} | {
        "labels": label_lines(mine["labels"]),
        "agents": [{key: value for key, value in agent.items() if value is not None}],
    }


def patch_of(device: Device, base: Values, mine: Values) -> dict[str, object]:
    """The merge patch (RFC 7396) that makes what was entered of a device that the form showed as ``base``."""
    changed = changed_keys(base, mine)
    patch = _patch(base, mine, changed)
    agent: dict[str, object] = {}
    if changed & {"address", "port"}:
        agent |= _endpoint(mine)
    agent |= {key: value for key, value in _limits(mine).items() if key in changed}
    if changed & set(CREDENTIALS) or any(mine[key] for key in SECRETS):
        agent |= _credentials(mine, device)
    if agent and device.primary is not None:
        patch["primaryAgent"] = {"id": device.primary.id, **agent}
    elif agent:
        whole = _endpoint(mine) | _limits(mine) | _credentials(mine, None)
        patch["agents"] = [{key: value for key, value in whole.items() if value is not None}]
    return patch


_TEXTS = {"name": "sysName", "location": "sysLocation", "contact": "sysContact", "description": "sysDescr"}
_OPTIONAL = {
    "interval": "interval", "max_repetitions": "maxRepetitions", "max_varbinds": "maxVarbinds",
    "text_encoding": "textEncoding",
}  # fmt: skip


def _patch(base: Values, mine: Values, changed: frozenset[str]) -> dict[str, object]:
    """The keys of the device itself."""
    patch: dict[str, object] = {name: mine[key].strip() for key, name in _TEXTS.items() if key in changed}
    patch |= {name: mine[key].strip() or None for key, name in _OPTIONAL.items() if key in changed}
    if "unconnected" in changed:
        patch["unconnected"] = {YES: True, NO: False}.get(mine["unconnected"])
    if "modules" in changed:
        patch["modules"] = module_names(mine["modules"])
    if "labels" in changed:
        before, after = label_lines(base["labels"]), label_lines(mine["labels"])
        gone: dict[str, str | None] = {name: None for name in before if name not in after}
        patch["labels"] = gone | {name: value for name, value in after.items() if before.get(name) != value}
    return patch


def label_lines(lines: str) -> dict[str, str]:
    """Labels by name, from one ``name=value`` on a line."""
    pairs = (line.partition("=") for line in lines.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def module_names(text: str) -> list[str]:
    """The names of modules, separated by commas or space."""
    return text.replace(",", " ").split()


def _endpoint(mine: Values) -> dict[str, object]:
    return {"endpoint": {"address": mine["address"].strip(), "port": mine["port"].strip() or DEFAULT_PORT}}


def _limits(mine: Values) -> dict[str, object]:
    return {key: mine[key].strip() or None for key in ("timeout", "retries")}


def _credentials(mine: Values, device: Device | None) -> dict[str, object]:
    """The keys of the credentials; a secret that was not entered is left out, and so stays as it is."""
    version = mine["version"]
    before = device.primary.credentials if device is not None and device.primary is not None else None
    if version != "v3":
        given: dict[str, object] = {"type": COMMUNITY_AGENT, "version": _VERSIONS.get(version, version)}
        secret = {"readCommunity": mine["community"]} if mine["community"] or before is None else {}
        return given | secret | (dict.fromkeys(_USER_KEYS) if isinstance(before, User) else {})
    level = LEVELS.get(mine["level"], SecurityLevel.AUTH_PRIV)
    given = {
        "type": USER_AGENT, "version": 3, "securityName": mine["user"].strip(), "securityLevel": int(level),
        "contextName": mine["context"].strip() or None,
    }  # fmt: skip
    if before is not None and not isinstance(before, User):
        given["readCommunity"] = None
    for needed, kind in ((SecurityLevel.AUTH_NO_PRIV, "auth"), (SecurityLevel.AUTH_PRIV, "priv")):
        has = level >= needed
        given[f"{kind}Protocol"] = mine[f"{kind}_protocol"] if has else None
        if not has:
            given[f"{kind}Passphrase"] = None
        elif mine[f"{kind}_passphrase"]:
            given[f"{kind}Passphrase"] = mine[f"{kind}_passphrase"]
    return given
