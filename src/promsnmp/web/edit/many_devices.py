"""Changes of many devices: a page that says how many there are and asks, and then one write for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from promsnmp.errors import InventoryInvalid, UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.web.credentials.listing import names_to_choose
from promsnmp.web.device_table.rows import device_name
from promsnmp.web.edit.device_form import Field
from promsnmp.web.edit.device_patch import label_lines, module_names
from promsnmp.web.edit.selection import named_devices, pack_ids, unpack_ids
from promsnmp.web.edit.viewer import Form, Sender, first
from promsnmp.web.sources import Sources

BY_NAME = Field("credentials_name", "Credentials by name", "one of the named credentials", is_named=True)
MOST_TEXT = 200
MOST_NAMED = 20
"""Devices whose names are shown before they are changed."""


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done to many devices. ``field``: what is entered for it, empty for nothing."""

    title: str
    button: str
    field: str = ""
    hint: str = ""
    done: str = ""
    """What the list says afterwards (``notices.py``)."""


ACTIONS = {
    "labels": Action(
        "Set labels of", "Set labels", "Labels", "One name=value on a line; name= removes the label.", "labels-set"
    ),
    "modules": Action(
        "Set modules of", "Set modules", "Modules",
        "Separated by commas; empty: those of COLLECTION_MODULES.", "modules-set",
    ),
    "credentials": Action(
        "Set credentials of", "Set credentials", "Or those of a device",
        "Its name, address or ID: the credentials of its primary agent. They replace those of each device's primary "
        "agent.",
        "credentials-set",
    ),
    "remove": Action("Remove", "Remove", done="removed"),
}  # fmt: skip


def confirm_view(
    sources: Sources,
    name: str,
    devices: Sequence[Device],
    *,
    entered: str = "",
    chosen: str = "",
    problems: Sequence[str] = (),
) -> Mapping[str, object]:
    """The values of the page that asks; with ``problems`` of what was entered, it asks again. Raises ValueError for an
    unknown action."""
    return {
        "action_name": name,
        "action": _action(name),
        "count": len(devices),
        "named": [device_name(device) or device.id for device in devices[:MOST_NAMED]],
        "ids": pack_ids(devices),
        "entered": entered,
        "credentials": BY_NAME if name == "credentials" else None,
        "names": names_to_choose(sources),
        "values": {"credentials_name": chosen[:MOST_TEXT]},
        "problems": problems,
    }


def _action(name: str) -> Action:
    if name not in ACTIONS:
        raise ValueError("the form does not say what to do")
    return ACTIONS[name]


async def apply(sources: Sources, form: Form, sender: Sender) -> tuple[int, Mapping[str, object] | str]:
    """Does what was asked. Status 303 and where to go on, or 400 and the page again. Raises ValueError."""
    name = first(form, "action")
    action = _action(name)
    text, chosen = first(form, "entered").replace("\r\n", "\n"), first(form, "credentials_name").strip()
    ids = await asyncio.to_thread(unpack_ids, first(form, "ids"))
    how = {"who": sender.who, "request_id": sender.request_id}
    try:
        match name:
            case "labels":
                number = await sources.many_devices.set_labels(ids, read_labels(text), **how)
            case "modules":
                number = await sources.many_devices.set_modules(ids, module_names(text), **how)
            case "credentials" if chosen and not text.strip():
                number = await sources.many_devices.name_credentials(chosen, ids, **how)
            case "credentials":
                source = _source(sources, text.strip(), chosen)
                number = await sources.many_devices.copy_credentials(source, ids, **how)
            case _:
                number = await sources.many_devices.remove(ids, **how)
    except InventoryInvalid as error:
        devices = await asyncio.to_thread(named_devices, sources, form)
        again = partial(confirm_view, entered=text, chosen=chosen, problems=error.lines)
        return 400, await asyncio.to_thread(again, sources, name, devices)
    return 303, f"../devices?done={action.done}&number={number}"


def read_labels(lines: str) -> dict[str, str | None]:
    """Labels by name, one on a line; one without a value is to be removed. Raises InventoryInvalid when there is
    none."""
    found = {name: value or None for name, value in label_lines(lines).items() if name}
    if not found:
        raise InventoryInvalid(["enter at least one label: name=value"])
    return found


def _source(sources: Sources, wanted: str, chosen: str) -> str:
    """The id of the device whose credentials are copied. Raises InventoryInvalid."""
    if bool(wanted) is bool(chosen):
        raise InventoryInvalid(["choose credentials by name, or enter a device that has them, not both"])
    try:
        return sources.devices.find(wanted).id
    except UnknownDevice as error:
        raise InventoryInvalid([str(error)]) from None
