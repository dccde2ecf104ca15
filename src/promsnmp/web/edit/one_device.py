"""Adds, edits and removes one device by forms, through the service of the API.

Two people may edit one device. Who saves second sees what the first one has changed beside their own values, and
decides: a form carries the version of the device that it showed, and what it showed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from promsnmp.errors import DeviceChanged, InventoryInvalid, UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.web import text
from promsnmp.web.edit.device_form import (
    FIELDS,
    NEW,
    OBSERVED,
    SECRETS,
    SECTIONS,
    Values,
    changed_keys,
    document_of,
    entered,
    operated,
    pack,
    patch_of,
    unpack,
    values_of,
)
from promsnmp.web.edit.viewer import Form, Sender, first
from promsnmp.web.sources import Sources


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


def edit_view(sources: Sources, wanted: str) -> Mapping[str, object]:
    """The values of the form of a device. Raises UnknownDevice."""
    device = sources.devices.find(wanted)
    return _form(sources, device, values_of(device))


def add_view() -> Mapping[str, object]:
    """The values of the form of a new device."""
    return {
        "device": None, "sections": SECTIONS, "values": NEW, "packed": pack(NEW), "etag": "", "problems": (),
        "conflicts": (), "is_conflict": False, "lost_secrets": False, "title": "Add a device",
    }  # fmt: skip


def remove_view(sources: Sources, wanted: str) -> Mapping[str, object]:
    """The values of the page that asks whether to remove a device. Raises UnknownDevice."""
    device = sources.devices.find(wanted)
    return {"device": device, "etag": version_of(sources, device), "has_changed": False}


async def edit(sources: Sources, wanted: str, form: Form, sender: Sender) -> tuple[int, Mapping[str, object] | str]:
    """Saves what was entered. Status 303 and where to go on; or 412 or 400, and the values of the form again."""
    device = sources.devices.find(wanted)
    base, mine = unpack(first(form, "shown")), entered(form)
    patch = patch_of(device, base, mine)
    if not patch:
        return 303, f"../{device.id}?done=unchanged"
    try:
        await sources.devices.patch(
            device.id,
            patch,
            who=sender.who,
            request_id=sender.request_id,
            check=_unchanged(sources, first(form, "etag"), base, mine),
        )
    except DeviceChanged:
        return 412, _conflict(sources, sources.devices.find(wanted), base, mine)
    except InventoryInvalid as error:
        return 400, _form(sources, device, mine, base=base, etag=first(form, "etag"), problems=error.lines)
    return 303, f"../{device.id}?done=saved"


async def add(sources: Sources, form: Form, sender: Sender) -> tuple[int, Mapping[str, object] | str]:
    """Adds a device, which is polled at once. As ``edit``."""
    mine = entered(form)
    try:
        device = await sources.devices.add(document_of(mine), who=sender.who, request_id=sender.request_id)
    except InventoryInvalid as error:
        shown = {**add_view(), "values": _without_secrets(mine), "problems": error.lines}
        return 400, {**shown, "lost_secrets": any(mine[key] for key in SECRETS)}
    return 303, f"devices/{device.id}?done=added"


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


def _conflict(sources: Sources, device: Device, base: Values, mine: Values) -> Mapping[str, object]:
    """The form with my changes on top of the device as it is now, and what has changed meanwhile."""
    now = values_of(device)
    by_me, by_others = changed_keys(base, mine), changed_keys(base, now)
    conflicts = [
        Conflict(FIELDS[key].title, base[key], now[key], mine[key], key in by_me) for key in FIELDS if key in by_others
    ]
    merged = {**{key: mine[key] if key in by_me else now[key] for key in now}, **{key: mine[key] for key in SECRETS}}
    return {**_form(sources, device, merged, base=now), "conflicts": conflicts, "is_conflict": True}


def _form(
    sources: Sources,
    device: Device,
    values: Values,
    *,
    base: Values | None = None,
    etag: str | None = None,
    problems: Sequence[str] = (),
) -> Mapping[str, object]:
    """The values of the form: ``values`` are shown, ``base`` is what the device has."""
    return {
        "device": device,
        "title": f"Edit {device.sys_name or 'a device'}",
        "sections": SECTIONS,
        "values": _without_secrets(values),
        "packed": pack(base or values),
        "etag": version_of(sources, device) if etag is None else etag,
        "problems": problems,
        "conflicts": (),
        "is_conflict": False,
        "lost_secrets": any(values.get(key) for key in SECRETS),
    }


def _without_secrets(values: Values) -> Values:
    """What a form may show; texts that are shown already stay as they are."""
    return {key: text.visible(value, len(value)) for key, value in values.items() if key not in SECRETS}
