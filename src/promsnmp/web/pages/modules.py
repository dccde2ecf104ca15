"""The modules: what is loaded from which file, and which health definitions are in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from promsnmp.web.sources import Sources


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """A module in use."""

    name: str
    file: str
    """Empty for a built-in one."""
    metrics: int
    walks: int
    gets: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that was read, and how much it defines."""

    path: str
    modules: int
    auths: int
    health: int


def modules_view(sources: Sources) -> Mapping[str, object]:
    """The values of the page; built-in files are not listed."""
    store = sources.catalogue_store
    catalogue = store.current
    used = sources.definitions()
    return {
        "read_at": store.read_at,
        "problem": "" if store.last_error is None else str(store.last_error),
        "files": [
            FileRow(path, len(document.modules), len(document.auths), len(document.health))
            for path, (_, document) in sorted(catalogue.files.items())
            if path not in _builtin_files()
        ],
        "modules": _module_rows(sources),
        "auths": sorted(catalogue.auths),
        "definitions": sorted(used.items(), key=lambda one: (-one[1], one[0])),
        "known_definitions": len(catalogue.health),
        "default": sources.modules,
    }


def _module_rows(sources: Sources) -> Sequence[ModuleRow]:
    catalogue = sources.catalogue_store.current
    file_of = {
        (name, id(module)): path
        for path, (_, document) in catalogue.files.items()
        if path not in _builtin_files()
        for name, module in document.modules.items()
    }
    return [
        ModuleRow(name, file_of.get((name, id(module)), ""), len(module.metrics), len(module.walk), len(module.get))
        for name, module in sorted(catalogue.modules.items())
    ]


@cache
def _builtin_files() -> frozenset[str]:
    """The names under which a catalogue has the built-in files."""
    return frozenset(one.name for one in resources.files("promsnmp.modules").joinpath("builtin").iterdir())
