"""Reads delimited text (RFC 4180) with lines: rows as mappings by the names of the first line."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import yaml

from promsnmp.errors import ModuleError
from promsnmp.support import yaml_text

DELIMITERS = ",;\t|"


def rows(octets: bytes, file: str, *, delimiter: str = "") -> Iterator[tuple[int, dict[str, str] | str]]:
    """Each row with its line: its values by column, or what is wrong with it. Raises ModuleError for the whole file.

    Without a delimiter, the one of DELIMITERS that is most frequent in the first line is used. Names of columns are in
    lower case. Empty lines, and lines that begin with ``#``, are passed over.
    """
    try:
        text = yaml_text.decode(octets)
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{file}:{line or 1}: {reason}") from None
    lines = text.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if start is None:
        raise ModuleError(f"{file}:1: the file is empty")
    chosen = delimiter or max(DELIMITERS, key=lines[start].count)
    reader = csv.reader(lines[start:], delimiter=chosen, strict=True)
    header = _header(reader, f"{file}:{start + 1}")
    while True:
        line = start + reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ModuleError(f"{file}:{line}: not a table: {error}") from None
        if not any(value.strip() for value in values) or values[0].startswith("#"):
            continue
        if len(values) > len(header):
            yield line, f"the row has {len(values)} values, but the first line names {len(header)} columns"
        else:
            yield line, dict(zip(header, values, strict=False))


def _header(reader: Iterator[list[str]], where: str) -> list[str]:
    try:
        header = [name.strip().lower() for name in next(reader)]
    except csv.Error as error:
        raise ModuleError(f"{where}: not a table: {error}") from None
    named = [name for name in header if name]
    if len(set(named)) < len(named):
        # which one is not said: without a line of names, it may be a secret
        raise ModuleError(f"{where}: two columns have one name; the first line must name the columns")
    return header
