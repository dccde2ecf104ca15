"""Reads files in the form of snmp.yml into the model, strictly: an unknown key is an error, not a surprise later.

Every error names the file, the line and what is allowed; secrets are in none. The language itself is in
``document_reader.py``. A file of a later snmp_exporter may have keys that are not known here: with
``SNMP_CONFIG_UNKNOWN_KEYS=warn`` they are warnings.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.snmp_yml.document_reader import Document, DocumentReader
from promsnmp.modules.snmp_yml.read_options import STRICT, ReadOptions
from promsnmp.support import yaml_text
from promsnmp.support.memory import gc_paused
from promsnmp.support.yaml_nodes import (
    ErrorHandler,
    NodeError,
    ReportedError,
    UnknownKeyError,
    UnknownKeyHandler,
    raise_error,
)

log = logging.getLogger(__name__)

MAX_OCTETS = 64 << 20
"""No file of modules is larger (snmp_exporter's own has 2 MB); a device such as /dev/zero never ends."""


def read_octets(path: Path, most: int = MAX_OCTETS) -> bytes:
    """The contents of a file. Raises ModuleError when it cannot be read or has more than ``most`` octets."""
    try:
        with path.open("rb") as stream:
            octets = stream.read(most + 1)
    except OSError as error:
        raise ModuleError(f"{path}:1: cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(octets) > most:
        raise ModuleError(f"{path}:1: cannot be read: larger than {most >> 20} MiB")
    return octets


def read_text(text: bytes | str, *, source: str, options: ReadOptions = STRICT) -> Document:
    """Reads a document; ``source`` names it in errors. Raises ModuleError. Ignored keys are logged as warnings."""
    ignored: list[UnknownKeyError] = []
    try:
        document = _read_document(text, options, raise_error, ignored.append)
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{source}{f':{line}' if line else ''}: not valid YAML: {reason}") from None
    except NodeError as error:
        raise ModuleError(f"{source}:{error.line}: {error}") from None
    for line, what in _described_keys(ignored):
        log.warning("%s:%d: %s", source, line, what)
    return document


def _described_keys(ignored: Sequence[UnknownKeyError]) -> Iterator[tuple[int, str]]:
    """Line and text for each name of the ignored keys, at its first place: a large file may have one thousands of
    times."""
    first: dict[str, UnknownKeyError] = {}
    for error in ignored:
        first.setdefault(error.key, error)
    counts = Counter(error.key for error in ignored)
    for key, error in sorted(first.items(), key=lambda item: item[1].line):
        more = f" (and {counts[key] - 1} more)" if counts[key] > 1 else ""
        yield error.line, f"ignored: {error}{more}"


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The readable part of a document, and its problems and warnings as lines of ``source:line: what``."""

    document: Document
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    """Unknown keys that were ignored."""
    is_yaml: bool = True
    """Whether the whole text could be parsed."""
    is_whole: bool = True
    """Whether the whole text was looked at."""


class _EnoughProblems(Exception):
    """As many problems are found as somebody wants to know."""


def read_leniently(
    text: bytes | str,
    *,
    source: str,
    lines_before: int = 0,
    options: ReadOptions = STRICT,
    most_problems: float = inf,
) -> ReadResult:
    """Reads a whole document in spite of errors; a module or auth with a problem is not in the result.

    ``lines_before`` is the number of lines of the source before the text. After ``most_problems`` it reads no further:
    describing a problem takes a millisecond.
    """
    errors: list[NodeError] = []

    def note(error: NodeError) -> None:
        errors.append(error)
        if len(errors) >= most_problems:
            raise _EnoughProblems

    ignored: list[UnknownKeyError] = []
    document, is_yaml, is_whole, more = Document(), True, True, list[tuple[int, str]]()
    try:
        document = _read_document(text, options, note, ignored.append)
    except _EnoughProblems:
        is_whole = False
    except yaml.YAMLError as error:
        is_yaml = False
        line, reason = yaml_text.describe_error(error)
        more = [(line, f"not valid YAML: {reason}")]
    except NodeError as error:
        errors.append(error)
    described = sorted({(one.line, str(one)) for one in errors if not isinstance(one, ReportedError)} | set(more))
    problems, warnings = (
        tuple(f"{source}:{line + lines_before}: {what}" for line, what in lines)
        for lines in (described, _described_keys(ignored))
    )
    return ReadResult(document, problems, warnings, is_yaml, is_whole)


def _read_document(
    text: bytes | str, options: ReadOptions, on_error: ErrorHandler, on_unknown_key: UnknownKeyHandler
) -> Document:
    try:
        with gc_paused():
            ignore = on_unknown_key if options.ignore_unknown_keys else None
            document_reader = DocumentReader(options.environment, on_error, ignore)
            root = yaml_text.compose(text, document_reader.part)
            return Document() if root is None else document_reader.document(root)
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="lists or mappings are nested too deeply") from None
