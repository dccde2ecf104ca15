"""Prints tables, on a terminal and into a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from promsnmp.cli.output.text import printable

PIPE_WIDTH = 200
"""Width of a table, in characters, where no terminal limits it."""


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints ``rows`` under ``headings`` on the standard output; an empty cell is a dash."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell or "-")) for cell in row))
    terminal = sys.stdout.isatty()
    Console(width=None if terminal else PIPE_WIDTH, highlight=False).print(table)
