"""Fleets of three replicas with elections in Redis, or in a Lease of a small API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from promsnmp.cluster.election.rules import Timing
from tests.support.cluster.api_server import ApiServer
from tests.support.cluster.redis_server import RedisServer
from tests.support.failures.faults.redis_faults import FailingRedis
from tests.support.failures.fleet.harness import SHORT_TIMING, Fleet

NAMES = ("pod-0", "pod-1", "pod-2")


@contextmanager
def replicas_with_redis(
    folder: Path, timing: Timing = SHORT_TIMING, *, interval: float = 1.0
) -> Iterator[tuple[Fleet, FailingRedis]]:
    """Three replicas with their devices, and elections in a real Redis."""
    with FailingRedis(folder) as redis, Fleet(folder, redis.env, timing, interval) as fleet:
        _begin(fleet)
        yield fleet, redis


@contextmanager
def replicas_with_lease(folder: Path, timing: Timing = SHORT_TIMING) -> Iterator[tuple[Fleet, ApiServer]]:
    """Three replicas with elections in a Lease. They find each other through Redis: DNS could not distinguish them,
    because all share one loopback address."""
    account = folder / "account"
    account.mkdir()
    with ApiServer(account) as server, RedisServer(folder) as redis:
        settings = {
            "ELECTION_BACKEND": "kubernetes",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "SHUTDOWN_DELAY": "0",
            "KUBERNETES_SERVICE_PORT": str(server.port),
            "KUBERNETES_SERVICE_ACCOUNT": str(account),
        }
        with Fleet(folder, {**redis.env, **settings}, timing) as fleet:
            _begin(fleet)
            yield fleet, server


@contextmanager
def replicas_with_file(
    folder: Path,
    file: Path,
    *,
    prefix: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    timing: Timing = SHORT_TIMING,
) -> Iterator[Fleet]:
    """Three replicas that run under ``prefix``, with elections in Redis and the inventory in ``file``; ``env`` has more
    settings."""
    settings = {**(env or {}), "PROM_INV_FILE": str(file)}
    with RedisServer(folder) as redis, Fleet(folder, {**redis.env, **settings}, timing) as fleet:
        _begin(fleet, prefix)
        yield fleet


def _begin(fleet: Fleet, prefix: Sequence[str] = ()) -> None:
    fleet.start(*NAMES, prefix=prefix)
    fleet.settle()
    fleet.add_devices()
