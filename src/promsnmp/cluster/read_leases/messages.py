"""What two replicas say about their read leases, as JSON: the same in a request and in its response."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from promsnmp.errors import PeerError

MAX_MESSAGE = 2 * 1024 * 1024
"""Bytes of a message, at most."""
MAX_DEVICES = 5000
"""Revoked devices in one message; more are announced as all devices."""
_MAX_NUMBER = 1 << 62
_MAX_DURATION = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseMessage:
    """From ``sender`` to ``receiver``; both are instances, since a restart under the same name makes a new replica."""

    sender: str
    receiver: str
    duration: float = 0.0
    """Seconds for which the sender grants its lease to the receiver, from the receiver's request on; 0: not granted.
    Only a response grants."""
    number: int = 0
    """Number of the sender's last revocation."""
    revoked: tuple[str, ...] = ()
    """Devices for which the sender has revoked the receiver's lease, as far as the receiver has not confirmed it."""
    all_revoked: bool = False
    """All devices, because they are too many."""
    was_owner: bool = False
    """The sender did not know the receiver until now, and may have answered for its devices as their owner."""
    confirmed: int = 0
    """Number of the receiver's last revocation that the sender has carried out."""
    final: bool = False
    """The sender stops: it grants no more leases, and answers for no device unless its owner confirms that."""
    handing_over: bool = False
    """The sender owned devices of the receiver before, and has not handed over all of their histograms yet."""
    stamp: float | None = None
    """The sender's time, while it holds all read leases."""
    time: float | None = None
    """The sender's time in any case; None in messages of version 0.3.0."""

    def json(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def read_lease_message(body: bytes) -> LeaseMessage:
    """The message in a body. Raises PeerError when it is invalid."""
    try:
        document = json.loads(body)
        stamp, time, revoked = document["stamp"], document.get("time"), tuple(map(str, document["revoked"]))
        numbers = int(document["number"]), int(document["confirmed"])
        duration = float(document["duration"])
        if len(revoked) > MAX_DEVICES or max(numbers) >= _MAX_NUMBER or not 0 <= duration <= _MAX_DURATION:
            raise ValueError
        return LeaseMessage(
            sender=str(document["sender"]),
            receiver=str(document["receiver"]),
            duration=duration,
            number=numbers[0],
            revoked=revoked,
            all_revoked=bool(document["all_revoked"]),
            was_owner=bool(document["was_owner"]),
            confirmed=numbers[1],
            final=bool(document["final"]),
            handing_over=bool(document["handing_over"]),
            stamp=None if stamp is None else float(stamp),
            time=None if time is None else float(time),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PeerError("invalid message about read leases") from None
