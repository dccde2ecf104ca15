"""The part of the map that replicas tell each other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from promsnmp.cluster.peers.signing import PeerIdentity
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.routes.pages.maps import map_part


async def test_only_replicas_get_the_part_of_the_map() -> None:
    async def file(name: str, **_: object) -> bytes:
        return name.encode()

    scope = {"type": "http", "method": "GET", "path": "/map/part.json", "headers": [], "query_string": b""}
    services = cast("Any", SimpleNamespace(people=SimpleNamespace(file=file)))
    answer = await map_part(Request({**scope, PEER: PeerIdentity("replica-2")}), services)
    assert (answer.status_code, answer.body) == (200, b"map/part.json")
    with pytest.raises(ApiError) as refused:
        await map_part(Request(scope), services)
    assert refused.value.status_code == 403
