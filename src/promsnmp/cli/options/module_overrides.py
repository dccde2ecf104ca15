"""Reads the options of ``promsnmp modules build`` that change modules: lookups, overrides and filters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import click

from promsnmp.modules.generator.config import METRIC_TYPES, LookupRule, ModuleConfig, Override, StaticFilter
from promsnmp.modules.model import Filter, RegexExtract

_COLON = re.compile(r"(?<!:):(?!:)")
"""A single colon, not the one of ``MODULE::name``."""
_VALUE = re.compile(r"\s=>\s")


@dataclass(frozen=True, slots=True)
class ModuleOverrides:
    """Lookups, overrides and filters from the command line, on top of those of generator.yml."""

    lookups: tuple[LookupRule, ...]
    overrides: tuple[tuple[str, Override], ...]
    static_filters: tuple[StaticFilter, ...]
    filters: tuple[Filter, ...]
    base_types: bool = False

    def apply_to(self, config: ModuleConfig) -> ModuleConfig:
        """``config`` with these on top."""
        return replace(
            config,
            lookups=config.lookups + self.lookups,
            overrides=config.overrides + self.overrides,
            static_filters=config.static_filters + self.static_filters,
            filters=config.filters + self.filters,
            base_types=self.base_types,
        )


def read_overrides(
    *,
    lookups: Sequence[str],
    drop: bool,
    ignored: Sequence[str],
    types: Sequence[str],
    scales: Sequence[str],
    offsets: Sequence[str],
    extracts: Sequence[str],
    dates: Sequence[str],
    filters: Sequence[str],
    rows: Sequence[str],
    base_types: bool = False,
) -> ModuleOverrides:
    """The options as values. Raises click.BadOptionUsage."""
    overrides: list[tuple[str, Override]] = [(name, Override(ignore=True)) for name in ignored]
    overrides += [(name, Override(type=_type(value))) for name, value in _split("--type", types)]
    overrides += [(name, Override(scale=_number("--scale", value))) for name, value in _split("--scale", scales)]
    overrides += [(name, Override(offset=_number("--offset", value))) for name, value in _split("--offset", offsets)]
    overrides += [(name, Override(datetime_pattern=value)) for name, value in _split("--datetime", dates)]
    overrides += _extracts(extracts)
    return ModuleOverrides(
        tuple(LookupRule(_names(left), right, drop) for left, right in _split("--lookup", lookups)),
        tuple(overrides),
        tuple(StaticFilter(_names(left), _indices(right)) for left, right in _split("--rows", rows)),
        tuple(_filter(left, right) for left, right in _split("--filter", filters)),
        base_types,
    )


def _split(option: str, values: Iterable[str]) -> list[tuple[str, str]]:
    out = []
    for value in values:
        left, equals, right = value.partition("=")
        if not equals or not left.strip() or not right:
            raise click.BadOptionUsage(option, f"{option} {value!r}: write NAME=VALUE")
        out.append((left.strip(), right))
    return out


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _indices(text: str) -> tuple[str, ...]:
    found = _names(text)
    if not all(re.fullmatch(r"[0-9]+(\.[0-9]+)*", one) for one in found):
        raise click.BadOptionUsage("--rows", f"--rows: {text!r} is not a list of indexes such as 1,2 or 1.5")
    return found


def _type(text: str) -> str:
    if text not in METRIC_TYPES:
        raise click.BadOptionUsage(
            "--type", f"--type: {text!r} is not a metric type; use one of: {', '.join(sorted(METRIC_TYPES))}"
        )
    return text


def _number(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value - value != 0:  # not a number, or infinite
        raise click.BadOptionUsage(option, f"{option}: {text!r} is not a number")
    return value


def _extracts(values: Iterable[str]) -> list[tuple[str, Override]]:
    out = []
    for left, right in _split("--regex", values):
        name, suffix = _halves("--regex", left, "OBJECT:SUFFIX=REGEX")
        regex, *value = _VALUE.split(right, maxsplit=1)
        extract = RegexExtract(suffix, ((regex, value[0] if value else "$1"),))
        out.append((name, Override(regex_extracts=(extract,))))
    return out


def _filter(left: str, regex: str) -> Filter:
    oid, targets = _halves("--filter", left, "OBJECT:TARGET[,TARGET]=REGEX")
    return Filter(oid, _names(targets), (regex,))


def _halves(option: str, text: str, form: str) -> tuple[str, str]:
    parts = _COLON.split(text)
    if len(parts) != 2 or not all(part.strip() for part in parts):
        raise click.BadOptionUsage(option, f"{option} {text!r}: write {form}")
    return parts[0].strip(), parts[1].strip()
