"""What a reader of another program's files makes of a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import dedent

from promsnmp.migration.drafts import Drafts, devices_of, seeds_of
from promsnmp.migration.migrated import Document, MigratedDevice
from promsnmp.migration.notes import Notes


@dataclass
class Imported:
    """Devices by endpoint, seeds, and notes as text: what was not carried over, and what is to be known."""

    devices: dict[str, MigratedDevice]
    seeds: list[Document] = field(default_factory=list)
    lost: str = ""
    told: str = ""


def import_text(read: Callable[[bytes, str, Notes], Drafts], text: str | bytes, *, fallback: str = "") -> Imported:
    """The text as a file ``f``."""
    notes = Notes()
    drafts = read(text if isinstance(text, bytes) else dedent(text).encode(), "f", notes)
    devices = devices_of(drafts.devices, "x", notes, fallback=fallback)
    seeds = seeds_of(drafts.seeds, notes)
    lost, told = ("\n".join(str(note) for note in notes.notes if note.lost is is_lost) for is_lost in (True, False))
    return Imported({str(device.endpoint): device for device in devices}, seeds, lost, told)
