"""Reads the fields of one JSON object and collects every problem instead of stopping at the first.

People write inventory documents, and one answer should list all that is wrong. So a field that cannot be read notes a
problem with its place and yields a default, and checks across several fields still run. (Schema libraries skip those
once a field has failed.) No problem ever quotes a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

MASK = "******"
"""Replaces a secret in output; in an incoming document it means: keep the previous secret."""

T = TypeVar("T")


class Fields:
    """The fields of one JSON object at ``place``; null counts as absent, problems go to the shared list."""

    __slots__ = ("_failed", "place", "problems", "values")

    def __init__(self, values: object, place: str, problems: list[str]) -> None:
        self.place = place
        self.problems = problems
        self._failed: set[str] = set()
        self.values: Mapping[str, object] = {}
        if isinstance(values, dict | Mapping):  # nearly always a dict, for which isinstance is much faster
            self.values = values
        else:
            problems.append(f"{place}: must be an object, not {kind_of(values)}")

    def at(self, key: str) -> str:
        """The place of ``key``."""
        return f"{self.place}.{key}" if self.place else key

    def problem(self, key: str, reason: str) -> None:
        self._failed.add(key)
        self.problems.append(f"{self.at(key)}: {reason}")

    def failed(self, key: str) -> bool:
        """Whether this field has a problem already, so that it need not get another one."""
        return key in self._failed

    def text(self, key: str) -> str:
        """Text, stripped of blanks; a number becomes its text, as in Java's reader."""
        return self._raw_text(key).strip()

    def secret(self, key: str, previous: str) -> str:
        """Text as it is; the mask means ``previous``."""
        value = self._raw_text(key)
        if value != MASK:
            return value
        if not previous:
            what = "is masked, but there is no previous value to keep; give the value itself"
            self.problem(key, f"{what} (an export has it with --secrets)")
        return previous

    def _raw_text(self, key: str) -> str:
        value = self.values.get(key)
        if isinstance(value, str):
            if value.isascii() or is_unicode(value):
                return value
            self.problem(key, "is not valid Unicode text")
        elif isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        elif value is not None:
            self.problem(key, f"must be text, not {kind_of(value)}")
        return ""

    def integer(self, key: str, *, default: int, low: int, high: int) -> int:
        """A whole number between ``low`` and ``high``, or digits as text."""
        value = self.values.get(key)
        if value is None:
            return default
        number = _to_integer(value)
        if number is None:
            shown = f" {value!r}"[:40] if isinstance(value, str | float) else f" {kind_of(value)}"
            self.problem(key, f"must be a whole number, not{shown}")
        elif not low <= number <= high:
            self.problem(key, f"must be between {low} and {high}, not {_number_text(number)}")
        else:
            return number
        return default

    def flag(self, key: str) -> bool:
        """True or false; false when absent."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.problem(key, f"must be true or false, not {kind_of(value)}")
        return False

    def items(self, key: str) -> list[object]:
        """A list; empty when absent."""
        value = self.values.get(key)
        if value is None or isinstance(value, list):
            return value or []
        self.problem(key, f"must be a list, not {kind_of(value)}")
        return []

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts without empty entries and duplicates."""
        found = []
        for number, item in enumerate(self.items(key)):
            if isinstance(item, str) and is_unicode(item):
                found.append(item.strip())
            elif item is not None:
                self.problem(f"{key}[{number}]", f"must be text, not {kind_of(item)}")
        return tuple(dict.fromkeys(item for item in found if item))

    def convert(self, key: str, read: Callable[[str], T]) -> T | None:
        """``read`` of the text; None when absent, or when ``read`` raises ValueError with the reason."""
        return self.value(key, lambda _: read(text)) if (text := self.text(key)) else None

    def value(self, key: str, read: Callable[[object], T]) -> T | None:
        """Like ``convert``, for values of any type."""
        value = self.values.get(key)
        if value is None:
            return None
        try:
            return read(value)
        except ValueError as error:
            self.problem(key, str(error))
            return None


def kind_of(value: object) -> str:
    """The JSON type of a value, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = ((int | float, "a number"), (str, "text"), (list, "a list"), (Mapping, "an object"))
    return next((name for kind, name in names if isinstance(value, kind)), "something else")


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8; JSON escapes can spell lone surrogates, which cannot."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _to_integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if len(digits) < 20 and digits.removeprefix("-").isdecimal() and digits.isascii() else None
    return None


def _number_text(number: int) -> str:
    return str(number) if abs(number) < 10**12 else "a number with many digits"
