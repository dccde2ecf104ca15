"""``promsnmp traps``: the group of commands about traps, each imported when it is used."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "listen": "Print traps and informs as they come.",
}


class _Traps(click.Group):
    """The group of COMMANDS; each is in the module of its name beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"promsnmp.cli.commands.traps.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("traps", cls=_Traps, context_settings={"help_option_names": ["-h", "--help"]})
def traps() -> None:
    """Receive, send and check traps and informs."""
