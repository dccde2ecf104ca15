"""Named credentials in a document: the list ``credentials``, and ``credentialsName`` of an agent.

An agent has a copy of the credentials beside their name, because the original PromSNMP reads only that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from promsnmp.inventory.document.credentials import read_credentials, write_credentials
from promsnmp.inventory.document.fields import MASK, Fields
from promsnmp.inventory.document.parsing import read_instant
from promsnmp.inventory.model import NamedCredentials, agent_type
from promsnmp.snmp.credentials import Credentials

KEY = "credentials"
MAX_NAMED = 10_000
MAX_WHO = 200
"""Characters of who changed them, at most."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z", re.ASCII)


def read_name(text: str) -> str:
    """A name of credentials. Raises ValueError."""
    if not _NAME.match(text):
        raise ValueError("must be 1 to 64 letters, digits, '.', '_' and '-', not '.' or '-' first")
    return text


def read_named(
    fields: Fields, previous: Mapping[str, Credentials], *, name: str | None = None
) -> NamedCredentials | None:
    """One entry of ``credentials``; ``name`` is used in place of that in the entry. Masked secrets are those of
    ``previous``. Problems are noted in ``fields``."""
    before = len(fields.problems)
    found = fields.convert("name", read_name) if name is None else name
    if found is None and not fields.failed("name"):
        fields.problem("name", "is missing")
    credentials = read_credentials(fields, "type", previous.get(found or ""), lenient=True)
    who, when = fields.text("changedBy")[:MAX_WHO], fields.value("changedAt", read_instant) or ""
    if found is None or credentials is None or len(fields.problems) > before:
        return None
    return NamedCredentials(found, credentials, who, when)


def read_all_named(top: Fields, previous: Mapping[str, Credentials]) -> tuple[NamedCredentials, ...]:
    """The list ``credentials`` of a document. Problems are noted in ``top``."""
    items = top.items(KEY)
    if len(items) > MAX_NAMED:
        top.problem(KEY, f"has {len(items)} entries; the limit is {MAX_NAMED}")
        return ()
    found: dict[str, NamedCredentials] = {}
    for number, item in enumerate(items):
        inner = Fields(item, f"{KEY}[{number}]", top.problems)
        named = read_named(inner, previous) if inner.values else None
        if named is not None and found.setdefault(named.name, named) is not named:
            inner.problem("name", f"{named.name!r} is there twice")
    return tuple(found.values())


def named_document(named: NamedCredentials, *, mask: bool) -> dict[str, object]:
    """One entry of ``credentials``."""
    credentials = named.credentials
    head = {"name": named.name, "type": agent_type(credentials), "version": int(credentials.version)}
    changed = {"changedBy": named.changed_by, "changedAt": named.changed_at}
    return head | write_credentials(credentials, mask=mask) | {key: value for key, value in changed.items() if value}


def differing_keys(fields: Fields, credentials: Credentials) -> list[str]:
    """The keys of an agent that say something else than the credentials that it names."""
    own = write_credentials(credentials, mask=False)
    keys = ("readCommunity", "securityName", "authPassphrase", "privPassphrase", "contextName")
    return [key for key in keys if fields.values.get(key) not in (None, "", MASK, own.get(key))]


def by_name(named: Iterable[NamedCredentials]) -> dict[str, Credentials]:
    """Credentials by name."""
    return {one.name: one.credentials for one in named}
