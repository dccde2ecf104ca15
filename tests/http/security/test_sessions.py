"""Sessions and the tokens of forms: what is accepted, on which replica, until when."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.http.security.logouts import Logouts
from promsnmp.http.security.sessions import Sessions, new_form_cookie

KEY = ClusterKey("a key that all replicas share, 32 characters")


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def sessions(
    clock: Clock,
    key: Callable[[str], bytes] = KEY.derive,
    credentials: dict[str, bytes] | None = None,
    folder: Path | None = None,
) -> Sessions:
    known = {"token": b"a token"} if credentials is None else credentials
    return Sessions(key, known.get, lifetime=3600, logouts=Logouts(folder, clock), clock=clock)


def scope(**cookies: str) -> dict[str, object]:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"type": "http", "headers": [(b"cookie", header.encode("latin-1"))]}


def test_every_replica_with_the_key_knows_a_session_until_it_ends() -> None:
    clock = Clock()
    here, there = sessions(clock), sessions(clock, ClusterKey("a key that all replicas share, 32 characters").derive)
    value = here.issue("token")
    found = there.of(scope(**{there.cookie: value}))
    assert found is not None
    assert found.principal == "token"
    clock.now += 3599
    assert there.read(value) is not None
    clock.now += 1
    assert there.read(value) is None


async def test_a_session_ends_with_its_credentials_with_the_key_and_by_a_logout() -> None:
    clock = Clock()
    value = sessions(clock).issue("token")
    assert sessions(clock, credentials={"token": b"another"}).read(value) is None
    assert sessions(clock, credentials={}).read(value) is None
    assert sessions(clock, ClusterKey("another key of the cluster, 32 characters").derive).read(value) is None
    here = sessions(clock)
    found = here.read(value)
    assert found is not None
    await here.end(found.id)
    assert here.read(value) is None


def test_nobody_can_make_or_change_a_session() -> None:
    here = sessions(Clock(), credentials={"token": b"a token", "basic:root": b"hash"})
    value = here.issue("token")
    payload, _, mac = value.partition(".")
    forged = base64.urlsafe_b64encode(json.dumps(["basic:root", "0" * 32, 2**40]).encode()).decode().rstrip("=")
    for other in (
        "", ".", payload, f"{payload}.", f".{mac}", f"{forged}.{mac}", f"{payload}.{mac[:-2]}AA", f"{payload}!.{mac}",
        value + "A" * 2_000, "\xe9" * 20, f"{base64.urlsafe_b64encode(b'[[[').decode()}.{mac}",
    ):  # fmt: skip
        assert here.read(other) is None, other
    assert here.of(scope(**{here.cookie: "x" * 20_000})) is None


def test_a_form_belongs_to_the_session_or_else_to_the_cookie_of_a_browser() -> None:
    here = sessions(Clock())
    new = new_form_cookie()
    token = here.form_token(scope(), new)
    assert here.is_own_form(scope(**{here.form_cookie: new}), token)
    for other in (scope(), scope(**{here.form_cookie: new_form_cookie()}), scope(**{here.form_cookie: ""})):
        assert not here.is_own_form(other, token)
        assert not here.is_own_form(other, "")
    logged_in = scope(**{here.form_cookie: new, here.cookie: here.issue("token")})
    assert not here.is_own_form(logged_in, token), "what was opened before a login is not sent after it"
    assert here.is_own_form(logged_in, here.form_token(logged_in))
    assert not here.is_own_form(scope(**{here.cookie: here.issue("token")}), here.form_token(logged_in))


@pytest.mark.parametrize("token", ["", "0", "\u0660" * 64, "\ud800"])
def test_a_wrong_token_is_no_error(token: str) -> None:
    here = sessions(Clock())
    assert not here.is_own_form(scope(**{here.form_cookie: new_form_cookie()}), token)


async def test_a_logout_counts_after_a_restart_and_others_stay_logged_in(tmp_path: Path) -> None:
    clock, folder = Clock(), tmp_path / "logouts"
    before = sessions(clock, folder=folder)
    ended, kept = before.issue("token"), before.issue("token")
    found = before.read(ended)
    assert found is not None
    await before.end(found.id, found.expires)
    after = sessions(clock, folder=folder)
    assert after.read(ended) is None
    assert after.has_ended(found.id)
    assert after.read(kept) is not None
    assert found.id not in "".join(path.name for path in folder.iterdir())
    clock.now += 3602
    sessions(clock, folder=folder)
    assert list(folder.iterdir()) == []
