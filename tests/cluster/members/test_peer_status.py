"""A peer status reads back as it was written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from promsnmp.cluster.election.runner import Leader
from promsnmp.cluster.members.members import Member
from promsnmp.cluster.members.peer_status import PeerStatus, read_peer_status
from promsnmp.errors import PeerError

ME = Member("pod-0", "an instance", "192.0.2.1:8080", 1.5)


@pytest.mark.parametrize(
    "news",
    [
        PeerStatus(ME),
        PeerStatus(replace(ME, installation="site"), is_fit=False),
        PeerStatus(ME, 17, Leader("pod-1", "192.0.2.2:8080", 3)),
        PeerStatus(ME, 17, None, leaving=True),
        PeerStatus(ME, 2**62, None, inventory_term=3),
    ],
)
def test_a_status_survives_a_round_trip(news: PeerStatus) -> None:
    assert read_peer_status(news.json()) == news


@pytest.mark.parametrize("key", ["revision", "inventoryTerm"])
@pytest.mark.parametrize("number", [-1, 2**62 + 1, 1.5, "7", "9" * 5000, None, [1]], ids=lambda number: str(number)[:9])
def test_numbers_out_of_range_are_refused(key: str, number: object) -> None:
    document = json.loads(PeerStatus(ME, 5).json())
    with pytest.raises(PeerError):
        read_peer_status(json.dumps(document | {key: number}).encode())


def test_a_status_of_an_older_version_says_nothing_about_term_fitness_and_installation() -> None:
    document = json.loads(PeerStatus(ME, 5).json())
    del document["inventoryTerm"], document["fit"], document["installation"]
    assert read_peer_status(json.dumps(document).encode()) == PeerStatus(ME, 5)


@pytest.mark.parametrize(
    "leader",
    [
        {"name": "a", "address": "b"},
        *({"name": "a", "address": "b", "term": term} for term in (2**62 + 1, -1, "7", 1e300, None)),
        {"name": "x" * 5000, "address": "b", "term": 1},
    ],
    ids=lambda leader: str(leader)[:60],
)
def test_a_leader_out_of_bounds_is_refused(leader: dict[str, object]) -> None:
    with pytest.raises(PeerError):
        read_peer_status(json.dumps({**json.loads(PeerStatus(ME).json()), "leader": leader}).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"leader": 5}', b"\xff", b"9" * 5000, b"[" * 100_000]
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(PeerError):
        read_peer_status(body)
