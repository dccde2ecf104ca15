"""Creates the coordinators from the settings: the lease store, the sources of members, this replica's address."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from promsnmp.cluster.clients.kube_api import KubeApi, KubeApiAddress
from promsnmp.cluster.clients.redis_client import RedisClient
from promsnmp.cluster.clients.redis_url import RedisAddress, address_toward, parse_redis_address
from promsnmp.cluster.election.backend import LeaseStore
from promsnmp.cluster.election.backend_kubernetes import KubernetesLeaseStore
from promsnmp.cluster.election.backend_redis import RedisLeaseStore
from promsnmp.cluster.members.dns import ServiceDns
from promsnmp.settings import Settings

log = logging.getLogger(__name__)

REDIS_READ_INTERVAL, LEASE_READ_INTERVAL = 1.0, 2.0
"""Seconds between two reads of the lease; client-go reads a Lease every 2 s."""
EVERY_ADDRESS = ("", "0.0.0.0", "::", "*")  # noqa: S104  # compared, not listened on
PLACEHOLDER_WARNING = (
    "the password of Redis is one that everybody knows, so whoever reaches Redis can stop elections; set another "
    "REDIS_PASSWORD in Redis and here (docs/how-to/operations.md, Key rotation)"
)


@dataclass(slots=True)
class Coordinators:
    """The coordinators of this replica."""

    address: str
    """The address at which the other replicas reach this one."""
    lease_store: LeaseStore | None = None
    """None: no elections."""
    read_interval: float = REDIS_READ_INTERVAL
    redis: RedisClient | None = None
    dns: ServiceDns | None = None
    api: KubeApi | None = None

    async def close(self) -> None:
        if self.redis is not None:
            await self.redis.close()
        if self.api is not None:
            self.api.close()


def open_coordinators(settings: Settings, port: int) -> Coordinators:
    """The coordinators of the settings; makes no request yet. Raises SettingsError."""
    redis_address = _redis_address(settings)
    coordinators = Coordinators(settings.pod_ip or _own_address(settings, redis_address))
    if settings.backend == "none":
        if settings.cluster_service:
            log.warning("CLUSTER_SERVICE has no effect without an election (ELECTION_BACKEND=none)")
        return coordinators
    if redis_address is not None:
        if redis_address.has_known_password:
            log.warning("%s", PLACEHOLDER_WARNING)
        coordinators.redis = RedisClient(redis_address)
    if settings.cluster_service:
        coordinators.dns = ServiceDns(settings.cluster_service, port)
    if settings.backend == "kubernetes":
        host = settings.kubernetes_service_host
        name = f"[{host}]" if ":" in host else host
        kube_address = KubeApiAddress(f"{name}:{settings.kubernetes_service_port}", settings.kubernetes_service_account)
        coordinators.api, coordinators.read_interval = KubeApi(kube_address), LEASE_READ_INTERVAL
        coordinators.lease_store = KubernetesLeaseStore(
            coordinators.api, settings.pod_namespace or kube_address.namespace()
        )
    elif settings.backend == "redis" and coordinators.redis is not None:
        coordinators.lease_store = RedisLeaseStore(coordinators.redis, prefix=settings.redis_key_prefix)
    return coordinators


def _redis_address(settings: Settings) -> RedisAddress | None:
    if not settings.has_redis:
        return None
    url, password = settings.redis_url, settings.redis_password
    return parse_redis_address(
        url.get_secret_value() if url else "",
        host=settings.redis_host,
        port=settings.redis_port,
        password=password.get_secret_value() if password else "",
    )


def _own_address(settings: Settings, redis_address: RedisAddress | None) -> str:
    """The address at which others reach this replica, as far as this can be guessed."""
    if settings.server_address not in EVERY_ADDRESS:
        return settings.server_address.strip("[]")
    if settings.backend == "none" or redis_address is None:
        return settings.pod_name
    return address_toward(redis_address) or settings.pod_name
