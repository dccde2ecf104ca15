"""The replicas: who leads, who polls how many devices, the election, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.web.device_table.table import DeviceTable
from promsnmp.web.pages.ring import ring_arcs
from promsnmp.web.sources import Sources

_FOREVER = 1e9
"""Seconds since the last renewal from which on there was none."""


def replicas_view(sources: Sources, table: DeviceTable) -> Mapping[str, object]:
    """The values of the page, as this replica sees them."""
    cluster = sources.cluster
    leadership, leader = cluster.leadership, cluster.leader()
    since = leadership.since_renewal
    parts = sources.health.components()
    return {
        "arcs": ring_arcs(
            cluster.members.present,
            table.owned,
            leader="" if leader is None else leader.name,
            me=cluster.members.me.name,
        ),
        "device_table": table,
        "members": cluster.members.present,
        "me": cluster.members.me,
        "leader": leader,
        "role": cluster.role,
        "backend": leadership.backend,
        "problem": leadership.problem,
        "since_renewal": since if since < _FOREVER else None,
        "revision": table.inventory.revision,
        "term": table.inventory.fencing_token,
        "behind": cluster.peer_inventories.lag(),
        "newest": cluster.peer_inventories.newest(),
        "holds_leases": cluster.read_leases.rules.is_valid,
        "components": {name: parts[name] for name in ("leaderElection", "replicas", "inventory") if name in parts},
    }
