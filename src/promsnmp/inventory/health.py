"""The inventory in health and in PromSNMP's own metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric

from promsnmp.inventory.store import InventoryStore
from promsnmp.observe import metric_families
from promsnmp.observe.health import Component, DiskSpace, Status
from promsnmp.support.secret_keys import is_known


def key_warning(key: bytes) -> str:
    """What is wrong with a key that everybody knows, and what to do; empty for any other key."""
    if not is_known(key):
        return ""
    return "the key of the inventory is one that everybody knows, so it protects nothing; run: promsnmp inventory rekey"


def inventory_component(store: InventoryStore, *, lag: str = "") -> Component:
    """DOWN while the file cannot be read, or refuses changes; OUT_OF_SERVICE while another replica has a newer
    inventory, which ``lag`` describes.

    UNKNOWN when a check found that changes would be refused: a restart does not help, and polls and scrapes go on, so
    no pod is kept from starting. Without devices there is nothing to go on with: then it is DOWN, too.

    A key that everybody knows is only a detail, so that first steps and migrations need no other key.
    """
    details: dict[str, object] = {
        "devices": len(store.current.devices),
        "revision": store.current.revision,
        "term": store.current.fencing_token,
    }
    if warning := key_warning(store.key):
        details["keyWarning"] = warning
    if store.volume.locks.work is not None:
        details["locks"] = store.volume.locks.problem or "work"
    if (error := store.last_error or store.write_error) is not None:
        would_refuse = store.last_error is None and not store.volume.has_refused and bool(store.current.devices)
        return Component(Status.UNKNOWN if would_refuse else Status.DOWN, {**details, "error": str(error)})
    if lag:
        return Component(Status.OUT_OF_SERVICE, {**details, "error": lag})
    return Component(Status.UP, details)


def inventory_families(store: InventoryStore, disk: DiskSpace) -> Iterable[Metric]:
    """The size of the inventory, its revision, whether its file can be used, and whether its key is secret."""
    inventory = store.current
    yield from metric_families.inventory_families(
        devices=len(inventory.devices),
        seeds=len(inventory.seeds),
        revision=inventory.revision,
        changed_at=disk.modified,
        healthy=store.last_error is None and store.write_error is None and not disk.is_silent,
        locks=store.volume.locks.work,
    )
    yield from metric_families.key_families(known=is_known(store.key))
