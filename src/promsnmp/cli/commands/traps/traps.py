"""``promsnmp traps``: checks rules for traps, and sends test traps."""

from __future__ import annotations

import click

from promsnmp.cli.commands.traps.check import check
from promsnmp.cli.commands.traps.send import send


@click.group("traps", context_settings={"help_option_names": ["-h", "--help"]})
def traps() -> None:
    """Check rules for traps, or send a test trap."""


traps.add_command(check)
traps.add_command(send)
