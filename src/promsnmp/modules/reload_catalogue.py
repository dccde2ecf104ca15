"""Reads the module files again while the service runs, and shows in the health how that went.

This is one step of a reload; ``_reload`` in ``app.py`` has all of them (SIGHUP and ``/-/reload``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from promsnmp.errors import ModuleError
from promsnmp.modules.catalogue import CatalogueStore, load_catalogue
from promsnmp.modules.snmp_yml.read_options import ReadOptions
from promsnmp.observe.health import Component, Status
from promsnmp.support.memory import release_memory

log = logging.getLogger(__name__)


async def reload_catalogue(
    store: CatalogueStore, patterns: Sequence[str], *, options: ReadOptions, needed: Iterable[str]
) -> None:
    """Replaces the catalogue in use by what the files say now.

    Raises ModuleError when a file is wrong or a module of ``needed`` is missing, and then keeps the catalogue in use.
    """
    try:
        catalogue = await asyncio.to_thread(load_catalogue, patterns, options=options, before=store.current)
        for name in needed:
            catalogue.module(name)
    except ModuleError as error:
        store.last_error = error
        raise
    store.replace(catalogue)
    release_memory()
    log.info("reloaded the module files: %d modules, %d auths", len(catalogue.modules), len(catalogue.auths))


def catalogue_component(store: CatalogueStore) -> Component:
    """How many modules and auths are in use, and why the last reload failed, if it did."""
    details: dict[str, object] = {"modules": len(store.current.modules), "auths": len(store.current.auths)}
    if store.last_error is not None:
        details["error"] = str(store.last_error)
    return Component(Status.UP, details)
