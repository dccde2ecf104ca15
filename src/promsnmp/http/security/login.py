"""Logging in by a form: checks a password or the token, and makes the session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.types import Scope

from promsnmp.http.route_policy import policy_of
from promsnmp.http.security.auth import (
    BasicAuthenticator,
    FailedLogins,
    Refusal,
    TokenAuthenticator,
    WrongCredentials,
    client_of,
    too_many_logins,
)
from promsnmp.http.security.login_limit import WINDOW, LoginLimit
from promsnmp.http.security.origin import HeaderMap
from promsnmp.http.security.passwords import TooManyChecks
from promsnmp.http.security.sessions import Session, Sessions

MAX_TEXT = 1024
"""Characters of a name, a password or the token; longer ones are wrong."""


class Login:
    """The form: ``token`` and ``basic`` check what is entered, ``sessions`` remembers who has logged in."""

    def __init__(
        self,
        token: TokenAuthenticator,
        basic: BasicAuthenticator,
        sessions: Sessions,
        failures: FailedLogins,
        limit: LoginLimit,
    ) -> None:
        self._token = token
        self._basic = basic
        self._failures = failures
        self._limit = limit
        self.sessions = sessions

    @property
    def asks_name(self) -> bool:
        """Whether people have names and passwords; without, there is the token only."""
        return self._basic.configured

    @property
    def takes_token(self) -> bool:
        return self._token.configured

    @property
    def is_possible(self) -> bool:
        """Whether there is anything to log in with."""
        return self._basic.configured or self._token.configured

    async def check(self, scope: Scope, name: str, secret: str) -> str | Refusal:
        """The principal who has logged in: by name and password, or without a name by the token."""
        try:
            if name or not self._token.configured:
                return await self._basic.check(name[:MAX_TEXT], secret[:MAX_TEXT], client_of(scope))
            return self._check_token(secret, client_of(scope))
        except WrongCredentials as error:
            self._failures.failed(client_of(scope), error.reason)
            return Refusal(
                HTTPStatus.UNAUTHORIZED, "wrong name, password or token" if self.asks_name else "wrong token"
            )
        except TooManyChecks as error:
            return too_many_logins(error)

    def _check_token(self, secret: str, client: str) -> str:
        if not self._limit.allows(client):
            raise TooManyChecks(WINDOW)
        try:
            return self._token.check(secret[:MAX_TEXT])
        except WrongCredentials:
            self._limit.note_failure(client)
            raise


class SessionAuthenticator:
    """An Authenticator (see auth.py) for the cookie of a session. Pages for people only: no program has a session.
    ``is_valid`` asks the other replicas whether the session has ended."""

    configured = False
    challenge = ""

    def __init__(self, sessions: Sessions, is_valid: Callable[[Session], Awaitable[bool]]) -> None:
        self._sessions = sessions
        self._is_valid = is_valid

    async def principal(self, scope: Scope, headers: HeaderMap) -> str | None:
        if not policy_of(scope).is_page:
            return None
        session = self._sessions.of(scope)
        return None if session is None or not await self._is_valid(session) else session.principal
