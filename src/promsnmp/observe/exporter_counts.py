"""What snmp_exporter counts about itself, counted here under the same names, for its dashboards and alerts.

Plain numbers, as in ``counts.py``; ``exporter_families.py`` makes metric families of them.
"""

from __future__ import annotations

from promsnmp.observe.counts import Distribution

PACKET_BOUNDS = tuple(0.0001 * 2**power for power in range(15))
COLLECTION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds, those of snmp_exporter."""


class ExporterCounts:
    """Packets of polls, collections by module, and scrapes whose parameters were wrong."""

    __slots__ = ("collections", "packet_seconds", "packets", "request_errors", "retries")

    def __init__(self) -> None:
        self.packets = 0
        """Packets sent by polls, retransmissions included."""
        self.retries = 0
        self.packet_seconds = Distribution(PACKET_BOUNDS)
        """From sending a packet to its answer."""
        self.collections: dict[str, Distribution] = {}
        self.request_errors = 0

    def add_packets(self, *, sent: int, retried: int) -> None:
        """A session has ended."""
        self.packets += sent
        self.retries += retried

    def record_collection(self, module: str, seconds: float) -> None:
        """A module was read, whole or not, in ``seconds``."""
        durations = self.collections.get(module)
        if durations is None:
            durations = self.collections[module] = Distribution(COLLECTION_BOUNDS)
        durations.observe(seconds)
