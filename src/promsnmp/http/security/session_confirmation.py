"""Asks the other replicas whether a session has ended there: a logout reaches only the replicas that are heard then.

A replica that was silent, or has just started, would otherwise take the cookie until it expires. It asks again every
CONFIRMED_FOR seconds. While it knows other replicas and none of them answers, sessions that it has not begun or
confirmed count for nothing: whoever needs it logs in there.
"""

from __future__ import annotations

import asyncio
import json
import logging

from cachetools import TTLCache

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.client import SESSIONS_PATH
from promsnmp.errors import PeerError
from promsnmp.http.security.sessions import Session, Sessions

log = logging.getLogger(__name__)

CONFIRMED_FOR = 30.0
"""Seconds."""
TIMEOUT = 1.5
"""Seconds that another replica has to answer."""
MOST_CONFIRMED = 10_000
MAX_ANSWER = 1024
_HEADERS = ((b"content-type", b"application/json"),)


class SessionConfirmation:
    """Confirms sessions of ``sessions`` with the other replicas of ``cluster``."""

    def __init__(self, cluster: Cluster, sessions: Sessions) -> None:
        self._cluster = cluster
        self._sessions = sessions
        self._confirmed: TTLCache[str, bool] = TTLCache(MOST_CONFIRMED, CONFIRMED_FOR)

    async def is_valid(self, session: Session) -> bool:
        """Whether no other replica has ended the session."""
        if session.id in self._confirmed or not self._cluster.has_peers:
            return True
        others = self._cluster.members.others
        answers = await asyncio.gather(*(self._has_ended(one, session.id) for one in others))
        if True in answers:
            await self._sessions.end(session.id, session.expires)
            return False
        if others and False not in answers and not self._sessions.has_begun(session.id):
            return False
        self._confirmed[session.id] = True
        return True

    def answer(self, body: bytes) -> bytes:
        """Whether the session that another replica asks for has ended here. Raises ValueError."""
        asked = json.loads(body)
        if not isinstance(asked, dict) or not isinstance(asked.get("session"), str):
            raise ValueError("the message does not name a session")
        return json.dumps({"ended": self._sessions.has_ended(asked["session"])}).encode()

    async def _has_ended(self, member: Member, session_id: str) -> bool | None:
        """What another replica says; None when it does not answer."""
        body = json.dumps({"session": session_id}).encode()
        try:
            answer = await self._cluster.peers.request(
                member.address, "POST", SESSIONS_PATH.encode(), _HEADERS, body, timeout=TIMEOUT, max_body=MAX_ANSWER
            )
            return answer.status == 200 and bool(json.loads(answer.body).get("ended"))  # an older version: 404
        except (PeerError, ValueError, AttributeError) as error:
            log.info("replica %s does not say whether a session has ended: %s", member.name, error)
            return None
