"""``promsnmp traps``: receives traps and informs, checks rules for them, and sends test traps."""

from __future__ import annotations

import click

from promsnmp.cli.commands.traps.check import check
from promsnmp.cli.commands.traps.listen import listen
from promsnmp.cli.commands.traps.send import send


@click.group("traps", context_settings={"help_option_names": ["-h", "--help"]})
def traps() -> None:
    """Receive traps and informs, check rules for them, or send a test trap."""


traps.add_command(listen)
traps.add_command(check)
traps.add_command(send)
