"""Pages that are the same for all who look: made once, compressed for those who take it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from promsnmp.http.routes.pages.maps import map_page
from promsnmp.support.compression import decompress
from promsnmp.web.shared_pages import SharedPages


async def run(work: Any, *values: Any) -> Any:
    return work(*values)


@pytest.mark.parametrize("accepted", [b"gzip, br", b"", b"gzip;q=0"])
async def test_a_shared_page_is_made_once_and_compressed_for_those_who_accept_it(accepted: bytes) -> None:
    made: list[int] = []
    shared = SharedPages(run)

    def make() -> tuple[int, str]:
        made.append(1)
        return 200, "<p>" + "map " * 1000

    async def shared_page(name: str, **_: object) -> Any:
        return await shared.page("topology", name, make)

    services = cast("Any", SimpleNamespace(people=SimpleNamespace(shared_page=shared_page)))
    scope = {"type": "http", "method": "GET", "path": "/map", "query_string": b""}
    for _ in range(3):
        answer = await map_page(Request({**scope, "headers": [(b"accept-encoding", accepted)]}), services)
        is_compressed = answer.headers.get("content-encoding") == "gzip"
        assert is_compressed is (accepted == b"gzip, br")
        body = decompress(bytes(answer.body)) if is_compressed else bytes(answer.body)
        assert body.startswith(b"<p>map")
        assert "accept-encoding" in answer.headers["vary"].lower()
    assert len(made) == 1
    await shared.page("another topology", "map", make)
    assert len(made) == 2
