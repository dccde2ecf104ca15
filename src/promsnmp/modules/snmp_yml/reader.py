"""Reads files in the form of snmp.yml into the model, strictly: an unknown key is an error, not a surprise later.

Every error names the file, the line and what is allowed; secrets are in none. The language itself is in
``document_reader.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.snmp_yml.document_reader import Document, DocumentReader
from promsnmp.support import yaml_text
from promsnmp.support.memory import gc_paused
from promsnmp.support.yaml_nodes import ErrorHandler, NodeError, ReportedError, raise_error

MAX_OCTETS = 64 << 20
"""No file of modules is larger (snmp_exporter's own has 2 MB); a device such as /dev/zero never ends."""


def read_octets(path: Path) -> bytes:
    """The contents of a file. Raises ModuleError."""
    try:
        with path.open("rb") as stream:
            octets = stream.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ModuleError(f"{path}:1: cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(octets) > MAX_OCTETS:
        raise ModuleError(f"{path}:1: cannot be read: larger than {MAX_OCTETS >> 20} MiB")
    return octets


def read_text(text: bytes | str, *, source: str, environment: Mapping[str, str] | None = None) -> Document:
    """Reads a document; ``source`` names it in errors. Raises ModuleError.

    ``environment`` has the variables for auths; without it variables stay as written.
    """
    try:
        return _read_document(text, environment, raise_error)
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{source}{f':{line}' if line else ''}: not valid YAML: {reason}") from None
    except NodeError as error:
        raise ModuleError(f"{source}:{error.line}: {error}") from None


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The readable part of a document, and its problems as lines of ``source:line: what``."""

    document: Document
    problems: tuple[str, ...]
    is_yaml: bool = True
    """Whether the whole text could be parsed."""


def read_leniently(text: bytes | str, *, source: str, lines_before: int = 0) -> ReadResult:
    """Reads a whole document in spite of errors; a module or auth with a problem is not in the result.

    ``lines_before`` is the number of lines of the source before the text.
    """
    errors: list[NodeError] = []
    document, is_yaml, more = Document(), True, list[tuple[int, str]]()
    try:
        document = _read_document(text, None, errors.append)
    except yaml.YAMLError as error:
        is_yaml = False
        line, reason = yaml_text.describe_error(error)
        more = [(line, f"not valid YAML: {reason}")]
    except NodeError as error:
        errors.append(error)
    described = sorted({(one.line, str(one)) for one in errors if not isinstance(one, ReportedError)} | set(more))
    return ReadResult(document, tuple(f"{source}:{line + lines_before}: {what}" for line, what in described), is_yaml)


def _read_document(text: bytes | str, environment: Mapping[str, str] | None, on_error: ErrorHandler) -> Document:
    try:
        with gc_paused():
            document_reader = DocumentReader(environment, on_error)
            root = yaml_text.compose(text, document_reader.part)
            return Document() if root is None else document_reader.document(root)
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="lists or mappings are nested too deeply") from None
