"""``promsnmp traps``: commands about traps and informs."""

from __future__ import annotations

import click

from promsnmp.cli.commands.traps.listen import listen


@click.group("traps", context_settings={"help_option_names": ["-h", "--help"]})
def traps() -> None:
    """Receive traps and informs."""


traps.add_command(listen)
