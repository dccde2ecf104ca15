"""From what other programs say of devices to devices of the inventory: checked, with credentials by name.

Each program's package turns its files into ``Draft``s and ``SeedDraft``s; everything after that is the same for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.address import split_target
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.read_device import read_device
from promsnmp.inventory.document.seeds import credentials_document, read_seed
from promsnmp.inventory.model import DEFAULT_PORT, AgentEndpoint, Device, Inventory, Seed
from promsnmp.inventory.named_credentials.document import read_name
from promsnmp.migration.migrated import Document, MigratedDevice
from promsnmp.migration.notes import Notes
from promsnmp.snmp.credentials import Credentials, User

MOST_DEVICES = 100_000
"""Devices of one file."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9_]")
_RESERVED = frozenset({"instance", "job"})
"""Labels that Prometheus sets itself."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """A device as a file of another program describes it; everything is checked later."""

    file: str
    line: int
    address: str
    """Address or name, maybe with a port."""
    port: str = ""
    name: str = ""
    credentials: Document = field(default_factory=dict)
    """Keys of an agent's document; empty: the file has none."""
    credentials_hint: str = ""
    """What the other program calls these credentials, if it has a word for them."""
    named: str = ""
    """The name of credentials of the inventory, in place of ``credentials``."""
    agent: Document = field(default_factory=dict)
    """Other keys of the agent, such as ``timeout``."""
    device: Document = field(default_factory=dict)
    """Other keys of the device: labels, modules, sysLocation, interval, ..."""


@dataclass(slots=True, kw_only=True)
class SeedDraft:
    """Networks that another program searches for devices."""

    file: str
    line: int
    document: Document
    """A seed of the inventory; ``credentials`` is a list."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """What one file has."""

    devices: Sequence[Draft] = ()
    seeds: Sequence[SeedDraft] = ()


def label_name(text: str) -> str:
    """A label name of Prometheus that is as near to ``text`` as possible."""
    name = _NOT_IN_LABELS.sub("_", text.strip())
    return f"_{name}" if name[:1].isdigit() or name in _RESERVED else name


def labels_of_tags(tags: Iterable[str], *, separator: str = ":") -> dict[str, str]:
    """Labels of tags such as ``site:vienna``; a tag without a value becomes a label with the value ``true``."""
    labels = {}
    for tag in tags:
        name, found, value = tag.partition(separator)
        if label := label_name(name):
            labels[label] = value.strip() if found else "true"
    return labels


def devices_of(drafts: Iterable[Draft], program: str, notes: Notes, *, fallback: str = "") -> list[MigratedDevice]:
    """The devices of drafts; what is wrong with one is noted, and it is left out.

    ``fallback`` is the name of credentials of the inventory for devices whose file has none.
    """
    found: dict[AgentEndpoint, tuple[Draft, Device]] = {}
    for draft in drafts:
        try:
            device = _device(draft, fallback)
        except (ValueError, InventoryInvalid) as error:
            reason = "; ".join(error.lines) if isinstance(error, InventoryInvalid) else str(error)
            notes.add(draft.file, draft.line, f"{draft.address[:80] or 'a device'}: not imported: {reason}", lost=True)
            continue
        assert device.primary is not None
        before = found.setdefault(device.primary.endpoint, (draft, device))[0]
        if before is not draft:
            what = f"{device.primary.endpoint}: already at {before.file}:{before.line}; this one is left out"
            notes.add(draft.file, draft.line, what, lost=True)
    names = _Names(program)
    return [_migrated(draft, device, names, fallback) for draft, device in found.values()]


def _device(draft: Draft, fallback: str) -> Device:
    """Raises ValueError or InventoryInvalid."""
    host, port = split_target(draft.address)
    if draft.port.strip():
        host, port = split_target(f"[{host}]:{draft.port.strip()}" if ":" in host else f"{host}:{draft.port.strip()}")
    credentials = draft.credentials
    if not credentials and not (draft.named or fallback):
        raise ValueError("the file has no credentials for it; name some of the inventory by --credentials NAME")
    agent = {
        "endpoint": {"address": host, "port": port or DEFAULT_PORT},
        **(credentials or {"version": 1, "readCommunity": "-"}),  # checked only: the name counts
        **draft.agent,
    }
    agent.setdefault("type", "snmp-user" if "securityName" in agent else "snmp-community")
    return read_device({"sysName": draft.name, "agents": [agent], **draft.device})


def _migrated(draft: Draft, device: Device, names: _Names, fallback: str) -> MigratedDevice:
    assert device.primary is not None
    agent, overrides = device.primary, device.overrides
    has_own = bool(draft.credentials)
    credentials = agent.credentials if has_own else None
    name = draft.named or fallback
    if credentials is not None:
        hint = draft.credentials_hint or (credentials.name if isinstance(credentials, User) else "")
        name = names.name(credentials, hint, device.sys_name or agent.endpoint.address)
    return MigratedDevice(
        endpoint=agent.endpoint,
        source=f"{Path(draft.file).name}:{draft.line}",
        credentials_name=name,
        credentials=credentials,
        is_named=True,
        sys_name=device.sys_name,
        modules=device.modules,
        labels=dict(device.labels),
        interval=overrides.interval,
        timeout=agent.timeout if "timeout" in draft.agent else 0,
        retries=agent.retries if "retries" in draft.agent else None,
        location=device.sys_location,
        contact=device.sys_contact,
        overrides={
            "maxRepetitions": overrides.max_repetitions,
            "maxVarbinds": overrides.max_varbinds,
            "unconnected": overrides.unconnected,
        },
    )


class _Names:
    """Gives credentials their names: after the program and its own word for them, else after their first device."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._names: dict[Credentials, str] = {}
        self._used: set[str] = set()

    def name(self, credentials: Credentials, hint: str, device: str) -> str:
        if credentials not in self._names:
            proposals = [self._of(hint), self._of(f"{hint}-{device}")] if hint else [self._of(device)]
            proposals += [f"{proposals[-1][:55]}-{number}" for number in range(2, len(self._used) + 3)]
            self._names[credentials] = next(name for name in proposals if name not in self._used)
            self._used.add(self._names[credentials])
        return self._names[credentials]

    def _of(self, text: str) -> str:
        return read_name(f"{self._program}-{_NOT_IN_NAMES.sub('-', text).strip('-')}"[:60])


def seeds_of(drafts: Iterable[SeedDraft], notes: Notes) -> list[Document]:
    """The seeds as documents of a request, with secrets; what is wrong with one is noted, and it is left out."""
    seeds = []
    for draft in drafts:
        problems: list[str] = []
        seed = read_seed(draft.document, "", problems, PreviousValues(Inventory()))
        if problems or seed is None:
            what = f"{_shown_targets(draft.document)}: not imported: {'; '.join(problems)}"
            notes.add(draft.file, draft.line, what, lost=True)
        else:
            seeds.append(_request(seed))
    return seeds


def _request(seed: Seed) -> Document:
    document: Document = {
        "potentialTargets": list(seed.potential_targets),
        "port": seed.port,
        "credentials": [credentials_document(one, mask=False) for one in seed.credentials],
        "exclude": list(seed.exclude),
        "labels": dict(seed.labels),
        "modules": list(seed.modules),
    }
    if seed.overrides.interval:
        document["interval"] = seed.overrides.interval
    return document


def _shown_targets(document: Mapping[str, object]) -> str:
    targets = document.get("potentialTargets")
    return ", ".join(str(one)[:80] for one in targets[:3]) if isinstance(targets, list) else "a seed"
