"""Prints what became of devices of another program, and writes them into a document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from promsnmp.cli.commands.inventory.credentials import document_of as credentials_document
from promsnmp.cli.commands.migration.apply import FAILED, Outcome
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted, printable
from promsnmp.inventory.document.parsing import duration_text
from promsnmp.inventory.storage.atomic_file import write_bytes
from promsnmp.migration.migrated import Document, MigratedDevice, named_credentials_of
from promsnmp.migration.notes import Notes

HEADINGS = ("from", "device", "address", "credentials", "modules", "interval", "labels", "")
FOUND = "found"
"""Status of a device that was not put anywhere."""


def exit_code(outcomes: Sequence[Outcome], notes: Notes) -> int:
    """1 when something is missing in the inventory."""
    return 1 if notes.any_lost or any(one.status == FAILED for one in outcomes) else 0


def write_document(output: Path, devices: Sequence[MigratedDevice], seeds: Sequence[Document] = ()) -> None:
    """Writes a document for ``promsnmp inventory import``, with secrets."""
    text = json.dumps(document_of(devices, seeds), indent=2, ensure_ascii=False) + "\n"
    write_bytes(output, text.encode(), keep_mode=False)
    click.echo(f"{counted(len(devices), 'device')} in {output}; it contains secrets")


def document_of(devices: Sequence[MigratedDevice], seeds: Sequence[Document] = ()) -> Document:
    """A document of the inventory with these devices and seeds, with secrets."""
    named = [
        {"name": name, **credentials_document(credentials)}
        for name, credentials in named_credentials_of(devices).items()
    ]
    document: Document = {"devices": [device.document() for device in devices], "credentials": named}
    return document | ({"seeds": list(seeds)} if seeds else {})


def print_outcomes(outcomes: Sequence[Outcome], notes: Notes) -> None:
    """Devices, what could not be carried over, what is to be known, and failures."""
    if outcomes:
        print_table(HEADINGS, [_row(one) for one in outcomes])
    for title, lost in (("Not carried over:", True), ("Notes:", False)):
        if lines := [str(note) for note in notes.notes if note.lost is lost]:
            click.echo(title)
            for line in lines:
                click.echo(f"  {printable(line)}")
    if notes.dropped:
        click.echo(f"  and {counted(notes.dropped, 'more note')}")
    for one in outcomes:
        if one.status == FAILED:
            click.echo(f"promsnmp: {one.device.endpoint}: {printable(one.reason)}", err=True)
    counts = Counter(one.status for one in outcomes)
    summary = ", ".join(f"{number:,} {status}" for status, number in counts.items())
    click.echo(f"{counted(len(outcomes), 'device')}{f': {summary}' if summary else ''}")


def _row(outcome: Outcome) -> tuple[str, ...]:
    device = outcome.device
    return (
        device.source,
        device.sys_name,
        str(device.endpoint),
        device.credentials_name,
        ", ".join(device.modules),
        duration_text(device.interval) if device.interval else "",
        " ".join(f"{name}={value}" for name, value in sorted(device.labels.items())),
        outcome.status,
    )
