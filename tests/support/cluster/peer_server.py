"""The server of a replica, as far as other replicas see it: challenges, signed requests, signed answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.challenge import CHALLENGE_PATH, ChallengeResponder
from promsnmp.cluster.peers.client import REFUSED, REFUSED_COPY, REFUSED_RECIPIENT
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.replays import ReplayGuard
from promsnmp.cluster.peers.signing import (
    SIGNATURE_HEADER,
    InvalidSignature,
    OtherRecipient,
    RequestVerifier,
    SignedRequest,
    UsedBefore,
    body_digest,
)

Pairs = list[tuple[bytes, bytes]]
Answer = tuple[int, Pairs, bytes]


class PeerServer:
    """Answers signed requests with the body that ``handle`` returns for theirs."""

    def __init__(self, key: ClusterKey, name: str, *, handle: Callable[[bytes], bytes] = bytes) -> None:
        self.key = key
        self.name = name
        self.handle = handle
        self.seen: list[bytes] = []
        """Everything that was sent here, headers and bodies."""
        self.accepted: list[SignedRequest] = []
        self.announced = ""
        """Another address than its own."""
        self.tamper: Callable[[Answer], Answer] = lambda answer: answer
        """What happens to signed answers on their way."""
        self.silent = False
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self, port: int = 0) -> None:
        await self._listen(port)
        self.restart()

    async def reopen(self) -> None:
        """After ``stop``: listens again, as the same process."""
        await self._listen(self.port)

    async def _listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def me(self) -> Member:
        return Member(self.name, self.instance, self.announced or self.address, 1.0)

    def restart(self) -> None:
        """Begins as another process, with the present key."""
        self.instance = f"{self.name} {secrets.token_hex(4)}"
        self.replays = ReplayGuard()

    def stop(self) -> None:
        """Stops listening, and closes all connections."""
        self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head[:-4].split(b"\r\n")
                headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
                body = await reader.readexactly(int(dict(headers).get(b"content-length", b"0")))
                self.seen.append(head + body)
                if self.silent:
                    continue
                status, sent, answer = self._answer(first.decode(), headers, body)
                shown = b"".join(b"%b: %b\r\n" % pair for pair in [*sent, (b"content-length", b"%d" % len(answer))])
                writer.write(b"HTTP/1.1 %d -\r\n%b\r\n%b" % (status, shown, answer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    def _answer(self, first: str, headers: Pairs, body: bytes) -> Answer:
        method, target, _ = first.split()
        if target == CHALLENGE_PATH:
            return 200, [], ChallengeResponder(self.key, self.me, self.replays).answer(body)
        verifier = RequestVerifier(self.key, self.instance, self.replays)
        try:
            request = verifier.verify(dict(headers)[SIGNATURE_HEADER], method, target.encode(), headers)
        except InvalidSignature as error:
            return 403, [], str(error).encode()
        try:
            verifier.accept(request)
            assert request.digest == body_digest(body)
            self.accepted.append(request)
            status, sent, answer = 200, list[tuple[bytes, bytes]](), self.handle(body)
        except OtherRecipient as error:
            status, sent, answer = 403, [(REFUSED, REFUSED_RECIPIENT)], str(error).encode()
        except UsedBefore as error:
            status, sent, answer = 403, [(REFUSED, REFUSED_COPY)], str(error).encode()
        sent = [*sent, (b"etag", b'"1"')]
        sent.append(verifier.sign_answer(request, status, sent, body_digest(answer)))
        return self.tamper((status, [*sent, (b"set-cookie", b"unsigned")], answer))
