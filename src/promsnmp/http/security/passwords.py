"""Checks the passwords of basic auth against their bcrypt hashes, without running bcrypt at every request.

bcrypt is slow on purpose. So one check at a time runs in a thread, its result is remembered, and checks beyond a limit
are refused: guessing must not take the processor from others. An unknown user costs as much as a wrong password, so
that the time does not reveal which users exist (as in exporter-toolkit). A keyed hash is remembered, never a password.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping

import bcrypt
from cachetools import LRUCache

from promsnmp.http.security.login_limit import WINDOW

COST = 10
"""bcrypt cost of the hashes that are made here, and of the check for an unknown user when there are no users."""
MAX_PASSWORD_BYTES = 72
"""Octets of a password that bcrypt uses; other programs that make such files ignore the rest."""
MAX_WAITING = 16
"""Number of checks that may wait."""
_REMEMBERED = 256


class TooManyChecks(Exception):
    """Too many passwords are being checked already, or were wrong; ``wait``: seconds."""

    def __init__(self, wait: float = 1.0) -> None:
        super().__init__(
            "too many logins at once; retry later" if wait <= 1 else f"too many failed logins; retry in {wait:.0f} s"
        )
        self.wait = wait


class PasswordChecker:
    """Checks names and passwords; ``users`` (bcrypt hashes by name) may be replaced at any time."""

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self.users = dict(users or {})
        self._key = secrets.token_bytes(32)
        self._right: LRUCache[bytes, bool] = LRUCache(_REMEMBERED)
        self._wrong: LRUCache[bytes, bool] = LRUCache(_REMEMBERED)  # separate: guesses must not evict right ones
        self._lock = asyncio.Lock()
        self._waiting = 0

    def remembered(self, name: str, password: str) -> bool | None:
        """The result of an earlier check; None when there was none."""
        digest = self._digest(name, password)
        return True if digest in self._right else False if digest in self._wrong else None

    async def check(
        self,
        name: str,
        password: str,
        *,
        may_check: Callable[[], bool] = lambda: True,
        on_wrong: Callable[[], None] = lambda: None,
    ) -> bool:
        """Whether ``password`` is that of ``name``. Raises TooManyChecks.

        ``may_check`` is asked when it is the turn of this check, and ``on_wrong`` called before the next one: guesses
        that were sent at the same time are limited as those that were sent one by one.
        """
        if self._waiting >= MAX_WAITING:
            raise TooManyChecks
        self._waiting += 1
        try:
            async with self._lock:
                if (
                    found := self.remembered(name, password)
                ) is not None:  # an earlier request had the same credentials
                    return found
                if not may_check():
                    raise TooManyChecks(WINDOW)
                digest, stored = self._digest(name, password), self.users.get(name)
                matches = await asyncio.to_thread(verify_password, password, stored or self._dummy_hash())
                right = matches and stored is not None
                (self._right if right else self._wrong)[digest] = True
                if not right:
                    on_wrong()
                return right
        finally:
            self._waiting -= 1

    def _digest(self, name: str, password: str) -> bytes:
        """A keyed hash of the name, its present bcrypt hash, and the password."""
        pieces = (name.encode(), self.users.get(name, "").encode(), _octets(password))
        return hmac.digest(self._key, b"".join(b"%d:%b" % (len(one), one) for one in pieces), hashlib.sha256)

    def _dummy_hash(self) -> str:
        """A hash that costs as much as those of the users, and that no known password matches."""
        one = next(iter(self.users.values()), f"$2b${COST:02}$")
        return one[:7] + "." * 21 + "O" + secrets.token_hex(16)[:31]


def verify_password(password: str, stored: str) -> bool:
    """Whether ``password`` matches the bcrypt hash ``stored``; takes as long as its cost says."""
    try:
        return bcrypt.checkpw(_octets(password), stored.encode())
    except ValueError:
        return False


def hash_password(password: str) -> str:
    """A bcrypt hash of ``password`` for a web configuration."""
    return bcrypt.hashpw(_octets(password), bcrypt.gensalt(COST)).decode()


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogateescape")[:MAX_PASSWORD_BYTES]
