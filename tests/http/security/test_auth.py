"""Which access levels need credentials, and which credentials are accepted."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from typing import Any

import pytest

from promsnmp.http.route_policy import AccessLevel
from promsnmp.http.security.auth import (
    ANONYMOUS,
    CERTIFICATE,
    AccessControl,
    BasicAuthenticator,
    CertificateAuthenticator,
    FailedLogins,
    Refusal,
    TokenAuthenticator,
    WrongCredentials,
)
from promsnmp.http.security.login_limit import MAX_FAILURES, MAX_REFUSED
from promsnmp.http.security.origin import Hosts
from promsnmp.http.security.passwords import PasswordChecker, TooManyChecks, hash_password

TOKEN, PASSWORD = "token-of-32-characters-0123456789", "pass:wörd"
USERS = {"alice": hash_password(PASSWORD)}


def asked(method: str = "POST", path: str = "/promsnmp/inventory", *, client: str = "192.0.2.9", **headers: str) -> Any:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "client": (client, 1), "headers": pairs}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def access(
    *, token: str = "", users: dict[str, str] | None = None, certificate: bool = False, **options: Any
) -> AccessControl:
    return AccessControl(
        [
            TokenAuthenticator(token),
            BasicAuthenticator(PasswordChecker(users)),
            CertificateAuthenticator(lambda: certificate),
        ],
        **options,
    )


# ---------------------------------------------------------------------------------------------------- nobody is known


async def test_without_credentials_management_answers_this_machine_only() -> None:
    assert await access().authorize(asked(client="127.0.0.1")) == ANONYMOUS
    refused = await access().authorize(asked())
    assert isinstance(refused, Refusal)
    assert refused.status == 403
    for setting in ("API_TOKEN", "WEB_CONFIG_FILE", "API_ALLOW_ANONYMOUS"):
        assert setting in refused.text


@pytest.mark.parametrize("level", [AccessLevel.HEALTH, AccessLevel.OPEN, AccessLevel.DETAILS])
async def test_without_credentials_everything_but_management_is_open(level: AccessLevel) -> None:
    assert await access().authorize(asked("GET"), level) == ANONYMOUS


async def test_allow_anonymous_lets_every_caller_manage() -> None:
    assert await access(allow_anonymous=True).authorize(asked()) == ANONYMOUS


async def test_credentials_are_ignored_where_none_are_configured() -> None:
    assert await access().authorize(asked(client="127.0.0.1", **bearer("x"))) == ANONYMOUS
    assert isinstance(await access().authorize(asked(**basic("alice", PASSWORD))), Refusal)


async def test_a_header_does_not_make_a_request_local() -> None:
    for header in ("x_forwarded_for", "forwarded", "x_real_ip", "client_ip", "host"):
        assert isinstance(await access().authorize(asked(**{header: "127.0.0.1"})), Refusal)


async def test_protected_scrapes_answer_this_machine_and_health_stays_open() -> None:
    closed = access(protect_scrapes=True)
    for level in (AccessLevel.OPEN, AccessLevel.DETAILS):
        assert isinstance(await closed.authorize(asked("GET"), level), Refusal)
        assert await closed.authorize(asked("GET", client="::1"), level) == ANONYMOUS
    assert await closed.authorize(asked("GET"), AccessLevel.HEALTH) == ANONYMOUS


# -------------------------------------------------------------------------------------------------------- credentials


async def test_each_kind_of_credentials_names_its_caller() -> None:
    known = access(token=TOKEN, users=USERS)
    assert await known.authorize(asked(**bearer(TOKEN))) == "token"
    assert await known.authorize(asked(**basic("alice", PASSWORD))) == "basic:alice"
    assert await known.authorize(asked(authorization=f"bearer   {TOKEN}")) == "token"
    mutual = access(certificate=True)
    assert await mutual.authorize({**asked(), CERTIFICATE: "ops"}) == "cert:ops"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer(TOKEN[:-1]),
        bearer(TOKEN + "x"),
        bearer(TOKEN.upper()),
        bearer("\xff"),
        basic("alice", ""),
        basic("alice", "wrong"),
        basic("", PASSWORD),
        basic("Alice", PASSWORD),
        basic("alice", TOKEN),
        {"authorization": "Basic"},
        {"authorization": "Basic ====="},
        {"authorization": "Basic /////w=="},
        {"authorization": f"Digest {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": f"Bearer {TOKEN},Bearer {TOKEN}"},
    ],
)
async def test_configured_credentials_are_needed_on_loopback_too(headers: dict[str, str]) -> None:
    known = access(token=TOKEN, users=USERS, allow_anonymous=True)
    refused = await known.authorize(asked(client="127.0.0.1", **headers))
    assert isinstance(refused, Refusal)
    assert refused.status == 401
    challenges = [value for name, value in refused.headers if name == "www-authenticate"]
    assert [one.split()[0] for one in challenges] == ["Bearer", "Basic"]
    assert TOKEN not in refused.text
    assert PASSWORD not in refused.text


async def test_details_need_credentials_and_scrapes_do_not() -> None:
    known = access(token=TOKEN)
    assert isinstance(await known.authorize(asked("GET"), AccessLevel.DETAILS), Refusal)
    assert await known.authorize(asked("GET", **bearer(TOKEN)), AccessLevel.DETAILS) == "token"
    for level in (AccessLevel.OPEN, AccessLevel.HEALTH):
        assert await known.authorize(asked("GET"), level) == ANONYMOUS
        assert await known.authorize(asked("GET", **bearer("wrong")), level) == ANONYMOUS


async def test_protected_scrapes_need_credentials() -> None:
    known = access(users=USERS, protect_scrapes=True)
    assert isinstance(await known.authorize(asked("GET", client="127.0.0.1"), AccessLevel.OPEN), Refusal)
    assert await known.authorize(asked("GET", **basic("alice", PASSWORD)), AccessLevel.OPEN) == "basic:alice"
    assert await known.authorize(asked("GET"), AccessLevel.HEALTH) == ANONYMOUS


async def test_a_missing_certificate_is_403_where_there_are_no_other_credentials() -> None:
    refused = await access(certificate=True).authorize(asked(client="127.0.0.1"))
    assert isinstance(refused, Refusal)
    assert refused.status == 403  # there is no challenge for it, and a 401 must have one
    assert "client certificate" in refused.text


async def test_a_certificate_does_not_count_beside_other_credentials() -> None:
    refused = await access(users=USERS).authorize({**asked(), CERTIFICATE: "prometheus"})
    assert isinstance(refused, Refusal)
    assert refused.status == 401


class Sealed:
    """A further kind of credentials, as replicas have; no caller is challenged for it."""

    configured = False
    challenge = ""

    async def principal(self, scope: Any, headers: Any) -> str | None:
        seal = headers.get("x-seal")
        if seal not in (None, "right"):
            raise WrongCredentials("a replica")
        return "replica:a" if seal else None


async def test_a_further_authenticator_is_used_without_a_challenge_of_its_own() -> None:
    plain = AccessControl([Sealed(), TokenAuthenticator("")])
    assert await plain.authorize(asked(x_seal="right")) == "replica:a"
    assert await plain.authorize(asked(client="127.0.0.1")) == ANONYMOUS
    assert not plain.configured
    forged = await plain.authorize(asked(client="127.0.0.1", x_seal="forged"))
    assert isinstance(forged, Refusal)
    assert (forged.status, forged.text) == (403, "wrong credentials")
    known = AccessControl([Sealed(), TokenAuthenticator(TOKEN)])
    assert await known.authorize(asked(x_seal="right")) == "replica:a"
    assert isinstance(await known.authorize(asked()), Refusal)


async def test_users_may_come_and_go() -> None:
    passwords = PasswordChecker()
    gate = AccessControl([BasicAuthenticator(passwords)])
    assert isinstance(await gate.authorize(asked(**basic("alice", PASSWORD))), Refusal)
    passwords.users = USERS
    assert await gate.authorize(asked(**basic("alice", PASSWORD))) == "basic:alice"
    passwords.users = {}
    assert isinstance(await gate.authorize(asked(**basic("alice", PASSWORD))), Refusal)


async def test_the_limit_of_guesses_does_not_show_which_one_is_right() -> None:
    control = access(users={"alice": hash_password("right")})
    assert await control.authorize(asked(client="192.0.2.1", **basic("alice", "right"))) == "basic:alice"
    for number in range(MAX_FAILURES):
        refused = await control.authorize(asked(client="192.0.2.7", **basic("alice", f"guess {number}")))
        assert isinstance(refused, Refusal)
        assert refused.status == 401
    for guess in ("another guess", "right"):
        refused = await control.authorize(asked(client="192.0.2.7", **basic("alice", guess)))
        assert isinstance(refused, Refusal)
        assert refused.status == 429
    assert await control.authorize(asked(client="192.0.2.1", **basic("alice", "right"))) == "basic:alice"


async def test_who_was_right_before_stays_in_beside_a_few_guesses_from_the_same_network() -> None:
    control = access(users={"alice": hash_password("right")})
    right = asked(client="192.0.2.1", **basic("alice", "right"))
    assert await control.authorize(right) == "basic:alice"
    for number in range(MAX_FAILURES + 1):
        await control.authorize(asked(client="192.0.2.1", **basic("alice", f"guess {number}")))
    assert await control.authorize(right) == "basic:alice"
    for number in range(MAX_REFUSED):
        refused = await control.authorize(asked(client="192.0.2.1", **basic("alice", f"more {number}")))
        assert isinstance(refused, Refusal)
        assert refused.status == 429
    refused = await control.authorize(right)
    assert isinstance(refused, Refusal)
    assert refused.status == 429


async def test_too_many_logins_at_once_get_429_with_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: object, **__: object) -> bool:
        raise TooManyChecks

    monkeypatch.setattr(PasswordChecker, "check", busy)
    refused = await access(users=USERS).authorize(asked(**basic("alice", "unknown yet")))
    assert isinstance(refused, Refusal)
    assert refused.status == 429
    assert ("retry-after", "1") in refused.headers


# ------------------------------------------------------------------------------------------------------------ browsers


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example.com"}, {"sec_fetch_site": "cross-site"}, {"origin": "null"}]
)
async def test_a_page_of_another_site_cannot_manage(headers: dict[str, str]) -> None:
    for asking in (
        asked(client="127.0.0.1", host="localhost", **headers),
        asked("GET", client="::1", **headers),
    ):
        refused = await access().authorize(asking)
        assert isinstance(refused, Refusal)
        assert refused.status == 403
        assert "browser" in refused.text
    known = access(users=USERS)
    assert isinstance(await known.authorize(asked(**basic("alice", PASSWORD), **headers)), Refusal)


async def test_a_page_whose_name_resolves_to_loopback_cannot_manage() -> None:
    host = "evil.example.com:8080"
    same = {"host": host, "origin": f"http://{host}", "sec_fetch_site": "same-origin"}
    assert isinstance(await access().authorize(asked(client="127.0.0.1", **same)), Refusal)


@pytest.mark.parametrize("allow_anonymous", [False, True])
async def test_a_page_whose_name_resolves_to_the_service_sees_no_details(allow_anonymous: bool) -> None:
    """DNS rebinding: for the browser, the page and the service are of one site, and a GET has no Origin."""
    control = access(allow_anonymous=allow_anonymous)
    for client in ("127.0.0.1", "192.0.2.7"):
        refused = await control.authorize(asked("GET", client=client, host="evil.example.com"), AccessLevel.DETAILS)
        assert isinstance(refused, Refusal)
        assert (refused.status, "API_ALLOWED_HOSTS" in refused.text) == (403, True)
        for level in (AccessLevel.OPEN, AccessLevel.HEALTH):
            assert await control.authorize(asked("GET", client=client, host="evil.example.com"), level) == ANONYMOUS
        seen = await control.authorize(asked("GET", client=client, host="192.0.2.1:8080"), AccessLevel.DETAILS)
        assert seen == ANONYMOUS
    assert isinstance(await control.authorize(asked(client="127.0.0.1", host="evil.example.com")), Refusal)


async def test_details_are_shown_under_an_allowed_name_and_with_credentials_under_any() -> None:
    asking = asked("GET", host="promsnmp.example.com")
    allowed = access(hosts=Hosts(["promsnmp.example.com"]))
    assert await allowed.authorize(asking, AccessLevel.DETAILS) == ANONYMOUS
    known = access(token=TOKEN)
    asking = asked("GET", host="promsnmp.example.com", **bearer(TOKEN))
    assert await known.authorize(asking, AccessLevel.DETAILS) == "token"


async def test_health_has_details_under_known_names_and_with_credentials_under_any() -> None:
    foreign, known = asked("GET", client="127.0.0.1", host="evil.example.com"), asked("GET", host="192.0.2.1")
    for control in (access(), access(allow_anonymous=True), access(token=TOKEN)):
        assert not await control.shows_details(foreign)
        assert await control.shows_details(known)
    assert await access(token=TOKEN).shows_details(asked("GET", host="evil.example.com", **bearer(TOKEN)))


async def test_our_own_page_can_manage() -> None:
    own = {"host": "localhost:8080", "origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}
    assert await access().authorize(asked(client="127.0.0.1", **own)) == ANONYMOUS
    assert await access(users=USERS).authorize(asked(**own, **basic("alice", PASSWORD))) == "basic:alice"


# ------------------------------------------------------------------------------------------------------- failed logins


@pytest.fixture
def clock() -> Callable[..., float]:
    now = [0.0]

    def tell(forward: float = 0.0) -> float:
        now[0] += forward
        return now[0]

    return tell


async def test_failed_logins_are_logged_with_name_and_address_and_without_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = access(token=TOKEN, users=USERS)
    await known.authorize(asked(**basic("ali\nce", "hush-hush")))
    await known.authorize(asked(client="192.0.2.10", **bearer("hush-hush")))
    assert [record.getMessage() for record in caplog.records] == [
        "failed login from 192.0.2.9: wrong user or password, user 'ali\\nce'",
        "failed login from 192.0.2.10: wrong token",
    ]
    assert known.failures.total == 2


def test_many_failed_logins_are_few_lines(clock: Callable[..., float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    failures = FailedLogins(clock)
    for _ in range(1234):
        failures.failed("192.0.2.9", "'alice'")
        clock(1.0)
    assert failures.total == 1234
    assert [record.getMessage().partition("' ")[2] for record in caplog.records[1:]] == [
        f"({number} times)" for number in (10, 100, 1000)
    ]
    clock(FailedLogins.QUIET + 1)
    failures.failed("192.0.2.9", "'alice'")
    assert len(caplog.records) == 5
