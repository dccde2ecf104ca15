"""Which tests run one after another in one worker of pytest-xdist: those that share a fixture of their module."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

SHARED = ("module", "package")


def group_by_module(items: Iterable[pytest.Item]) -> None:
    """Marks tests whose module has a fixture for all of them, so that it is set up once and not in every worker.

    Other tests go to any worker; a module's own ``xdist_group`` mark stays.
    """
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("xdist_group") is None and _shares(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem + str(item.path.parent)))


def _shares(item: pytest.Function) -> bool:
    definitions = item._fixtureinfo.name2fixturedefs.values()
    return any(definition.scope in SHARED for found in definitions for definition in found)
