"""Adds, edits and removes one device by forms, through the service of the API.

Two people may edit one device. Who saves second sees what the first one has changed beside their own values, and
decides: a form carries the version of the device that it showed, and what it showed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from promsnmp.errors import DeviceChanged, InventoryInvalid, SnmpError, UnknownDevice
from promsnmp.inventory.document.read_device import read_device
from promsnmp.inventory.model import Device
from promsnmp.polling.walks.walker import WalksBusy
from promsnmp.snmp import oid
from promsnmp.web import text
from promsnmp.web.credentials.listing import names_to_choose
from promsnmp.web.edit.device_form import (
    FIELDS,
    NEW,
    OBSERVED,
    SECRETS,
    SECTIONS,
    Values,
    agent_of,
    changed_keys,
    entered,
    operated,
    pack,
    unpack,
    values_of,
)
from promsnmp.web.edit.device_patch import both_ways, document_of, patch_of
from promsnmp.web.edit.kept_secrets import KeptSecrets
from promsnmp.web.edit.viewer import Form, Sender, first
from promsnmp.web.sources import Sources

SYSTEM = oid.encode("1.3.6.1.2.1.1")
"""What a new device is asked for: the group system of SNMPv2-MIB (RFC 3418), which every agent has."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that somebody else has changed meanwhile."""

    title: str
    before: str
    now: str
    mine: str
    is_kept: bool
    """Whether the form keeps my value: I have changed it, too."""


def version_of(sources: Sources, device: Device) -> str:
    """The ETag of what an operator may change of a device."""
    return sources.devices.etag(operated(device))


def edit_view(sources: Sources, wanted: str, agent_id: str = "") -> Mapping[str, object]:
    """The values of the form of a device, with one of its agents, else the primary one. Raises UnknownDevice."""
    device = sources.devices.find(wanted)
    return _form(sources, device, values_of(device, agent_id), agent_id=agent_id)


def add_view(sources: Sources) -> Mapping[str, object]:
    """The values of the form of a new device."""
    return {
        "names": names_to_choose(sources),
        "device": None, "sections": SECTIONS, "values": NEW, "packed": pack(NEW), "etag": "", "problems": (),
        "conflicts": (), "is_conflict": False, "lost_secrets": False, "kept": "", "title": "Add a device",
        "agent": None, "is_silent": False,
    }  # fmt: skip


def remove_view(sources: Sources, wanted: str) -> Mapping[str, object]:
    """The values of the page that asks whether to remove a device. Raises UnknownDevice."""
    device = sources.devices.find(wanted)
    return {"device": device, "etag": version_of(sources, device), "has_changed": False}


async def edit(
    sources: Sources, wanted: str, form: Form, sender: Sender, kept: KeptSecrets
) -> tuple[int, Mapping[str, object] | str]:
    """Saves what was entered. Status 303 and where to go on; or 412 or 400, and the values of the form again."""
    device = sources.devices.find(wanted)
    base, mine, agent_id = unpack(first(form, "shown")), _entered(form, sender, kept), first(form, "agent")
    if agent_id and all(agent_id != one.id for one in device.agents):
        raise ValueError("the device does not have this agent any more; open the form again")
    patch = patch_of(device, base, mine, agent_id)
    if not patch and not both_ways(base, mine):
        return 303, f"../{device.id}?done=unchanged"
    try:
        if problems := both_ways(base, mine):
            raise InventoryInvalid(problems)
        await sources.devices.patch(
            device.id,
            patch,
            who=sender.who,
            request_id=sender.request_id,
            check=_unchanged(sources, first(form, "etag"), base, mine),
        )
    except DeviceChanged:
        shown = _conflict(sources, sources.devices.find(wanted), base, mine, agent_id)
        return 412, {**shown, **_kept(mine, sender, kept)}
    except InventoryInvalid as error:
        etag = first(form, "etag")
        shown = _form(sources, device, mine, base=base, etag=etag, problems=error.lines, agent_id=agent_id)
        return 400, {**shown, **_kept(mine, sender, kept)}
    return 303, f"../{device.id}?done=saved"


async def add(
    sources: Sources, form: Form, sender: Sender, kept: KeptSecrets
) -> tuple[int, Mapping[str, object] | str]:
    """Adds a device that answers, which is polled at once; one that does not when the form says ``anyway``. As
    ``edit``."""
    mine = _entered(form, sender, kept)
    document, is_silent = document_of(mine), False
    try:
        if problems := both_ways(NEW, mine):
            raise InventoryInvalid(problems)
        if not first(form, "anyway"):
            is_silent = True
            await sources.walk(read_device(document, named=sources.devices.credentials.current), SYSTEM)
            is_silent = False
        device = await sources.devices.add(document, who=sender.who, request_id=sender.request_id)
    except InventoryInvalid as error:
        lines, is_silent = error.lines, False
    except (SnmpError, WalksBusy, UnknownDevice) as error:
        lines = [f"the device does not answer: {error}"]
    else:
        return 303, f"devices/{device.id}?done=added"
    shown = {**add_view(sources), "values": _without_secrets(mine), "problems": lines, "is_silent": is_silent}
    return 400, {**shown, **_kept(mine, sender, kept)}


def _entered(form: Form, sender: Sender, kept: KeptSecrets) -> Values:
    """What was entered, with secrets that were entered before where none are entered now."""
    before = kept.find(first(form, "kept"), sender.viewer.form_token)
    return {key: value or before.get(key, "") for key, value in entered(form).items()}


def _kept(mine: Values, sender: Sender, kept: KeptSecrets) -> Mapping[str, object]:
    """The values of a form that was not saved, about its secrets."""
    given = {} if mine["named"] else {key: mine[key] for key in SECRETS}
    kept_id = kept.keep(given, sender.viewer.form_token)
    return {"kept": kept_id, "lost_secrets": not kept_id and any(given.values())}


async def remove(sources: Sources, wanted: str, form: Form, sender: Sender) -> tuple[int, Mapping[str, object] | str]:
    """Removes a device. As ``edit``."""
    try:
        await sources.devices.remove(
            wanted,
            who=sender.who,
            request_id=sender.request_id,
            check=_unchanged(sources, first(form, "etag")),
        )
    except DeviceChanged:
        return 412, {**remove_view(sources, wanted), "has_changed": True}
    return 303, "../../devices?done=removed&number=1"


def _unchanged(
    sources: Sources, etag: str, base: Values | None = None, mine: Values | None = None
) -> Callable[[Device | None], None]:
    """A check that the device is the version that the form showed; of an edit, which showed ``base``."""

    def check(present: Device | None) -> None:
        if present is None:
            raise UnknownDevice("the device no longer exists")
        is_same = version_of(sources, present) == etag
        if is_same and base is not None and mine is not None and OBSERVED in changed_keys(base, mine):
            is_same = OBSERVED not in changed_keys(base, values_of(present))
        if not is_same:
            raise DeviceChanged("somebody else has changed the device meanwhile")

    return check


def _conflict(sources: Sources, device: Device, base: Values, mine: Values, agent_id: str) -> Mapping[str, object]:
    """The form with my changes on top of the device as it is now, and what has changed meanwhile."""
    now = values_of(device, agent_id)
    by_me, by_others = changed_keys(base, mine), changed_keys(base, now)
    conflicts = [
        Conflict(FIELDS[key].title, base[key], now[key], mine[key], key in by_me) for key in FIELDS if key in by_others
    ]
    merged = {**{key: mine[key] if key in by_me else now[key] for key in now}, **{key: mine[key] for key in SECRETS}}
    return {**_form(sources, device, merged, base=now, agent_id=agent_id), "conflicts": conflicts, "is_conflict": True}


def _form(
    sources: Sources,
    device: Device,
    values: Values,
    *,
    base: Values | None = None,
    etag: str | None = None,
    problems: Sequence[str] = (),
    agent_id: str = "",
) -> Mapping[str, object]:
    """The values of the form: ``values`` are shown, ``base`` is what the device has."""
    return {
        "device": device,
        "names": names_to_choose(sources),
        "title": f"Edit {device.sys_name or 'a device'}",
        "sections": SECTIONS,
        "values": _without_secrets(values),
        "packed": pack(base or values),
        "etag": version_of(sources, device) if etag is None else etag,
        "problems": problems,
        "conflicts": (),
        "is_conflict": False,
        "lost_secrets": False,
        "kept": "",
        "agent": agent_of(device, agent_id),
        "is_silent": False,
    }


def _without_secrets(values: Values) -> Values:
    """What a form may show; texts that are shown already stay as they are."""
    return {key: text.visible(value, len(value)) for key, value in values.items() if key not in SECRETS}
