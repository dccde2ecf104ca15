"""Decides who may send a request: which access levels need credentials, and which credentials there are.

Each route declares its access level (``http/route_policy.py``). Management needs credentials where some are configured,
and otherwise answers this machine only. Details need credentials where some are configured, and so does reading the
pages for people, unless WEB_READ_ANONYMOUS is set. Without credentials, all three are answered only under names that no
web page can have (``origin.Hosts``). Open routes need them with API_PROTECT_SCRAPES only, health never.

Kinds of credentials are a list of ``Authenticator``. To add a kind, write one and add it to that list in
``make_access_control`` (``http/factory.py``).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from cachetools import TTLCache
from starlette.types import Scope

from promsnmp.http.route_policy import SAFE_METHODS, AccessLevel
from promsnmp.http.security.login_limit import WINDOW, LoginLimit
from promsnmp.http.security.origin import HeaderMap, Hosts, cross_site_origin, headers_of, is_local
from promsnmp.http.security.passwords import PasswordChecker, TooManyChecks

log = logging.getLogger(__name__)

ANONYMOUS = "anonymous"
TOKEN_PRINCIPAL, USER_PRINCIPAL = "token", "basic:"
"""Names of callers: that of the token, and how those of users begin."""
PRINCIPAL = "promsnmp.principal"
"""Key of an ASGI scope: the name of the caller, for the audit log."""
CERTIFICATE = "promsnmp.certificate"
"""Key of an ASGI scope: the name in the client's certificate, which the handshake verified."""


class WrongCredentials(Exception):
    """The credentials are wrong; ``reason`` says what, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Authenticator(Protocol):
    """Checks one kind of credentials."""

    @property
    def configured(self) -> bool:
        """Whether such credentials are configured, so that callers without any are refused."""

    @property
    def challenge(self) -> str:
        """For WWW-Authenticate (RFC 9110 section 11.6.1); empty for a kind without a challenge."""

    async def principal(self, scope: Scope, headers: HeaderMap) -> str | None:
        """The caller's name; None when there are no credentials of this kind. Raises WrongCredentials or
        TooManyChecks."""


BASIC = 'Basic realm="PromSNMP", charset="UTF-8"'


class TokenAuthenticator:
    """One bearer token (RFC 6750), empty for none. While ``is_password``, it is accepted as a password (RFC 7617), too,
    whatever the name: browsers can ask for nothing else."""

    challenge = 'Bearer realm="PromSNMP"'

    def __init__(self, token: str, *, is_password: Callable[[], bool] = lambda: False) -> None:
        self._token = token.encode()
        self._is_password = is_password

    @property
    def configured(self) -> bool:
        return bool(self._token)

    async def principal(self, scope: Scope, headers: HeaderMap) -> str | None:
        if not self._token:
            return None
        given = _credentials(headers, "bearer")
        if given is None and self._is_password() and (basic := _credentials(headers, "basic")) is not None:
            given = _name_and_password(basic)[1]
        return None if given is None else self.check(given)

    def check(self, given: str) -> str:
        """The caller's name, for the right token. Raises WrongCredentials."""
        if not self._token or not hmac.compare_digest(given.encode(errors="replace"), self._token):
            raise WrongCredentials("wrong token")
        return TOKEN_PRINCIPAL

    @property
    def token(self) -> bytes:
        return self._token


class BasicAuthenticator:
    """Names and passwords (RFC 7617)."""

    challenge = BASIC

    def __init__(self, passwords: PasswordChecker, limit: LoginLimit | None = None) -> None:
        self._passwords = passwords
        self._limit = limit or LoginLimit()

    @property
    def configured(self) -> bool:
        return bool(self._passwords.users)

    async def principal(self, scope: Scope, headers: HeaderMap) -> str | None:
        credentials = _credentials(headers, "basic")
        if credentials is None or not self.configured:
            return None
        return await self.check(*_name_and_password(credentials), client_of(scope))

    async def check(self, name: str, password: str, client: str) -> str:
        """The caller's name, for the right password. Raises WrongCredentials or TooManyChecks."""
        known, limit = self._passwords.remembered(name, password), self._limit
        if not limit.allows(client):
            if known is None:
                limit.note_refusal(client)
            if known is None or (known and not limit.keeps(client, name)):
                raise TooManyChecks(WINDOW)
        if known is None:
            known = await self._passwords.check(
                name,
                password,
                may_check=lambda: limit.allows(client),
                on_wrong=lambda: limit.note_failure(client),
            )
        if not known:
            raise WrongCredentials(f"wrong user or password, user {name[:64]!r}")
        limit.note_success(client, name)
        return f"{USER_PRINCIPAL}{name}"

    def hash_of(self, name: str) -> bytes | None:
        """The bcrypt hash of a user's password; None for an unknown user."""
        stored = self._passwords.users.get(name)
        return None if stored is None else stored.encode()


class CertificateAuthenticator:
    """A client's certificate, where ``is_login`` says that it counts as a login; the handshake has verified it."""

    challenge = ""

    def __init__(self, is_login: Callable[[], bool]) -> None:
        self._is_login = is_login

    @property
    def configured(self) -> bool:
        return self._is_login()

    async def principal(self, scope: Scope, headers: HeaderMap) -> str | None:
        name = scope.get(CERTIFICATE)
        return f"cert:{name}" if name and self._is_login() else None


def _credentials(headers: HeaderMap, scheme: str) -> str | None:
    """The credentials in the Authorization header; None when it has another scheme."""
    word, _, rest = headers.get("authorization", "").partition(" ")
    return rest.strip() if word.lower() == scheme else None


def _name_and_password(credentials: str) -> tuple[str, str]:
    """Those of Basic credentials. Raises WrongCredentials."""
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        raise WrongCredentials("malformed Basic credentials") from None
    name, _, password = text.partition(":")
    return name, password


@dataclass(frozen=True, slots=True)
class Refusal:
    """The response to a request that is refused."""

    status: HTTPStatus
    text: str
    headers: Sequence[tuple[str, str]] = ()


class FailedLogins:
    """Counts failed logins, and logs the first, tenth, hundredth ... of a client within ``QUIET`` seconds."""

    QUIET = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = 0
        self._by_client: TTLCache[str, int] = TTLCache(4096, self.QUIET, clock)

    def failed(self, client: str, reason: str) -> None:
        self.total += 1
        number = self._by_client[client] = self._by_client.get(client, 0) + 1
        if str(number).strip("0") == "1":
            times = f" ({number} times)" if number > 1 else ""
            log.warning("failed login from %s: %s%s", client, reason, times)


class AccessControl:
    """Decides on requests: the caller's name, or a refusal."""

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        *,
        allow_anonymous: bool = False,
        protect_scrapes: bool = False,
        read_anonymous: bool = False,
        hosts: Hosts | None = None,
        failures: FailedLogins | None = None,
    ) -> None:
        self._authenticators = list(authenticators)
        self._allow_anonymous = allow_anonymous
        self._read_anonymous = read_anonymous
        self._hosts = hosts or Hosts()
        self.protect_scrapes = protect_scrapes
        self.failures = failures or FailedLogins()

    @property
    def configured(self) -> bool:
        """Whether any credentials are configured."""
        return any(one.configured for one in self._authenticators)

    @property
    def schemes(self) -> list[str]:
        """The schemes of the Authorization header that are configured, in lower case."""
        return [one.challenge.split()[0].lower() for one in self._authenticators if one.configured and one.challenge]

    def is_restricted(self, level: AccessLevel) -> bool:
        """Whether requests of this level may be refused."""
        match level:
            case AccessLevel.HEALTH | AccessLevel.PEER | AccessLevel.LOGIN:
                return False
            case AccessLevel.OPEN:
                return self.protect_scrapes
            case AccessLevel.DETAILS:
                return self.protect_scrapes or self.configured
            case AccessLevel.READING:
                return self.protect_scrapes or (self.configured and not self._read_anonymous)
            case _:
                return True

    async def authorize(self, scope: Scope, level: AccessLevel = AccessLevel.MANAGEMENT) -> str | Refusal:
        """The name of the caller (``anonymous`` where none is needed), or why the request is refused."""
        is_login = level is AccessLevel.LOGIN and scope["method"] not in SAFE_METHODS
        if level is AccessLevel.MANAGEMENT or is_login:
            headers = headers_of(scope)
            if (page := cross_site_origin(headers)) is not None:
                return _cross_site_refusal(page, headers)
        if not self.is_restricted(level):
            return self._anonymous(scope) if level in (AccessLevel.DETAILS, AccessLevel.READING) else ANONYMOUS
        return await self.identify(scope)

    async def shows_details(self, scope: Scope) -> bool:
        """Whether the answer to a request that anybody may send may have details, such as addresses and paths: under a
        name that a page on the web may have, only with credentials."""
        if self._hosts.includes(headers_of(scope).get("host", "")):
            return True
        return not isinstance(await self.identify(scope), Refusal)

    async def identify(self, scope: Scope) -> str | Refusal:
        """The name of a caller who may change something, whatever page the request comes from; or why they may not."""
        headers = headers_of(scope)
        try:
            for one in self._authenticators:
                if (name := await one.principal(scope, headers)) is not None:
                    return name
        except WrongCredentials as error:
            self.failures.failed(client_of(scope), error.reason)
            return self._unauthorized("wrong credentials")
        except TooManyChecks as error:
            return too_many_logins(error)
        if self.configured:
            return self._unauthorized("authentication required")
        if self._allow_anonymous:
            return self._anonymous(scope)
        return ANONYMOUS if is_local(scope, headers, self._hosts) else _NOT_LOCAL

    def _anonymous(self, scope: Scope) -> str | Refusal:
        """For who needs no credentials: not under a name that a page on the web may have given to this service."""
        host = headers_of(scope).get("host", "")
        if self._hosts.includes(host):
            return ANONYMOUS
        text = f"no answer under the name {host[:100]!r} without credentials, since a web page may use such a name"
        return Refusal(HTTPStatus.FORBIDDEN, f"{text}; set API_ALLOWED_HOSTS to it, or API_TOKEN")

    def _unauthorized(self, text: str) -> Refusal:
        challenges = [one.challenge for one in self._authenticators if one.configured and one.challenge]
        if not challenges:  # and a 401 must have one
            certificate = "authentication required: present a client certificate that the service trusts"
            return Refusal(HTTPStatus.FORBIDDEN, certificate if self.configured else text)
        return Refusal(HTTPStatus.UNAUTHORIZED, text, [("www-authenticate", one) for one in challenges])


_NOT_LOCAL = Refusal(
    HTTPStatus.FORBIDDEN,
    "without credentials only programs on the same machine may do this, not through a proxy, and not under a name that "
    "a web page may have (API_ALLOWED_HOSTS): set API_TOKEN, or basic_auth_users in the file of WEB_CONFIG_FILE "
    "(--web.config.file); API_ALLOW_ANONYMOUS=true allows everybody",
)


def client_of(scope: Scope) -> str:
    """The address of a caller."""
    return str((scope.get("client") or ("?",))[0])


def too_many_logins(error: TooManyChecks) -> Refusal:
    """The refusal of a login that has to wait."""
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, str(error), [("retry-after", f"{error.wait:.0f}")])


def _cross_site_refusal(page: str, headers: Mapping[str, str]) -> Refusal:
    text = f"refused a browser request from a page of {page[:100]!r} to {headers.get('host', 'this host')[:100]!r}"
    return Refusal(HTTPStatus.FORBIDDEN, f"{text}; if a proxy is in between, it must keep the Host header")
