"""A session that has ended at another replica ends here, too, once that one is heard again."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from promsnmp.errors import PeerError
from promsnmp.http.security.session_confirmation import SessionConfirmation
from promsnmp.http.security.sessions import Session, Sessions


class Replica:
    """A replica with its sessions; ``others`` by address, None for one that does not answer."""

    def __init__(self) -> None:
        self.sessions = Sessions(str.encode, lambda _: b"hash", lifetime=3600)
        self.others: dict[str, Replica | None] = {}
        self.asked = 0
        members = SimpleNamespace()
        self.cluster = SimpleNamespace(has_peers=True, members=members, peers=self)
        self.confirmation = SessionConfirmation(cast("Any", self.cluster), self.sessions)

    async def is_valid(self, session: Session) -> bool:
        self.cluster.members.others = [SimpleNamespace(name=name, address=name) for name in self.others]
        return await self.confirmation.is_valid(session)

    async def request(self, address: str, _: str, __: bytes, ___: object, body: bytes, **____: object) -> Any:
        self.asked += 1
        other = self.others[address]
        if other is None:
            raise PeerError("no answer")
        return SimpleNamespace(status=200, body=other.confirmation.answer(body))


def session_of(replica: Replica) -> Session:
    found = replica.sessions.read(replica.sessions.issue("token"))
    assert found is not None
    return found


async def test_a_replica_that_did_not_hear_of_a_logout_asks() -> None:
    one, silent = Replica(), Replica()
    session = session_of(one)
    silent.others = {"one": one}
    assert await silent.is_valid(session)
    again = session_of(one)
    await one.sessions.end(again.id)  # and nobody tells the other one
    assert not await silent.is_valid(again)
    assert silent.sessions.has_ended(again.id)


async def test_without_an_answer_only_sessions_that_began_here_count() -> None:
    here, elsewhere = Replica(), Replica()
    own, foreign = session_of(here), session_of(elsewhere)
    here.others = {"elsewhere": None, "third": None}
    assert await here.is_valid(own)
    assert not await here.is_valid(foreign)
    here.others = {"elsewhere": None, "third": Replica()}
    assert await here.is_valid(foreign)
    here.others = {}
    assert await here.is_valid(session_of(elsewhere)), "a replica that is alone has nobody to ask"


async def test_a_session_is_confirmed_for_a_while() -> None:
    here, other = Replica(), Replica()
    here.others, session = {"other": other}, session_of(other)
    for _ in range(5):
        assert await here.is_valid(session)
    assert here.asked == 1


@pytest.mark.parametrize("body", [b"", b"[]", b'{"session": 1}', b"{}"])
def test_a_message_without_a_session_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Replica().confirmation.answer(body)
    assert json.loads(Replica().confirmation.answer(b'{"session": "x"}')) == {"ended": False}
