"""bcrypt hashes of other programs, remembered results, and the limit of waiting checks."""

from __future__ import annotations

import asyncio
import threading

import pytest

from promsnmp.http.security import passwords as module
from promsnmp.http.security.passwords import PasswordChecker, TooManyChecks, hash_password, verify_password

LIBXCRYPT = {
    "$2y$05$abcdefghijklmnopqrstuuBb8GxVRfq89toE4g4avZ7ehJY2KDC9K": "a b",
    "$2b$05$abcdefghijklmnopqrstuuBb8GxVRfq89toE4g4avZ7ehJY2KDC9K": "a b",
    "$2a$05$abcdefghijklmnopqrstuuBb8GxVRfq89toE4g4avZ7ehJY2KDC9K": "a b",
    "$2y$04$abcdefghijklmnopqrstuu3EIilE7Xjwa.QSG9G9Ugz6f7vGhHFgu": "pässwörd" * 10,
}
"""Hashes by crypt(3) of Debian; the last password is longer than bcrypt reads."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that bcrypt has checked."""
    asked: list[str] = []

    def counting(password: str, stored: str) -> bool:
        asked.append(password)
        return verify_password(password, stored)

    monkeypatch.setattr(module, "verify_password", counting)
    return asked


@pytest.fixture(scope="module")
def users() -> dict[str, str]:
    return {"alice": hash_password("right"), "bob": hash_password("other")}


def test_hashes_of_other_programs_are_verified() -> None:
    for stored, password in LIBXCRYPT.items():
        assert verify_password(password, stored)
        assert not verify_password(f" {password}", stored)


def test_our_own_hashes_are_verified() -> None:
    for password in ("", "x", "pässwörd", "\0", "long" * 30):
        assert verify_password(password, hash_password(password))


async def test_a_password_is_hashed_once_and_then_remembered(users: dict[str, str], counted: list[str]) -> None:
    checked = PasswordChecker(users)
    assert checked.remembered("alice", "right") is None
    for _ in range(3):
        assert await checked.check("alice", "right")
        assert not await checked.check("alice", "wrong")
        assert not await checked.check("bob", "right")
    assert checked.remembered("alice", "right") is True
    assert checked.remembered("alice", "wrong") is False
    assert sorted(counted) == ["right", "right", "wrong"]


async def test_an_unknown_user_costs_as_much_as_a_wrong_password(users: dict[str, str], counted: list[str]) -> None:
    checked = PasswordChecker(users)
    assert not await checked.check("mallory", "right")
    assert counted == ["right"]
    assert checked._dummy_hash()[:7] == users["alice"][:7]
    assert not verify_password("", checked._dummy_hash())


async def test_a_changed_hash_invalidates_remembered_results(users: dict[str, str]) -> None:
    checked = PasswordChecker(users)
    assert await checked.check("alice", "right")
    checked.users = {"alice": hash_password("new")}
    assert checked.remembered("alice", "right") is None
    assert not await checked.check("alice", "right")
    assert await checked.check("alice", "new")
    checked.users = {}
    assert not await checked.check("alice", "new")


async def test_simultaneous_requests_run_bcrypt_once(users: dict[str, str], counted: list[str]) -> None:
    checked = PasswordChecker(users)
    assert all(await asyncio.gather(*(checked.check("alice", "right") for _ in range(10))))
    assert counted == ["right"]


async def test_guesses_queue_up_to_a_limit_and_remembered_passwords_do_not_queue(
    users: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = PasswordChecker(users)
    assert await checked.check("alice", "right")
    gate = threading.Event()
    monkeypatch.setattr(module, "verify_password", lambda *_: gate.wait(30))
    guesses = [asyncio.create_task(checked.check("alice", f"guess {number}")) for number in range(module.MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyChecks):
        await checked.check("alice", "one too many")
    assert checked.remembered("alice", "right") is True
    gate.set()
    await asyncio.gather(*guesses)
    assert checked._waiting == 0


async def test_guesses_at_the_same_time_are_limited_as_those_one_by_one(
    users: dict[str, str], counted: list[str]
) -> None:
    checked, wrong = PasswordChecker(users), list[bool]()

    async def guess(number: int) -> bool:
        return await checked.check(
            "alice", f"guess {number}", may_check=lambda: len(wrong) < 3, on_wrong=lambda: wrong.append(True)
        )

    results = await asyncio.gather(*map(guess, range(8)), return_exceptions=True)
    assert results[:3] == [False] * 3
    assert all(isinstance(one, TooManyChecks) for one in results[3:])
    assert len(counted) == 3


async def test_guesses_do_not_evict_right_passwords(users: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    checked = PasswordChecker(users)
    assert await checked.check("alice", "right")
    monkeypatch.setattr(module, "verify_password", lambda *_: False)
    for number in range(module._REMEMBERED + 1):
        await checked.check("alice", str(number))
    assert checked.remembered("alice", "right") is True


def test_no_password_is_kept_in_memory(users: dict[str, str]) -> None:
    checked = PasswordChecker(users)
    asyncio.run(checked.check("alice", "right"))
    assert all(b"right" not in key for key in checked._right)
