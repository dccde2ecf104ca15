"""How a replica proves to another one that it is a replica, before it gets any request.

The asker sends a random nonce. The answer has name, process, address and epoch of the replica, and a MAC over all of
them and the nonce: only a process with the key of the cluster can make it, and it was made now. The epoch is the
challenge in the other direction: every request of the asker is signed together with it (``signing.py``).
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass

from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.replays import ReplayGuard
from promsnmp.errors import PeerError

CHALLENGE_PATH = "/-/peer/challenge"
MAX_CHALLENGE = 4096
"""Bytes of a challenge, and of its answer, at most."""
_PURPOSE = "proof of a replica"
_FIELDS = ("name", "instance", "address", "epoch")


@dataclass(frozen=True, slots=True)
class ProvenPeer:
    """A process that has proven that it is a replica."""

    name: str
    instance: str
    address: str
    """``host:port`` at which it wants to be reached; not necessarily where it was asked."""
    epoch: str
    """Of its ``ReplayGuard``."""


class ChallengeResponder:
    """Answers challenges on behalf of ``me``."""

    def __init__(self, key: ClusterKey, me: Member, replays: ReplayGuard) -> None:
        self._key = key
        self._me = me
        self._replays = replays

    def answer(self, body: bytes) -> bytes:
        """The answer to a challenge. Raises PeerError when it is invalid."""
        nonce, asker = _texts(body, ("nonce", "asker"))
        me = self._me
        fields = (me.name, me.instance, me.address, self._replays.epoch)
        proof = _proof(self._key, nonce, asker, fields)
        return json.dumps({**dict(zip(_FIELDS, fields, strict=True)), "proof": proof}).encode()


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge by the process ``asker`` to the process at an address."""

    asker: str
    nonce: str

    @classmethod
    def make(cls, asker: str) -> Challenge:
        return cls(asker, secrets.token_hex(16))

    def json(self) -> bytes:
        return json.dumps({"nonce": self.nonce, "asker": self.asker}).encode()

    def check(self, key: ClusterKey, body: bytes) -> ProvenPeer:
        """Who gave the answer ``body``. Raises PeerError when it proves nothing."""
        *fields, proof = _texts(body, (*_FIELDS, "proof"))
        if not hmac.compare_digest(proof.encode(), _proof(key, self.nonce, self.asker, fields).encode()):
            raise PeerError(
                "it does not have the key of this cluster: check that CLUSTER_KEY, or else the volume of the inventory "
                "with the key file, is the same for all replicas"
            )
        return ProvenPeer(*fields)


def _proof(key: ClusterKey, nonce: str, asker: str, fields: tuple[str, ...] | list[str]) -> str:
    message = json.dumps([nonce, asker, *fields]).encode()
    return hmac.digest(key.derive(_PURPOSE), message, "sha256").hex()


def _texts(body: bytes, names: tuple[str, ...]) -> list[str]:
    try:
        document = json.loads(body[: MAX_CHALLENGE + 1])
        texts = [document[name] for name in names]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PeerError("it answers something else: another program, or an older version of PromSNMP") from None
    if not all(isinstance(text, str) and len(text) < 1000 for text in texts):
        raise PeerError("it answers something else: another program, or another version of PromSNMP")
    return texts
