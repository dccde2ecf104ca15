"""Regular expressions of snmp.yml: RE2, as in Go, which runs in time proportional to the text.

Python's ``re`` is another language (look-around, back-references), and one value can make it run for hours.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol, cast

import re2

_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_QUOTED = re.compile(r"(?<!\\)(?:\\\\)*\\Q.*?(?:\\E|$)", re.DOTALL)


class RegexMatch(Protocol):
    """A match."""

    def group(self, group: int | str, /) -> str | None: ...


class RegexPattern(Protocol):
    """A compiled expression."""

    @property
    def groups(self) -> int: ...

    @property
    def groupindex(self) -> dict[str, int]: ...

    def search(self, text: str, /) -> RegexMatch | None: ...


@lru_cache(maxsize=4096)
def compile_regex(pattern: str) -> RegexPattern:
    """A pattern that matches anywhere in a text. Raises ValueError with the reason."""
    if any(escape == "\\C" for escape in _ESCAPE.findall(_QUOTED.sub("", pattern))):
        raise ValueError(r"invalid escape sequence: \C")  # one octet: Go has no such escape
    options = re2.Options()
    options.log_errors = False  # re2 would log them to stderr, values included
    try:
        return cast("RegexPattern", re2.compile(pattern, options))
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be compiled"
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
    except UnicodeEncodeError:
        raise ValueError("it is not text in UTF-8") from None


def compile_full_match(pattern: str) -> RegexPattern:
    """A pattern that matches a whole text, as those of ``regex_extracts`` do. Raises ValueError."""
    return compile_regex(f"^(?:{pattern})$")


def expand(template: str, pattern: RegexPattern, match: RegexMatch) -> str:
    """``template`` with its ``$1``, ``${1}``, ``$name`` and ``$$`` replaced, by the rules of Go's ``Regexp.Expand``.

    A name is as long as possible (``$1x`` is the group named ``1x``), a missing group is empty, and a ``$`` without a
    name stays a dollar.
    """

    def replaced(reference: re.Match[str]) -> str:
        dollar, braced, plain = reference.groups()
        return dollar or _group(braced or plain, pattern, match)

    return _REFERENCE.sub(replaced, template)


def _group(name: str, pattern: RegexPattern, match: RegexMatch) -> str:
    is_number = name.isascii() and name.isdigit() and (name[0] != "0" or name == "0")
    number = int(name[:10]) if is_number else pattern.groupindex.get(name, -1)
    return match.group(number) or "" if 0 <= number <= pattern.groups else ""
