"""Sessions of people who have logged in, and the tokens of the forms that they send.

A session is a signed cookie, so that every replica knows it and none has to keep it: who, until when, and a MAC that
also covers the credentials with which the person logged in. When a password or the token is replaced, its sessions end.
A session that was logged out is remembered until it would have ended, also over a restart (``logouts.py``).

A form carries a token that only a page of this service can have put there: a MAC of the session, or of a random cookie
where there is no session. So a page of another site that makes a browser send a form is refused (cross-site request
forgery; OWASP, Signed Double-Submit Cookie).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TLRUCache, TTLCache
from starlette.types import Scope

from promsnmp.http.security.logouts import Logouts, digest
from promsnmp.http.security.origin import headers_of

MAX_COOKIE = 1024
"""Characters of a session, at most."""
MAX_COOKIES = 16 * 1024
"""Characters of a Cookie header, at most."""
MAX_LOGGED_OUT = 10_000
"""Sessions that are remembered as logged out."""
MAX_BEGUN = 10_000
"""Sessions that are remembered as begun here."""
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has logged in: ``principal`` is the name that access control gives."""

    principal: str
    id: str
    expires: int
    """Unix time."""


class Sessions:
    """Makes and reads sessions of ``lifetime`` seconds. ``key`` derives a key for a purpose, the same on all replicas;
    ``credentials`` returns the present credentials of a principal, None for one that may not log in any more."""

    def __init__(
        self,
        key: Callable[[str], bytes],
        credentials: Callable[[str], bytes | None],
        *,
        lifetime: float,
        logouts: Logouts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._credentials = credentials
        self.lifetime = lifetime
        self._clock = clock
        self._logouts = logouts or Logouts(None)
        self._logged_out: TLRUCache[str, int] = TLRUCache(MAX_LOGGED_OUT, lambda _, until, __: until, clock)
        """By the digest of the session's id: until when it would have lasted."""
        self._logged_out.update(self._logouts.load())
        self._begun: TTLCache[str, bool] = TTLCache(MAX_BEGUN, lifetime)

    @property
    def cookie(self) -> str:
        """The name of the cookie: browsers send cookies to all ports of a host, so each installation has its own."""
        return f"promsnmp_session_{self._key('names of cookies')[:4].hex()}"

    @property
    def form_cookie(self) -> str:
        """The name of the random cookie of a browser without a session."""
        return f"promsnmp_form_{self._key('names of cookies')[:4].hex()}"

    def issue(self, principal: str) -> str:
        """The value of the cookie of a new session."""
        expires = int(self._clock() + self.lifetime)
        session_id = secrets.token_hex(_ID_BYTES)
        self._begun[session_id] = True
        payload = _encode(json.dumps([principal, session_id, expires]).encode())
        mac = self._mac(payload, principal)
        assert mac is not None, "only principals with credentials log in"
        return f"{payload}.{_encode(mac)}"

    def of(self, scope: Scope) -> Session | None:
        """The valid session that comes with a request; None without one."""
        return self.read(_cookies(scope).get(self.cookie, ""))

    def read(self, value: str) -> Session | None:
        """The session of a cookie's value; None unless it is valid."""
        payload, _, mac = value.partition(".")
        if not mac or len(value) > MAX_COOKIE or not value.isascii():
            return None
        try:
            principal, session_id, expires = json.loads(_decode(payload))
            given = _decode(mac)
        except (ValueError, TypeError, RecursionError):
            return None
        if not (isinstance(principal, str) and isinstance(session_id, str) and isinstance(expires, int)):
            return None
        expected = self._mac(payload, principal)
        if expected is None or not hmac.compare_digest(given, expected):
            return None
        if expires <= self._clock() or self.has_ended(session_id):
            return None
        return Session(principal, session_id, expires)

    async def end(self, session_id: str, expires: int = 0) -> None:
        """Ends a session before its time (``expires``; 0: when a new one would end), on this replica and, where the
        volume can be written, on all that start later."""
        until = max(expires, int(self._clock() + self.lifetime) + 1)
        self._logged_out[digest(session_id)] = until
        await asyncio.to_thread(self._logouts.add, session_id, until)

    def has_ended(self, session_id: str) -> bool:
        """Whether a session has ended before its time, as far as this replica knows."""
        return digest(session_id) in self._logged_out

    def has_begun(self, session_id: str) -> bool:
        """Whether this replica has begun the session."""
        return session_id in self._begun

    def form_token(self, scope: Scope, new_cookie: str = "") -> str:
        """The token for the forms of a page that answers a request; empty without a session and a cookie.
        ``new_cookie`` is the random cookie that the answer sets."""
        return self._token(self._binding(scope) or (f"cookie {new_cookie}" if new_cookie else ""))

    def has_form_cookie(self, scope: Scope) -> bool:
        """Whether the browser has what ``form_token`` needs."""
        return bool(self._binding(scope))

    def is_own_form(self, scope: Scope, token: str) -> bool:
        """Whether the token of a form was made for the browser that sends the form."""
        expected = self._token(self._binding(scope))
        return bool(expected) and hmac.compare_digest(token.encode(errors="replace"), expected.encode())

    def _binding(self, scope: Scope) -> str:
        if (session := self.of(scope)) is not None:
            return f"session {session.id}"
        cookie = _cookies(scope).get(self.form_cookie, "")
        return f"cookie {cookie}" if 16 <= len(cookie) <= 64 else ""

    def _token(self, binding: str) -> str:
        return hmac.digest(self._key("forms of pages"), binding.encode(), "sha256").hex() if binding else ""

    def _mac(self, payload: str, principal: str) -> bytes | None:
        credentials = self._credentials(principal)
        if credentials is None:
            return None
        return hmac.digest(self._key("sessions of people"), payload.encode() + b"." + credentials, "sha256")


def new_form_cookie() -> str:
    """A random cookie for a browser without a session."""
    return secrets.token_hex(_ID_BYTES)


def set_cookie(scope: Scope, name: str, value: str, max_age: float | None = None) -> str:
    """The value of Set-Cookie. Scripts do not see the cookie, and no request that another site causes carries it."""
    age = "" if max_age is None else f"; Max-Age={int(max_age)}"
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}{'; Secure' if _is_secure(scope) else ''}"


def _is_secure(scope: Scope) -> bool:
    """Whether the browser uses TLS, here or at a proxy. Who forges that header only loses the cookie."""
    proxied, _, _ = headers_of(scope).get("x-forwarded-proto", "").partition(",")  # the first proxy is the browser's
    return scope.get("scheme") == "https" or proxied.strip().lower() == "https"


def _cookies(scope: Scope) -> dict[str, str]:
    header = headers_of(scope).get("cookie", "")
    if not header or len(header) > MAX_COOKIES:
        return {}
    found: dict[str, str] = {}
    for part in header.replace(",", ";").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
