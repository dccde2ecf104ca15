"""The options for how a device is polled where that differs, which commands about devices and seeds take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from promsnmp.inventory.document.values import MAX_REPETITIONS, read_interval
from promsnmp.snmp.operations.get import MAX_GET_OIDS
from promsnmp.snmp.text_encodings import read_encoding

_Command = TypeVar("_Command", bound=Callable[..., Any])

_KEYS = {
    "interval": "interval",
    "max_repetitions": "maxRepetitions",
    "max_varbinds": "maxVarbinds",
    "text_encoding": "textEncoding",
    "unconnected": "unconnected",
}


def _interval(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else read_interval(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _encoding(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    try:
        return value and read_encoding(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_OPTIONS = (
    click.option(
        "--interval",
        metavar="DURATION",
        callback=_interval,
        help="Time between two polls: 10s, 5m; without a unit in milliseconds.  [default: COLLECTION_INTERVAL]",
    ),
    click.option(
        "--max-repetitions",
        type=click.IntRange(1, MAX_REPETITIONS),
        help="Repetitions of a GETBULK.  [default: as the modules say]",
    ),
    click.option(
        "--max-varbinds", type=click.IntRange(1, MAX_GET_OIDS), help="Objects of a GET.  [default: as the modules say]"
    ),
    click.option(
        "--text-encoding",
        metavar="NAME",
        callback=_encoding,
        help="Character encoding of its texts: gbk, latin-1, utf-16, cp1251...  [default: UTF-8]",
    ),
    click.option(
        "--unconnected/--connected",
        default=None,
        help="Whether it may answer from another address or port.  [default: as the modules say]",
    ),
)


OVERRIDE_OPTIONS = tuple(_KEYS)
"""The names of the options as arguments."""


def override_options(command: _Command) -> _Command:
    """Adds the options; the command passes their values to ``overrides_of``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def overrides_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a document for the options that were given."""
    return {key: given[name] for name, key in _KEYS.items() if given.get(name) is not None}
