"""The option ``--config``: the configuration file of a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def _use(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        from promsnmp.settings.reading.config_file import use_config  # slow: pydantic

        ctx.with_resource(use_config(value))


def config_option(command: _F) -> _F:
    """Adds ``--config``, which counts for everything that the command does; it gets no argument for it."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        expose_value=False,
        is_eager=True,
        callback=_use,
        help="Configuration file (promsnmp.yml).  [default: PROMSNMP_CONFIG, else ~/.config/promsnmp/promsnmp.yml, "
        "else /etc/promsnmp/promsnmp.yml]",
    )(command)
