"""A Redis for replicas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster.redis_server import RedisServer


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server
