"""Pictures of commands in a terminal: runs them and writes what they really print as SVG."""

from __future__ import annotations

import fcntl
import inspect
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
"""Fonts that systems have; the pictures load nothing."""
LIMIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class TerminalPicture:
    """``name`` of the SVG file without suffix, the words of a ``promsnmp`` command, and the columns of the terminal."""

    name: str
    words: tuple[str, ...]
    columns: int


def take(picture: TerminalPicture, folder: Path, *, cwd: Path) -> Path:
    """Runs the command in ``cwd`` and writes its picture into ``folder``."""
    text = Text.assemble((f"$ {shlex.join(('promsnmp', *picture.words))}\n", "bold"))
    text.append_text(Text.from_ansi(output_of(picture.words, columns=picture.columns, cwd=cwd)))
    console = Console(record=True, width=picture.columns, file=io.StringIO(), force_terminal=True)
    console.print(text, overflow="fold", highlight=False)
    file = folder / f"{picture.name}.svg"
    svg = console.export_svg(title="promsnmp", code_format=svg_format(), unique_id=picture.name)
    file.write_text(svg, encoding="utf-8")
    return file


def svg_format() -> str:
    """The format of rich without its fonts, which a browser would load from elsewhere."""
    default = inspect.signature(Console.export_svg).parameters["code_format"].default
    without_fonts = re.sub(r"@font-face {{.*?}}\s*", "", default, flags=re.DOTALL)
    return without_fonts.replace("Fira Code, monospace", FONTS)


def output_of(words: Sequence[str], *, columns: int, cwd: Path) -> str:
    """What ``promsnmp`` prints on a terminal: stdout, then stderr without progress. Raises CalledProcessError."""
    command = [sys.executable, "-m", "promsnmp", *words]
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "COLUMNS": str(columns)},
    )  # fmt: skip
    os.close(terminal)
    try:
        out = b"".join(_chunks(main)).decode()
    finally:
        os.close(main)
    _, errors = process.communicate(timeout=LIMIT_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, out, errors)
    return "\n".join(line.rstrip() for line in (out + errors).replace("\r\n", "\n").splitlines())


def _chunks(descriptor: int) -> Iterator[bytes]:
    """What is written to a terminal until its last user closes it, which Linux reports as EIO."""
    while True:
        try:
            data = os.read(descriptor, 65_536)
        except OSError:
            return
        if not data:
            return
        yield data
