"""Reads ``--label NAME=VALUE``, which several commands take."""

from __future__ import annotations

from collections.abc import Iterable

import click


def read_labels(values: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE, repeated; the last value of a name counts. Raises click.UsageError."""
    labels = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise click.UsageError(f"--label {value!r}: write NAME=VALUE")
        labels[name] = text
    return labels
