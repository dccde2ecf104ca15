"""Devices in delimited text with the names of COLUMNS in the first line (docs/how-to/migrate.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from promsnmp.errors import ModuleError
from promsnmp.inventory.document.parsing import read_milliseconds
from promsnmp.migration.drafts import MOST_DEVICES, Draft, Drafts
from promsnmp.migration.migrated import Document
from promsnmp.migration.notes import Notes
from promsnmp.migration.tables import rows

_VERSIONS = {"1": 0, "2": 1, "2c": 1, "3": 3}
_CREDENTIALS = {
    "community": "readCommunity",
    "user": "securityName",
    "level": "securityLevel",
    "auth_protocol": "authProtocol",
    "auth_passphrase": "authPassphrase",
    "priv_protocol": "privProtocol",
    "priv_passphrase": "privPassphrase",
    "context": "contextName",
}
"""Columns of credentials, and their keys in a document."""
_DEVICE = {"location": "sysLocation", "contact": "sysContact"}
LABEL = "label."
"""A column ``label.site`` is the label ``site``."""
COLUMNS = (
    "address", "port", "name", "version", *_CREDENTIALS, "credentials", "modules", *_DEVICE, "interval", "timeout",
    "retries", "max_repetitions",
)  # fmt: skip


def read(octets: bytes, file: str, notes: Notes, *, delimiter: str = "") -> Drafts:
    """The devices of a file. Raises ModuleError when it is no table with a column ``address``."""
    drafts: list[Draft] = []
    is_first = True
    for line, row in rows(octets, file, delimiter=delimiter):
        if isinstance(row, str):
            notes.add(file, line, row, lost=True)
            continue
        if is_first:
            _check_columns(row, file, notes)
            is_first = False
        if len(drafts) >= MOST_DEVICES:
            raise ModuleError(f"{file}:{line}: more than {MOST_DEVICES:,} devices; split the file")
        try:
            drafts.append(_draft(row, file, line))
        except ValueError as error:
            notes.add(file, line, f"{row.get('address', '')[:80]}: not imported: {error}", lost=True)
    return Drafts(drafts)


def _check_columns(row: Mapping[str, str], file: str, notes: Notes) -> None:
    if "address" not in row:
        raise ModuleError(f"{file}:1: the first line must name the columns, with 'address' among them")
    if unknown := sorted(name for name in row if name not in COLUMNS and not name.startswith(LABEL)):
        shown = ", ".join(repr(name[:40]) for name in unknown)
        notes.add(file, 1, f"unknown column {shown}; columns: {', '.join((*COLUMNS, LABEL + 'NAME'))}", lost=True)


def _draft(row: Mapping[str, str], file: str, line: int) -> Draft:
    """Raises ValueError."""
    given = {name: value.strip() for name, value in row.items() if value.strip()}
    credentials: Document = {key: row[name] for name, key in _CREDENTIALS.items() if name in given}
    if credentials:
        version = given.get("version", "3" if "securityName" in credentials else "2c").lower().removeprefix("v")
        if version not in _VERSIONS:
            raise ValueError(f"version {version[:20]!r} must be 1, 2c or 3")
        credentials["version"] = _VERSIONS[version]
        if credentials["version"] == 3:
            credentials.setdefault("securityLevel", _level(credentials))
    return Draft(
        file=file,
        line=line,
        address=given.get("address", ""),
        port=given.get("port", ""),
        name=given.get("name", ""),
        credentials=credentials,
        named=given.get("credentials", "") if not credentials else "",
        credentials_hint=given.get("credentials", ""),
        agent=_numbers(given, ("timeout", "timeout"), ("retries", "retries")),
        device={
            **{key: given[name] for name, key in _DEVICE.items() if name in given},
            **_numbers(given, ("interval", "interval"), ("max_repetitions", "maxRepetitions")),
            "modules": given.get("modules", "").replace(",", " ").split(),
            "labels": {name.removeprefix(LABEL): value for name, value in given.items() if name.startswith(LABEL)},
        },
    )


def _level(credentials: Document) -> int:
    return 3 if "privPassphrase" in credentials else 2 if "authPassphrase" in credentials else 1


def _numbers(given: Mapping[str, str], *names: tuple[str, str]) -> Document:
    numbers: Document = {}
    for name, key in names:
        if name in given:
            is_duration = name in ("timeout", "interval")
            numbers[key] = _read(given, name, read_milliseconds) if is_duration else given[name]
    return numbers


def _read(given: Mapping[str, str], name: str, read: Callable[[str], int]) -> int | None:
    if name not in given:
        return None
    try:
        return read(given[name])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
