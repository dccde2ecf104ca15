"""Messages about read leases are read back as they were written, and anything else is refused."""

from __future__ import annotations

import json

import pytest

from promsnmp.cluster.read_leases.messages import MAX_DEVICES, LeaseMessage, read_lease_message
from promsnmp.errors import PeerError

MESSAGE = LeaseMessage(
    sender="a",
    receiver="b",
    duration=3.0,
    number=7,
    revoked=("switch-1",),
    confirmed=5,
    stamp=12.5,
    was_owner=True,
    time=12.75,
)


def test_a_message_reads_back() -> None:
    assert read_lease_message(MESSAGE.json()) == MESSAGE


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 1 << 62},
        {"confirmed": 1 << 70},
        {"number": "x"},
        {"duration": float("nan")},
        {"duration": -1},
        {"duration": 3600},
        {"revoked": 5},
        {"revoked": ["x"] * (MAX_DEVICES + 1)},
        {"stamp": "late"},
        {"time": "late"},
    ],
)
def test_a_wrong_field_is_refused(changes: dict[str, object]) -> None:
    document = json.loads(MESSAGE.json()) | changes
    with pytest.raises(PeerError):
        read_lease_message(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"1", b"\xff", b'{"sender": "a"}', b"[" * 100_000])
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(PeerError):
        read_lease_message(body)
