"""The overview: devices by state, what is worst and why, health, polls, discovery, and what needs a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from promsnmp.discovery.jobs import ENDED_STATES
from promsnmp.web.device_table.table import DeviceTable
from promsnmp.web.rates import PollRates, combined
from promsnmp.web.sources import Sources
from promsnmp.web.text import detail

MOST_CONFLICTS = 10


def overview_view(sources: Sources, table: DeviceTable, rates: PollRates) -> Mapping[str, object]:
    """The values of the overview."""
    cluster, index = sources.cluster, sources.devices.snapshot.index
    all_rates = [rates, *table.peer_rates]
    return {
        "device_table": table,
        "total": len(table.rows),
        "rates": combined(all_rates),
        "measured": len(all_rates),
        "leader": cluster.leader(),
        "me": cluster.members.me.name,
        "members": cluster.members.present,
        "has_peers": cluster.has_peers,
        "role": cluster.role,
        "last_search": _last_search(sources),
        "next_search": sources.next_search(),
        "running": [job for job in sources.discovery.jobs if job.state not in ENDED_STATES],
        "conflicts": index.conflicts[:MOST_CONFLICTS],
        "conflict_count": len(index.conflicts),
        "problems": _problems(sources),
    }


def _last_search(sources: Sources) -> float:
    """Unix time at which the last search ended, as far as this replica knows; 0: never. Searches of all seeds
    are in the inventory, so every replica knows them."""
    run = sources.devices.snapshot.inventory.searches.run
    ended = datetime.fromisoformat(run.ended_at).timestamp() if run is not None and run.ended_at else 0.0
    return max(ended, sources.discovery.finished_at)


def _problems(sources: Sources) -> Sequence[tuple[str, str, str]]:
    """Components of the service that are not as they should be: name, status, and what is known of it."""
    return [
        (name, part.status.value, "; ".join(f"{key}: {detail(value)}" for key, value in part.details.items()))
        for name, part in sources.health.components().items()
        if not part.status.is_healthy
    ]
