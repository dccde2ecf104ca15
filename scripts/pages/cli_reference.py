"""Writes docs/reference/cli.md: the help of every command, as the command line prints it.

    python -m scripts.pages.cli_reference

A test fails while the page and the commands differ.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from promsnmp.cli.main import COMMANDS, cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"
WIDTH = 100
INTRODUCTION = """# Command line

The help of every command, as `promsnmp COMMAND --help` prints it. Exit codes: 0 success; 1 the work failed; 2 wrong
arguments, settings or documents; 130 after Ctrl-C.
"""


def helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """The path of a command and its help; the same of its subcommands."""
    context.max_content_width = context.terminal_width = WIDTH
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from helps(below, click.Context(below, info_name=name, parent=context))


def page() -> str:
    """The whole page, in the order of ``promsnmp --help``."""
    root = cli.make_context("promsnmp", [], resilient_parsing=True)
    root.max_content_width = root.terminal_width = WIDTH
    parts = [INTRODUCTION, f"```text\n{cli.get_help(root)}\n```\n"]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        for path, text in helps(command, click.Context(command, info_name=name, parent=root)):
            level = "##" if path.count(" ") == 1 else "###"
            parts.append(f"{level} {path}\n\n```text\n{text.rstrip()}\n```\n")
    return "\n".join(parts)


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
