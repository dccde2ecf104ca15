"""The form of a device: its fields, and what a device has in them (``device_patch.py`` makes a change of it).

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
    DEFAULT_PORT,
    NO_IDENTIFIERS,
    Agent,
    Device,
    PollOverrides,
)
from promsnmp.snmp.credentials import LEVEL_NAMES, AuthProtocol, Credentials, PrivProtocol, User
from promsnmp.web import text
from promsnmp.web.edit.viewer import Form, first

Values = dict[str, str]
"""The texts of the fields, by key."""

SETTING, YES, NO = "", "yes", "no"
LEVELS = {name: level for level, name in LEVEL_NAMES.items()}
VERSIONS = {"v1": 0, "v2c": 1, "v3": 3}


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
    is_named: bool = False
    """The name of named credentials: chosen of those that the form gets."""
    only: str = ""
    """The version of SNMP that it is for, ``v2`` or ``v3``; empty: all."""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together."""

    title: str
    fields: tuple[Field, ...]


CREDENTIAL_FIELDS = (
    Field("version", "Version", options={one: one for one in VERSIONS}),
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
)  # fmt: skip
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
        Field("named", "Credentials by name", "in place of those below", is_named=True),
        *CREDENTIAL_FIELDS,
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


def agent_of(device: Device, agent_id: str) -> Agent | None:
    """The agent that a form is about: the one with this id, else the primary one; None without agents."""
    return next((one for one in device.agents if one.id == agent_id), device.primary)


def values_of(device: Device, agent_id: str = "") -> Values:
    """What a form shows of a device and of one of its agents: hidden characters as codes, long texts cut."""
    return {key: text.visible(value) for key, value in _values(device, agent_of(device, agent_id)).items()}


def _values(device: Device, agent: Agent | None) -> Values:
    overrides = device.overrides
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
        "named": agent.credentials_name,
    }
    return found | credential_values(agent.credentials)


def credential_values(credentials: Credentials) -> Values:
    """What a form shows of credentials, without secrets."""
    found = NEW | {"version": VERSION_NAMES[credentials.version]}
    if isinstance(credentials, User):
        found |= {
            "user": credentials.name,
            "level": LEVEL_NAMES[credentials.level],
            "auth_protocol": credentials.auth_protocol.value,
            "priv_protocol": credentials.priv_protocol.document_name,
            "context": credentials.context_name,
        }
    return {key: found[key] for key in CREDENTIALS}


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
