"""Which devices a form of the list chooses: rows that are marked, or all that the list has; and how a form names them.

What a page asks about is exactly what then happens: the form of the next step names the devices, not the query.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl

from promsnmp.inventory.model import Device
from promsnmp.web.device_table.rows import Row
from promsnmp.web.device_table.table import DeviceTable
from promsnmp.web.edit.viewer import Form, first
from promsnmp.web.pages.devices import all_rows
from promsnmp.web.sources import Sources

MAX_DEVICES = 100_000
"""Devices that are changed at once, at most."""
_MOST_QUERY = 4_000
_ID_BYTES = 16


def pack_ids(devices: Iterable[Device]) -> str:
    """The IDs of devices as one text: 22 characters for each."""
    return base64.b64encode(b"".join(uuid.UUID(device.id).bytes for device in devices)).decode()


def unpack_ids(packed: str) -> list[str]:
    """The IDs of ``pack_ids``. Raises ValueError."""
    try:
        data = base64.b64decode(packed, validate=True)
    except binascii.Error:
        raise ValueError("the form does not say which devices") from None
    if len(data) % _ID_BYTES or len(data) > MAX_DEVICES * _ID_BYTES:
        raise ValueError("the form does not say which devices")
    return [str(uuid.UUID(bytes=data[at : at + _ID_BYTES])) for at in range(0, len(data), _ID_BYTES)]


def selected_rows(sources: Sources, table: DeviceTable, form: Form) -> Sequence[Row]:
    """The rows that a form of the list chooses, in the order of the list. Raises ValueError."""
    query = parse_qsl(first(form, "query")[:_MOST_QUERY], keep_blank_values=True, max_num_fields=200)
    if first(form, "all"):
        return all_rows(sources, table, query)
    wanted = set(form.get("id", ()))
    return [row for row in table.rows if row.device.id in wanted]


def named_devices(sources: Sources, form: Form) -> list[Device]:
    """The devices that the form of a next step names, as far as they still exist. Raises ValueError."""
    index = sources.devices.snapshot.index
    return [device for one in unpack_ids(first(form, "ids")) if (device := index.device(one)) is not None]
