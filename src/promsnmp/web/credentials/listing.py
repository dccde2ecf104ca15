"""The list of named credentials: never a secret; and their names, for forms that choose them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.model import NamedCredentials
from promsnmp.snmp.credentials import LEVEL_NAMES, SecurityLevel, User
from promsnmp.web.pages.paging import page_number, page_of
from promsnmp.web.sources import Sources

ROWS = 100
"""Of one page."""
MOST_FIND = 64
MOST_CHOICES = 500
"""Names that a form has to choose from; where there are more, a name is typed in."""


@dataclass(frozen=True, slots=True)
class CredentialsRow:
    """One entry of the list."""

    name: str
    version: str
    user: str
    level: str
    protocols: str
    devices: int
    seeds: int
    changed_by: str
    changed_at: str


def credentials_view(sources: Sources, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """The values of the page. ``find``: a part of a name."""
    last, editor = dict(query), sources.devices.credentials
    find = last.get("find", "").strip()[:MOST_FIND]
    found = [one for one in editor.current if find.casefold() in one.name.casefold()]
    shown, number, pages = page_of(found, page_number(last.get("page", "")), ROWS)
    devices, seeds = editor.used_by(), editor.used_by_seeds()
    return {
        "find": find,
        "rows": [_row(one, devices, seeds) for one in shown],
        "first": (number - 1) * ROWS + 1,
        "found": len(found),
        "total": len(editor.current),
        "number": number,
        "pages": pages,
    }


def names_to_choose(sources: Sources) -> Sequence[str] | None:
    """The names of all; None when they are too many for a form to show."""
    current = sources.devices.credentials.current
    return [one.name for one in current] if len(current) <= MOST_CHOICES else None


def _row(one: NamedCredentials, devices: Mapping[str, int], seeds: Mapping[str, int]) -> CredentialsRow:
    credentials = one.credentials
    user, level, protocols = "", "", list[str]()
    if isinstance(credentials, User):
        user, level = credentials.name, LEVEL_NAMES[credentials.level]
        if credentials.level >= SecurityLevel.AUTH_NO_PRIV:
            protocols.append(credentials.auth_protocol.value)
        if credentials.level >= SecurityLevel.AUTH_PRIV:
            protocols.append(credentials.priv_protocol.document_name)
    return CredentialsRow(
        one.name,
        VERSION_NAMES[credentials.version],
        user,
        level,
        ", ".join(protocols),
        devices.get(one.name, 0),
        seeds.get(one.name, 0),
        one.changed_by,
        one.changed_at,
    )
