"""The message by which a replica says which neighbours its devices have, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from promsnmp.web.topology.graph import Node
from promsnmp.web.topology.neighbour_tables import MOST_TEXT
from promsnmp.web.topology.neighbours import NO_FACTS, Learned, Neighbour, PageFacts, Port

PortRates = Mapping[str, tuple[float, float]]
"""Bit/s received and sent, by the labels of ports."""


@dataclass(frozen=True, slots=True)
class PeerDevice:
    """A device as the replica that polls it knows it."""

    state: str
    reason: str
    facts: PageFacts
    rates: PortRates


def write_part(nodes: Iterable[Node], facts: Mapping[str, PageFacts], rates: Mapping[str, PortRates]) -> bytes:
    """The document of this replica."""
    document = {
        node.id: {
            "state": node.state,
            "reason": node.reason[:MOST_TEXT],
            **_facts_document(facts.get(node.id, NO_FACTS)),
            "rates": {key: list(pair) for key, pair in rates.get(node.id, {}).items()},
        }
        for node in nodes
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _facts_document(facts: PageFacts) -> dict[str, object]:
    return {
        "own": sorted(facts.own),
        "neighbours": [
            [*_port(one.port), one.source, one.chassis, one.name, one.address, one.remote_port, one.remote_description]
            for one in facts.neighbours
        ],
        "learned": [[*_port(one.port), list(one.addresses)] for one in facts.learned],
    }


def _port(port: Port) -> tuple[str, str, float]:
    return port.name, port.key, port.speed


def read_part(body: bytes) -> Mapping[str, PeerDevice]:
    """The document of another replica. Raises ValueError when it is invalid."""
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    try:
        return {str(key): _device(value) for key, value in document.items()}
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"unexpected message: {error!r}") from None


def _device(value: Any) -> PeerDevice:
    neighbours = tuple(
        Neighbour(Port(str(one[0]), str(one[1]), float(one[2])), *map(str, one[3:9])) for one in value["neighbours"]
    )
    learned = tuple(
        Learned(Port(str(one[0]), str(one[1]), float(one[2])), tuple(map(str, one[3]))) for one in value["learned"]
    )
    facts = PageFacts(frozenset(map(str, value["own"])), neighbours, learned)
    rates = {str(key): (float(pair[0]), float(pair[1])) for key, pair in value["rates"].items()}
    return PeerDevice(str(value["state"]), str(value["reason"]), facts, rates)
