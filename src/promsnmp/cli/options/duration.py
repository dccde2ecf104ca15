"""The type of options that take a time: a number with a unit (``500ms``, ``2s``, ``1m30s``), or a plain number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from promsnmp.support.yaml_scalars import parse_duration

if TYPE_CHECKING:
    ParamType = click.ParamType[float]
else:
    ParamType = click.ParamType  # at run time, click 8.1 has no type arguments

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PLAIN_UNITS = {"s": ("seconds", 1.0), "ms": ("milliseconds", 0.001)}


class Duration(ParamType):
    """Seconds from ``shortest`` to ``longest``. ``plain_unit``, "s" or "ms", is that of a number without a unit."""

    name = "duration"

    def __init__(self, *, shortest: float = 0.001, longest: float = 3600.0, plain_unit: str = "s") -> None:
        self._shortest = shortest
        self._longest = longest
        self._plain_unit = plain_unit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds. Fails with click.BadParameter, which names the option and says what to write."""
        if isinstance(value, float):
            return value
        try:
            seconds = self._seconds(str(value).strip())
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not self._shortest <= seconds <= self._longest:  # NaN is in no range
            unit, _ = _PLAIN_UNITS[self._plain_unit]
            self.fail(
                f"{value} is not between {_written(self._shortest)} and {_written(self._longest)}; "
                f"a number without a unit is in {unit}",
                param,
                ctx,
            )
        return seconds

    def _seconds(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            return parse_duration(text)
        return number * _PLAIN_UNITS[self._plain_unit][1]


def _written(seconds: float) -> str:
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"


def timeout_option(*, default: str | None = None, default_help: str = "") -> Callable[[_Command], _Command]:
    """``-t``, ``--timeout``: seconds to wait for one packet."""
    return click.option(
        "-t",
        "--timeout",
        type=Duration(),
        default=default,
        show_default=default is not None,
        help=f"Time to wait for a packet: 500ms, 2s; without a unit in seconds.{default_help}",
    )


def deadline_option(command: _Command) -> _Command:
    """``--deadline``: seconds for a whole poll."""
    return click.option(
        "--deadline",
        type=Duration(shortest=0.1),
        default="60s",
        show_default=True,
        help="Time for the whole poll: 60s, 2m; without a unit in seconds.",
    )(command)
