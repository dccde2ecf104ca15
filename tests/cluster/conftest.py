"""A Redis for the tests of one module, an API server, and a lease store there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from promsnmp.cluster.clients.kube_api import KubeApi, KubeApiAddress
from promsnmp.cluster.election.backend_kubernetes import KubernetesLeaseStore
from tests.support.cluster.api_server import ApiServer
from tests.support.cluster.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """With whatever the tests before wrote into it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """Empty."""
    redis_server.cli("FLUSHALL")
    return redis_server


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
async def lease_store(api_server: ApiServer) -> AsyncIterator[KubernetesLeaseStore]:
    api = KubeApi(KubeApiAddress(api_server.address, tls=False), timeout=1.0)
    yield KubernetesLeaseStore(api, "site")
    api.close()
