"""A peer status reads back as it was written."""

from __future__ import annotations

import pytest

from promsnmp.cluster.election.runner import Leader
from promsnmp.cluster.members.members import Member
from promsnmp.cluster.members.peer_status import PeerStatus, read_peer_status
from promsnmp.errors import PeerError

ME = Member("pod-0", "an instance", "192.0.2.1:8080", 1.5)


@pytest.mark.parametrize(
    "news",
    [PeerStatus(ME), PeerStatus(ME, 17, Leader("pod-1", "192.0.2.2:8080", 3)), PeerStatus(ME, 17, None, leaving=True)],
)
def test_a_status_survives_a_round_trip(news: PeerStatus) -> None:
    assert read_peer_status(news.json()) == news


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"leader": 5}', b"\xff", b"9" * 5000])
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(PeerError):
        read_peer_status(body)
