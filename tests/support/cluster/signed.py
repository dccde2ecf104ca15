"""Requests to a real replica as another replica would send them."""

from __future__ import annotations

import itertools
from pathlib import Path

import httpx

from promsnmp.cluster.peers.challenge import CHALLENGE_PATH, Challenge, ProvenPeer
from promsnmp.cluster.peers.cluster_key import ClusterKey, cluster_key_file
from promsnmp.cluster.peers.signing import RequestSigner, body_digest

NUMBERS = itertools.count()


def key_in(folder: Path) -> ClusterKey:
    """The key that the replicas with this folder share."""
    return ClusterKey(path=cluster_key_file(folder / "inventory.json"))


class SignedRequests:
    """Signs requests for the replica that ``client`` asks, with ``key``."""

    def __init__(self, client: httpx.Client, key: ClusterKey) -> None:
        self.client = client
        self._key = key
        self._instance = f"process {next(NUMBERS)} of pod-9"
        self._signer = RequestSigner(key, "pod-9", self._instance)

    def prove(self) -> ProvenPeer:
        """The proof of the replica."""
        challenge = Challenge.make(self._instance)
        answer = self.client.post(CHALLENGE_PATH, content=challenge.json())
        assert answer.status_code == 200, answer.text
        return challenge.check(self._key, answer.content)

    def headers(
        self,
        to: ProvenPeer,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        user: str = "",
    ) -> tuple[dict[str, str], bytes]:
        """The headers of a signed request, and its MAC. Its answer is not compressed."""
        headers = {"accept-encoding": "identity", **(headers or {})}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        (name, value), mac = self._signer.sign(to, method, target.encode(), pairs, body_digest(body), user=user)
        return {**headers, name.decode(): value.decode()}, mac

    def send(
        self, method: str, target: str, body: bytes = b"", *, headers: dict[str, str] | None = None, user: str = ""
    ) -> httpx.Response:
        """The answer to a signed request, whose signature is checked."""
        signed, mac = self.headers(self.prove(), method, target, body, headers=headers, user=user)
        answer = self.client.request(method, target, content=body or None, headers=signed)
        self.check(answer, mac)
        return answer

    def check(self, answer: httpx.Response, mac: bytes) -> None:
        """Raises PeerError when the answer is not signed for the request with this MAC."""
        pairs = [(name.lower(), value) for name, value in answer.headers.raw]
        self._signer.verify_answer(mac, answer.status_code, pairs, body_digest(answer.content))
