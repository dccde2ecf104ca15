"""The catalogue of all modules and auths: those built in, and those of the operator's files.

A new built-in module is a file ``builtin/NAME.yml``; its tables in ``auto_modules.py`` make ``auto`` choose it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from glob import glob, has_magic
from importlib import resources
from pathlib import Path

from promsnmp.errors import ModuleError
from promsnmp.modules.health.definitions import LazyDefinitions
from promsnmp.modules.health.model import Definition
from promsnmp.modules.model import Module
from promsnmp.modules.snmp_yml.document_reader import Document
from promsnmp.modules.snmp_yml.read_options import STRICT, ReadOptions
from promsnmp.modules.snmp_yml.reader import read_octets, read_text
from promsnmp.snmp.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Modules and auths by name."""

    modules: Mapping[str, Module]
    auths: Mapping[str, Credentials]
    health: Mapping[str, Definition] = field(default_factory=dict)
    files: Mapping[str, tuple[bytes, Document]] = field(default_factory=dict, repr=False, compare=False)
    """The operator's files that were read: path to the digest and the contents of the file."""

    def module(self, name: str) -> Module:
        """The module with this name. Raises ModuleError, which lists the known names."""
        try:
            return self.modules[name]
        except KeyError:
            raise ModuleError(f"unknown module {name!r}; known: {', '.join(sorted(self.modules))}") from None

    def auth(self, name: str) -> Credentials:
        """The credentials with this name. Raises ModuleError, which lists the known names."""
        try:
            return self.auths[name]
        except KeyError:
            raise ModuleError(f"unknown auth {name!r}; known: {', '.join(sorted(self.auths))}") from None


class CatalogueStore:
    """Holds the current catalogue; ``replace`` swaps it as a whole for everyone who holds the store."""

    def __init__(self, current: Catalogue) -> None:
        self.current = current
        self.generation = 0
        """Grows with every ``replace``, so that values derived from a catalogue can be recognised as outdated without
        keeping the old one."""
        self.read_at = time.time()
        """Unix time since when ``current`` is in use."""
        self.last_error: ModuleError | None = None
        """Why the last reload of the files failed; None when it succeeded."""

    def known_modules(self) -> Mapping[str, Module]:
        """The modules of the current catalogue by name."""
        return self.current.modules

    def replace(self, catalogue: Catalogue) -> None:
        """Replaces the current catalogue."""
        self.current = catalogue
        self.generation += 1
        self.read_at = time.time()
        self.last_error = None


def load_catalogue(
    patterns: Sequence[str] = (), *, options: ReadOptions = STRICT, before: Catalogue | None = None
) -> Catalogue:
    """The built-in catalogue, extended by the files that match ``patterns`` (paths, globs).

    A definition in a file replaces a built-in one with the same name. Raises ModuleError when a pattern matches
    nothing, a file is wrong, two files define the same name, or all files together define nothing.

    Files that have not changed since ``before`` was read are taken from it.
    """
    known_files = before.files if before else {}
    builtin, files = builtin_catalogue(), dict[str, tuple[bytes, Document]]()
    modules: dict[str, Module] = {}
    auths: dict[str, Credentials] = {}
    health: dict[str, Definition] = {}
    origin: dict[tuple[str, str], Path] = {}
    for path in _files(patterns):
        document = _read(read_octets(path), str(path), known_files, files, options)
        parts = ("module", document.modules), ("auth", document.auths), ("health definition", document.health)
        for kind, found in parts:
            for name in found:
                defined_in = origin.setdefault((kind, name), path)
                if defined_in is not path:
                    raise ModuleError(f"{path}: {kind} {name!r} is already defined in {defined_in}; remove one")
        modules.update(document.modules)
        auths.update(document.auths)
        health.update(document.health)
    if patterns and not modules and not auths and not health:
        files_given = f"{', '.join(patterns)} (SNMP_CONFIG_FILES, --config.file)"
        raise ModuleError(f"no modules, auths or health definitions are in {files_given}")
    definitions = LazyDefinitions(health)
    return Catalogue({**builtin.modules, **modules}, {**builtin.auths, **auths}, definitions, files=files)


def _read(
    octets: bytes,
    source: str,
    known_files: Mapping[str, tuple[bytes, Document]],
    files: dict[str, tuple[bytes, Document]],
    options: ReadOptions = STRICT,
) -> Document:
    """The contents of a file, also added to ``files``; parsed only if the file differs from ``known_files``."""
    digest = hashlib.sha256(octets).digest()
    known_digest, document = known_files.get(source, (b"", None))
    if document is None or known_digest != digest:
        document = read_text(octets, source=source, options=options)
    files[source] = digest, document
    return document


def _files(patterns: Sequence[str]) -> list[Path]:
    unique_paths: dict[Path, None] = {}
    for pattern in patterns:
        paths = sorted(glob(pattern)) if has_magic(pattern) else [pattern]  # noqa: PTH207  # it may be absolute
        if not paths:
            raise ModuleError(f"no file matches {pattern!r} (SNMP_CONFIG_FILES, --config.file)")
        unique_paths.update(dict.fromkeys(map(Path, paths)))
    return list(unique_paths)


def builtin_catalogue() -> Catalogue:
    """The catalogue of ``modules/builtin``, whose files are read once in a process. Raises ModuleError."""
    modules: dict[str, Module] = {}
    auths: dict[str, Credentials] = {}
    for document in _builtin_documents():
        modules.update(document.modules)
        auths.update(document.auths)
    return Catalogue(modules, auths, LazyDefinitions({}))


@cache
def _builtin_documents() -> Sequence[Document]:
    files = sorted(resources.files("promsnmp.modules").joinpath("builtin").iterdir(), key=lambda one: one.name)
    return tuple(read_text(one.read_bytes(), source=one.name) for one in files if one.name.endswith(".yml"))
