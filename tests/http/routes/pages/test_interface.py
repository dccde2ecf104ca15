"""The pages over HTTP: who gets them, which answer for whom at `/`, their headers, the switch that turns them off."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

import httpx
import pytest

TOKEN = "a-token-for-tests"
PATHS = ("/devices", "/replicas", "/modules", "/traps")
Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


async def test_browsers_get_the_overview_and_programs_the_start_page(opened: Opened) -> None:
    async with opened() as client:
        overview = await client.get("/")
        assert "<title>Overview" in overview.text
        assert "Accept" in overview.headers["vary"]
        for accept in ("*/*", "", "application/json", "text/html;q=0"):
            start = await client.get("/", headers={"accept": accept})
            assert "Scrape a device" in start.text, accept
            assert start.status_code == 200


async def test_pages_forbid_what_they_do_not_need(opened: Opened) -> None:
    async with opened() as client:
        for path in ("/", *PATHS, "/devices/none", "/web/web.css", "/web/htmx.min.js", "/web/icon.svg"):
            answer = await client.get(path)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), path
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == ("no-store" if not path.startswith("/web/") else "max-age=3600")
        assert (await client.get("/devices/none")).status_code == 404
        assert (await client.get("/web/none.js")).status_code == 404
        assert (await client.get("/web/..%2finterface.py")).status_code == 404


async def test_a_fragment_is_asked_for_by_a_header(opened: Opened) -> None:
    async with opened() as client:
        for path, content in (("/", "Worst first"), ("/devices", "no device")):
            answer = await client.get(path, headers={"hx-request": "true", "accept": "*/*"})
            assert "<html" not in answer.text
            assert content in answer.text
            assert "HX-Request" in answer.headers["vary"]
    async with opened(api_token=TOKEN) as client:
        assert (await client.get("/", headers={"hx-request": "true"})).status_code == 401


async def test_pages_change_nothing(opened: Opened) -> None:
    async with opened(api_allow_anonymous=True) as client:
        for path in ("/", *PATHS, "/devices/one"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                assert (await client.request(method, path)).status_code == 405, (method, path)


async def test_with_credentials_pages_need_a_login(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        for path in ("/", *PATHS, "/devices/one"):
            refused = await client.get(path)
            assert refused.status_code == 303
            assert refused.headers["location"].endswith(f"login?next={quote(path, safe='')}")
            assert (await client.get(path, headers={"accept": "*/*"})).status_code == (200 if path == "/" else 401)
        signed = {"authorization": f"Bearer {TOKEN}"}
        assert "<title>Overview" in (await client.get("/", headers=signed)).text
        assert [(await client.get(path, headers=signed)).status_code for path in PATHS] == [200] * len(PATHS)
        wrong = await client.get("/", headers={"authorization": "Bearer wrong"})
        assert wrong.status_code == 303


async def test_reading_may_be_open_to_everybody(opened: Opened) -> None:
    async with opened(api_token=TOKEN, web_read_anonymous=True) as client:
        assert "<title>Overview" in (await client.get("/")).text
        assert [(await client.get(path)).status_code for path in PATHS] == [200] * len(PATHS)
        assert (await client.get("/promsnmp/devices")).status_code == 401
        assert (await client.post("/-/reload")).status_code == 401


async def test_protected_scrapes_close_the_pages_too(opened: Opened) -> None:
    async with opened(api_token=TOKEN, web_read_anonymous=True, api_protect_scrapes=True) as client:
        assert [(await client.get(path)).status_code for path in ("/", *PATHS)] == [303] * (len(PATHS) + 1)
        assert [(await client.get(path)).status_code for path in ("/login", "/web/web.css")] == [200, 200]


@pytest.mark.parametrize("settings", [{}, {"api_token": TOKEN, "web_read_anonymous": True}])
async def test_a_name_that_a_web_page_may_have_gets_no_page_without_credentials(
    opened: Opened, settings: dict[str, object]
) -> None:
    async with opened("rebound.example.com", **settings) as client:
        assert "Scrape a device" in (await client.get("/")).text
        assert [(await client.get(path)).status_code for path in PATHS] == [403] * len(PATHS)


async def test_the_pages_can_be_turned_off(opened: Opened) -> None:
    async with opened(web_ui=False) as client:
        start = await client.get("/")
        assert "Scrape a device" in start.text
        assert 'href="devices"' not in start.text
        assert [(await client.get(path)).status_code for path in (*PATHS, "/web/web.css")] == [404] * (len(PATHS) + 1)


async def test_programs_may_give_the_token_as_a_password(opened: Opened) -> None:
    async with opened(api_token=TOKEN) as client:
        assert (await client.get("/devices", auth=("anybody", TOKEN))).status_code == 200
        program = {"accept": "*/*"}
        assert (await client.get("/devices", auth=(TOKEN, "wrong"), headers=program)).status_code == 401
        broken = await client.get("/devices", headers={"authorization": "Basic !", **program})
        assert broken.headers["www-authenticate"].split()[0] == "Bearer"
        foreign = {"origin": "https://example.com", "sec-fetch-site": "cross-site"}
        assert (await client.post("/-/reload", auth=("anybody", TOKEN), headers=foreign)).status_code == 403
