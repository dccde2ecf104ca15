"""All modules and auths that can be named: those shipped with PromSNMP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from promsnmp.errors import ModuleError
from promsnmp.modules.model import Module
from promsnmp.modules.reader import read_text
from promsnmp.snmp.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Modules and auths by name."""

    modules: Mapping[str, Module]
    auths: Mapping[str, Credentials]

    def module(self, name: str) -> Module:
        """The module of that name. Raises ModuleError that lists what there is."""
        try:
            return self.modules[name]
        except KeyError:
            raise ModuleError(f"unknown module {name!r}; known: {', '.join(sorted(self.modules))}") from None

    def auth(self, name: str) -> Credentials:
        """The credentials of that name. Raises ModuleError that lists what there is."""
        try:
            return self.auths[name]
        except KeyError:
            raise ModuleError(f"unknown auth {name!r}; known: {', '.join(sorted(self.auths))}") from None


def builtin_catalogue() -> Catalogue:
    """The catalogue of ``modules/builtin``. Raises ModuleError."""
    modules: dict[str, Module] = {}
    auths: dict[str, Credentials] = {}
    for file in sorted(resources.files("promsnmp.modules").joinpath("builtin").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yml"):
            document = read_text(file.read_bytes(), source=file.name)
            modules.update(document.modules)
            auths.update(document.auths)
    return Catalogue(modules, auths)
