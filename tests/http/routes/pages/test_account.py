"""Logging in: the form, the session, its end, what a wrong token costs; and that only pages know sessions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from promsnmp.http.security.login_limit import MAX_FAILURES
from promsnmp.http.security.passwords import hash_password
from tests.support.web.forms import OpenForm, open_form

TOKEN = "a-token-for-tests"
Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def log_in(client: httpx.AsyncClient, path: str = "/login", **entered: str) -> httpx.Response:
    return await (await open_form(client, path)).send(**(entered or {"secret": TOKEN}))


async def test_a_token_is_asked_for_and_leads_back_to_the_page(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        asked = await client.get("/devices?state=down")
        assert asked.status_code == 303
        answer = await log_in(client, f"/{asked.headers['location']}")
        assert answer.status_code == 303
        assert answer.headers["location"] == "./devices?state=down"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Secure" not in cookie
        assert TOKEN not in cookie
        listed = await client.get("/devices?state=down")
        assert listed.status_code == 200
        assert "Poll now" in listed.text
        assert "token" in (await client.get("/login")).text


@pytest.mark.parametrize(
    "target",
    ["https://example.com/", "//example.com", "/\\example.com", "javascript:alert(1)", "/\u20ac", "/" + "x" * 3000, ""],
)
async def test_a_login_leads_to_no_other_place(opened: Opened, target: str) -> None:
    async with opened(api_token=TOKEN) as client:
        answer = await (await open_form(client, "/login")).send(secret=TOKEN, next=target)
        assert answer.headers["location"] == "./"


async def test_a_session_is_no_credential_for_the_api(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        await log_in(client)
        assert (await client.get("/devices")).status_code == 200
        for method, path in (("GET", "/promsnmp/devices"), ("POST", "/-/reload"), ("GET", "/promsnmp/evictCache")):
            assert (await client.request(method, path)).status_code == 401, path


async def test_whoever_logs_out_is_out_with_every_copy_of_the_cookie(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        await log_in(client)
        kept = dict(client.cookies)
        form = await open_form(client, "/login", "logout")
        assert (await form.send()).status_code == 303
        client.cookies = httpx.Cookies(kept)
        assert (await client.get("/devices")).status_code == 303


async def test_over_tls_the_cookie_is_for_tls_only(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        client.base_url = httpx.URL("https://promsnmp")
        assert "; Secure" in (await log_in(client)).headers["set-cookie"]


@pytest.mark.parametrize(("proxies", "is_secure"), [("https", True), ("https, http", True), ("http, https", False)])
async def test_the_proxy_that_the_browser_sees_says_whether_there_is_tls(
    opened: Opened, proxies: str, *, is_secure: bool
) -> None:
    async with opened(api_token=TOKEN) as client:
        answer = await client.get("/login", headers={"x-forwarded-proto": proxies})
        assert ("; Secure" in answer.headers["set-cookie"]) is is_secure


async def test_guessing_is_limited_and_who_is_in_stays_in(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        await log_in(client)
        session = dict(client.cookies)
        client.cookies = httpx.Cookies()
        for _ in range(MAX_FAILURES):
            wrong = await log_in(client, secret="wrong")
            assert wrong.status_code == 401
            assert "wrong token" in wrong.text
        limited = await log_in(client)
        assert limited.status_code == 429
        assert int(limited.headers["retry-after"]) > 1
        client.cookies = httpx.Cookies(session)
        assert (await client.get("/devices")).status_code == 200


async def test_users_log_in_by_name_and_a_replaced_password_ends_their_sessions(opened: Opened, tmp_path: Path) -> None:
    web = tmp_path / "web.yml"
    web.write_text(f"basic_auth_users: {{alice: '{hash_password('a password')}'}}\n")
    async with opened(web_config_file=web, api_token=TOKEN) as client:
        wrong = await log_in(client, name="alice", secret=TOKEN)
        assert wrong.status_code == 401
        assert (await log_in(client, name="alice", secret="a password")).status_code == 303
        assert "basic:alice" in (await client.get("/login")).text
        web.write_text(f"basic_auth_users: {{alice: '{hash_password('another password')}'}}\n")
        reloaded = await client.post("/-/reload", headers={"authorization": f"Bearer {TOKEN}"})
        assert reloaded.status_code == 200
        assert (await client.get("/devices")).status_code == 303
        assert (await log_in(client, name="", secret=TOKEN)).status_code == 303
        assert (await client.get("/devices")).status_code == 200


async def test_a_link_of_another_site_gets_a_page_that_asks_once_more_with_the_cookie(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        answer = await client.get('/devices?query="a&b"', headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 200
        assert 'content="0; url=./devices?query=%22a&amp;b%22"' in answer.text
        again = await client.get("/devices", headers={"sec-fetch-site": "same-origin"})
        assert again.status_code == 303


async def test_a_long_link_of_another_site_leads_to_the_login(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        answer = await client.get(f"/devices/a?query={'x' * 3000}", headers={"sec-fetch-site": "cross-site"})
        assert (answer.status_code, answer.headers["location"]) == (303, "../login?next=%2F")


async def test_an_open_page_is_led_to_the_login_and_its_browser_opens_no_dialog(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        answer = await client.get("/devices", headers={"hx-request": "true", "accept": "*/*"})
        assert answer.status_code == 401
        assert answer.headers["hx-redirect"] == "login?next=%2Fdevices"
        assert "www-authenticate" not in answer.headers


async def test_other_sites_cannot_log_anybody_in_or_out(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        form = await open_form(client, "/login")
        foreign = {"origin": "https://example.com", "sec-fetch-site": "cross-site"}
        for path in ("/login", "/logout"):
            answer = await client.post(path, data={**form.fields, "secret": TOKEN}, headers=foreign)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


async def test_a_form_of_another_session_is_refused(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        await log_in(client)
        page = await client.get("/devices")
        old = OpenForm(client, "/devices", page.text)
        await (await open_form(client, "/login", "logout")).send()
        client.cookies = httpx.Cookies()
        await log_in(client)
        answer = await old.send(action="poll")
        assert answer.status_code == 403
        assert "open it again" in answer.text


async def test_where_nobody_can_log_in_the_page_says_why(opened: Opened) -> None:
    async with opened() as client:
        page = await client.get("/login")
        assert "API_TOKEN" in page.text
        assert "Log in to change" not in (await client.get("/devices")).text
        refused = await client.get("/add-device")
        assert refused.status_code == 403
        assert "<h1>" in refused.text
        assert "API_TOKEN" in refused.text
