"""Adds, changes, rotates and removes named credentials by forms, through the service of the API.

Secrets can be entered and are never shown. A form carries the version of the credentials that it showed: who saves
second gets an error, and looks at them again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from promsnmp.errors import DeviceChanged, InventoryConflict, InventoryInvalid, UnknownDevice
from promsnmp.inventory.document.merge_patch import merge
from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.model import NamedCredentials
from promsnmp.inventory.named_credentials.document import named_document
from promsnmp.inventory.named_credentials.editor import NamedCredentialsEditor
from promsnmp.web import text
from promsnmp.web.edit.device_form import CREDENTIAL_FIELDS, NEW, SECRETS, Values, credential_values
from promsnmp.web.edit.device_patch import credential_keys
from promsnmp.web.edit.viewer import Form, Sender, first
from promsnmp.web.sources import Sources

MOST_NAME = 200
"""Characters of a name that a form shows again."""
MOST_USERS = 20
"""Devices that are named on the form."""

Shown = Mapping[str, object]


def add_credentials_view() -> Shown:
    """The values of the form of new credentials."""
    return _form(None, "", dict(NEW), etag="")


def change_view(sources: Sources, name: str) -> Shown:
    """The values of the form that changes credentials. Raises UnknownDevice."""
    named = _require(sources, name)
    editor = sources.devices.credentials
    return _form(named, name, credential_values(named.credentials), etag=editor.etag(named)) | _users(editor, name)


def remove_credentials_view(sources: Sources, name: str, problems: Sequence[str] = ()) -> Shown:
    """The values of the page that asks whether to remove credentials. Raises UnknownDevice."""
    named, editor = _require(sources, name), sources.devices.credentials
    return {"name": name, "etag": editor.etag(named), "problems": problems, **_users(editor, name)}


async def add_credentials(sources: Sources, form: Form, sender: Sender) -> tuple[int, Shown | str]:
    """Adds what was entered. Status 303 and where to go on, or 400 or 412 and the form again."""
    mine, name = _entered(form), first(form, "name").strip()
    shown_name = text.visible(name, 64)

    def check(present: NamedCredentials | None) -> None:
        if present is not None:
            raise InventoryInvalid([f"there are credentials {shown_name!r} already; choose another name"])

    try:
        await sources.devices.credentials.put(
            name, _document(mine, None), who=sender.who, request_id=sender.request_id, check=check
        )
    except InventoryInvalid as error:
        return 400, _form(None, name, mine, etag="", problems=error.lines)
    return 303, "credentials?done=credentials-added"


async def change_credentials(sources: Sources, name: str, form: Form, sender: Sender) -> tuple[int, Shown | str]:
    """Changes credentials, and those of all devices that use them. As ``add_credentials``. Raises UnknownDevice."""
    named, editor, mine = _require(sources, name), sources.devices.credentials, _entered(form)
    etag = first(form, "etag")
    try:
        changed, _ = await editor.put(
            name,
            _document(mine, named),
            who=sender.who,
            request_id=sender.request_id,
            check=_unchanged(editor, etag),
            with_seeds=bool(first(form, "with_seeds")),
        )
    except DeviceChanged as error:
        return 412, {**change_view(sources, name), "problems": [str(error)]}
    except InventoryInvalid as error:
        return 400, _form(named, name, mine, etag=etag, problems=error.lines) | _users(editor, name)
    done = "unchanged" if changed.credentials == named.credentials else "credentials-changed"
    return 303, f"../../credentials?done={done}"


async def remove_credentials(sources: Sources, name: str, form: Form, sender: Sender) -> tuple[int, Shown | str]:
    """Removes credentials that no device uses. As ``add_credentials``. Raises UnknownDevice."""
    editor = sources.devices.credentials
    try:
        check = _unchanged(editor, first(form, "etag"))
        await editor.remove(name, who=sender.who, request_id=sender.request_id, check=check)
    except DeviceChanged as error:
        return 412, remove_credentials_view(sources, name, [str(error)])
    except InventoryConflict as error:
        return 409, remove_credentials_view(sources, name, error.lines)
    return 303, "../../credentials?done=credentials-removed"


def _require(sources: Sources, name: str) -> NamedCredentials:
    named = sources.devices.credentials.find(name)
    if named is None:
        raise UnknownDevice(f"there are no credentials {name[:64]!r}")
    return named


def _unchanged(editor: NamedCredentialsEditor, etag: str) -> Callable[[NamedCredentials | None], None]:
    def check(present: NamedCredentials | None) -> None:
        if present is None:
            raise UnknownDevice("the credentials no longer exist")
        if editor.etag(present) != etag:
            raise DeviceChanged(
                "somebody else has changed these credentials meanwhile; the form has the present values, enter yours "
                "again"
            )

    return check


def _entered(form: Form) -> Values:
    keys = (field.key for field in CREDENTIAL_FIELDS)
    return dict(NEW) | dict.fromkeys(SECRETS, "") | {key: first(form, key) for key in keys}


def _document(mine: Values, named: NamedCredentials | None) -> dict[str, object]:
    """What was entered; secrets that were not entered stay as they are."""
    if named is None:
        return {key: value for key, value in credential_keys(mine, None).items() if value is not None}
    changed: dict[str, object] = merge(named_document(named, mask=True), credential_keys(mine, named.credentials))
    return changed


def _users(editor: NamedCredentialsEditor, name: str) -> dict[str, object]:
    """Who uses credentials."""
    return {
        "users": list(islice(editor.devices_of(name), MOST_USERS)),
        "device_count": editor.used_by().get(name, 0),
        "seed_count": editor.used_by_seeds().get(name, 0),
    }


def _form(
    named: NamedCredentials | None, name: str, values: Values, *, etag: str, problems: Sequence[str] = ()
) -> dict[str, object]:
    shown = {key: text.visible(value, MOST_NAME) for key, value in values.items() if key not in SECRETS}
    return {
        "named": named,
        "name": text.visible(name, MOST_NAME),
        "version": "" if named is None else VERSION_NAMES[named.credentials.version],
        "fields": CREDENTIAL_FIELDS,
        "values": shown,
        "etag": etag,
        "problems": problems,
        "users": (),
        "device_count": 0,
        "seed_count": 0,
    }
