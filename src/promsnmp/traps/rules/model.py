"""Rules: what they match, what they set, and the template of a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from promsnmp.traps.names.model import Severity

MAX_WILDCARDS = 16
"""Of one pattern: matching takes time for each of them, for what it stands for is remembered."""
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.:|-]*)\}")
"""``{ifDescr}``, ``{ifName|ifDescr|index}`` (the first that is there), ``{bgpPeerState:index}``."""
Lookup = Callable[[str], str | None]
"""The text of one name of a placeholder; None where the notification has none of this name."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern in which ``*`` stands for any characters and ``?`` for one; case counts."""

    written: str
    _pattern: Any = field(repr=False, compare=False)
    """Of RE2, whose time grows with the length of the text only; None without wildcards."""

    @classmethod
    def of(cls, written: str) -> Glob:
        """Raises ValueError for one with too many wildcards."""
        if not set(written) & {"*", "?"}:
            return cls(written, None)
        if sum(map(written.count, "*?")) > MAX_WILDCARDS:
            raise ValueError(f"more than {MAX_WILDCARDS} wildcards in one pattern")
        parts = {"*": "(.*)", "?": "(.)"}
        pattern = "".join(parts.get(one) or re2.escape(one) for one in re.sub(r"\*+", "*", written))
        return cls(written, re2.compile(f"(?s){pattern}"))

    def match(self, text: str) -> tuple[str, ...] | None:
        """What the wildcards stand for; None when the text does not match."""
        if self._pattern is None:
            return () if text == self.written else None
        found = self._pattern.fullmatch(text)
        return tuple(found.groups()) if found is not None else None


@dataclass(frozen=True, slots=True)
class Template:
    """Text with placeholders."""

    written: str

    def names(self) -> list[str]:
        """The names in its placeholders."""
        return [name for found in PLACEHOLDER.finditer(self.written) for name in found[1].split("|")]

    def filled(self, lookup: Lookup) -> str:
        """The text; a placeholder without a value becomes ``?``."""
        return PLACEHOLDER.sub(lambda found: first_of(found[1], lookup) or "?", self.written)


def first_of(names: str, lookup: Lookup) -> str | None:
    """The first value of names that are separated by ``|``."""
    return next((value for name in names.split("|") if (value := lookup(name)) is not None), None)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It matches when all of its conditions do; None and empty: it does not say."""

    place: str
    """File and line."""
    traps: tuple[Glob, ...] = ()
    varbinds: tuple[tuple[str, tuple[Glob, ...]], ...] = ()
    device: tuple[tuple[str, tuple[Glob, ...]], ...] = ()
    authenticated: bool | None = None
    severity: Severity | None = None
    text: Template | None = None
    labels: Mapping[str, Template] = field(default_factory=dict)
    group_by: tuple[str, ...] | None = None
    resolves: tuple[str, ...] | None = None
    """Names of the notifications whose alerts it ends; ``*`` stands for what ``*`` in the trap's pattern matched."""
    timeout: float | None = None
    drop: bool | None = None
    outputs: tuple[str, ...] | None = None


Rules = Sequence[Rule]
"""In the order in which they count: of each setting, the first matching rule that has it."""
