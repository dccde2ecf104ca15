"""Everything that people change from the pages, by the name of the page whose form they send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from promsnmp.errors import ModuleError
from promsnmp.inventory.model import Device
from promsnmp.observe.audit import audit
from promsnmp.web.credentials import forms as credential_forms
from promsnmp.web.device_table.rows import Row
from promsnmp.web.device_table.service import DeviceTables
from promsnmp.web.edit import many_devices, one_device
from promsnmp.web.edit.csv_export import csv_parts
from promsnmp.web.edit.kept_secrets import KeptSecrets
from promsnmp.web.edit.module_check import ModuleCheck
from promsnmp.web.edit.selection import named_devices, selected_rows
from promsnmp.web.edit.viewer import Form, Sender, first
from promsnmp.web.pages.devices import all_rows
from promsnmp.web.pages.modules import modules_view
from promsnmp.web.sources import Sources

Answer = tuple[int, str, Mapping[str, object] | str]
"""Status, and name and values of the page that answers; for 303, where to go on."""


class Editor:
    """Changes what ``sources`` have; ``tables`` has the rows of the list."""

    def __init__(self, sources: Sources, tables: DeviceTables) -> None:
        self._sources = sources
        self._tables = tables
        self._check = ModuleCheck()
        self._secrets = KeptSecrets()
        self._forms: dict[str, Callable[[str, Form, Sender], Awaitable[Answer]]] = {
            "edit": self._edit,
            "add": self._add,
            "remove": self._remove,
            "confirm": self._confirm,
            "apply": self._apply,
            "reload": self._reload,
            "check": self._check_file,
            "step-down": self._step_down,
            "add-credentials": self._add_credentials,
            "change-credentials": self._change_credentials,
            "remove-credentials": self._remove_credentials,
        }

    def view(self, name: str, item: str, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """The values of a page with a form. Raises UnknownDevice."""
        match name:
            case "edit":
                return one_device.edit_view(self._sources, item, dict(query).get("agent", ""))
            case "remove":
                return one_device.remove_view(self._sources, item)
            case "add-credentials":
                return credential_forms.add_credentials_view()
            case "change-credentials":
                return credential_forms.change_view(self._sources, item)
            case "remove-credentials":
                return credential_forms.remove_credentials_view(self._sources, item)
            case _:
                return one_device.add_view(self._sources)

    async def submit(self, name: str, item: str, form: Form, sender: Sender) -> Answer:
        """Does what a form says. Raises InventoryError, OutcomeUnknown, SettingsError and ValueError."""
        return await self._forms[name](item, form, sender)

    async def selection(self, form: Form) -> Sequence[Device]:
        """The devices that a form of the list chooses. Raises ValueError."""
        if first(form, "ids"):
            return await asyncio.to_thread(named_devices, self._sources, form)
        return [row.device for row in await self._selected_rows(form)]

    async def _selected_rows(self, form: Form) -> Sequence[Row]:
        table = await self._tables.table(is_current=True)
        return await asyncio.to_thread(selected_rows, self._sources, table, form)

    async def csv(self, query: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        """The devices of the list, as CSV. Raises ValueError."""
        table = await self._tables.table(is_current=True)
        return csv_parts(self._sources, await asyncio.to_thread(all_rows, self._sources, table, query))

    async def csv_of(self, form: Form) -> Iterator[bytes]:
        """Those that a form of the list chooses. Raises ValueError."""
        return csv_parts(self._sources, await self._selected_rows(form))

    async def _edit(self, item: str, form: Form, sender: Sender) -> Answer:
        status, answer = await one_device.edit(self._sources, item, form, sender, self._secrets)
        return status, "edit/device", answer

    async def _add(self, item: str, form: Form, sender: Sender) -> Answer:
        status, answer = await one_device.add(self._sources, form, sender, self._secrets)
        return status, "edit/device", answer

    async def _remove(self, item: str, form: Form, sender: Sender) -> Answer:
        status, answer = await one_device.remove(self._sources, item, form, sender)
        return status, "edit/remove", answer

    async def _add_credentials(self, item: str, form: Form, sender: Sender) -> Answer:
        status, answer = await credential_forms.add_credentials(self._sources, form, sender)
        return status, "credentials/form", answer

    async def _change_credentials(self, item: str, form: Form, sender: Sender) -> Answer:
        status, answer = await credential_forms.change_credentials(self._sources, item, form, sender)
        return status, "credentials/form", answer

    async def _remove_credentials(self, item: str, form: Form, sender: Sender) -> Answer:
        status, answer = await credential_forms.remove_credentials(self._sources, item, form, sender)
        return status, "credentials/remove", answer

    async def _confirm(self, item: str, form: Form, sender: Sender) -> Answer:
        devices = [row.device for row in await self._selected_rows(form)]
        if not devices:
            return 303, "", "devices?done=none"
        return (
            200,
            "edit/many",
            await asyncio.to_thread(many_devices.confirm_view, self._sources, first(form, "action"), devices),
        )

    async def _apply(self, item: str, form: Form, sender: Sender) -> Answer:
        status, answer = await many_devices.apply(self._sources, form, sender)
        return status, "edit/many", answer

    async def _reload(self, item: str, form: Form, sender: Sender) -> Answer:
        try:
            await self._sources.reload()
        except ModuleError:
            return 400, "modules", modules_view(self._sources)  # which says what is wrong
        return 303, "", "../modules?done=reloaded"

    async def _check_file(self, item: str, form: Form, sender: Sender) -> Answer:
        return 200, "edit/check", await self._check.view(self._sources, form)

    async def _step_down(self, item: str, form: Form, sender: Sender) -> Answer:
        cluster = self._sources.cluster
        if cluster.leadership.backend == "none":
            raise ValueError("no election: this is the only replica (ELECTION_BACKEND=none)")
        audit("leader stepped down", who=sender.who, leader=cluster.members.me.name)
        await cluster.leadership.step_down("requested by a page")
        return 303, "", "../replicas?done=stepped-down"
