"""Texts with values in them, for names: ``Fan {i1}``, ``{name|description}``, ``{slot}/{port}``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from promsnmp.modules.health.expression import Value, Values, is_index_name, text_of

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARTS = re.compile(r"index|i[1-9][0-9]{0,2}-?")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: texts, and between them fields, each a choice of names, of which the first with a text counts.

    ``index`` is the row's index in dotted form, ``i2`` its second number, ``i2-`` the rest from the second on.
    """

    text: str
    parts: tuple[str | tuple[str, ...], ...]

    @property
    def names(self) -> frozenset[str]:
        """The columns that it uses."""
        fields = [name for part in self.parts if isinstance(part, tuple) for name in part]
        return frozenset(name for name in fields if not _PARTS.fullmatch(name))

    def fill(self, values: Values, index: tuple[int, ...]) -> str:
        """The text for a row; "" when a field has no text, unless the row has another one."""
        texts = [part if isinstance(part, str) else _field(part, values, index) for part in self.parts]
        fields = [text for text, part in zip(texts, self.parts, strict=True) if isinstance(part, tuple)]
        return " ".join("".join(texts).split()) if any(fields) or not fields else ""

    def subids(self, values: Values, index: tuple[int, ...]) -> tuple[int, ...] | None:
        """The template as sub-identifiers of an OID; None when it is not one for this row."""
        filled = [part if isinstance(part, str) else _field(part, values, index) for part in self.parts]
        if not all(filled):
            return None
        numbers = "".join(filled).strip(".").split(".")
        if not all(one.isascii() and one.isdigit() and len(one) <= 10 for one in numbers):
            return None
        return tuple(map(int, numbers))


def parse_template(text: str) -> Template:
    """Parses a template. Raises ValueError, which says what is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"a template has at most {LONGEST} characters, this one {len(text)}")
    parts: list[str | tuple[str, ...]] = []
    end = 0
    for match in _FIELD.finditer(text):
        if match.start() > end:
            parts.append(text[end : match.start()])
        names = tuple(name.strip() for name in match[1].split("|"))
        for name in names:
            if not _PARTS.fullmatch(name) and (not _NAME.fullmatch(name) or is_index_name(name)):
                raise ValueError(f"{{{match[1]}}}: write {{COLUMN}}, {{COLUMN|OTHER}}, {{index}}, {{i1}} or {{i2-}}")
        parts.append(names)
        end = match.end()
    if end < len(text):
        parts.append(text[end:])
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise ValueError(f"{text!r} has a brace without its other half")
    return Template(text, tuple(parts))


def _field(names: tuple[str, ...], values: Values, index: tuple[int, ...]) -> str:
    return next(filter(None, (_value(name, values, index) for name in names)), "")


def _value(name: str, values: Values, index: tuple[int, ...]) -> str:
    if name == "index":
        return ".".join(map(str, index))
    if _PARTS.fullmatch(name):
        at = int(name[1:].removesuffix("-")) - 1
        return ".".join(map(str, index[at:] if name.endswith("-") else index[at : at + 1]))
    value: Value = values.get(name)
    return text_of(value)
