"""The coordinators that the settings name, opened: the register of elections, the sources of members, this address."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from promsnmp.cluster.backends.kube_api import KubeApi, KubePlace
from promsnmp.cluster.backends.redis_client import RedisLink
from promsnmp.cluster.backends.redis_url import RedisPlace, address_toward, parse_place
from promsnmp.cluster.election.backend_kubernetes import LeaseRegister
from promsnmp.cluster.election.backend_redis import RedisRegister
from promsnmp.cluster.election.runner import Register
from promsnmp.cluster.members.dns import ServiceDns
from promsnmp.settings import Settings

log = logging.getLogger(__name__)

LOOK_AT_REDIS, LOOK_AT_LEASE = 1.0, 2.0
"""Seconds between two looks at the register; client-go looks at a Lease every 2 s."""
EVERY_ADDRESS = ("", "0.0.0.0", "::", "*")  # noqa: S104  # compared, not listened on


@dataclass(slots=True)
class Backend:
    """The coordinators of this replica."""

    address: str
    """At which the others reach it."""
    register: Register | None = None
    """None: no elections."""
    look: float = LOOK_AT_REDIS
    link: RedisLink | None = None
    dns: ServiceDns | None = None
    api: KubeApi | None = None

    async def close(self) -> None:
        if self.link is not None:
            await self.link.close()
        if self.api is not None:
            self.api.close()


def open_backend(settings: Settings, port: int) -> Backend:
    """The coordinators that the settings name; nothing is asked yet. Raises SettingsError."""
    place = _redis_place(settings)
    made = Backend(settings.pod_ip or _own_address(settings, place))
    if settings.backend == "none":
        if settings.cluster_service:
            log.warning("CLUSTER_SERVICE has no effect without an election (ELECTION_BACKEND=none)")
        return made
    if place is not None:
        made.link = RedisLink(place)
    if settings.cluster_service:
        made.dns = ServiceDns(settings.cluster_service, port)
    if settings.backend == "kubernetes":
        host = settings.kubernetes_service_host
        name = f"[{host}]" if ":" in host else host
        kube = KubePlace(f"{name}:{settings.kubernetes_service_port}", settings.kubernetes_service_account)
        made.api, made.look = KubeApi(kube), LOOK_AT_LEASE
        made.register = LeaseRegister(made.api, settings.pod_namespace or kube.namespace())
    elif made.link is not None:
        made.register = RedisRegister(made.link, prefix=settings.redis_key_prefix)
    return made


def _redis_place(settings: Settings) -> RedisPlace | None:
    if not settings.has_redis:
        return None
    url, password = settings.redis_url, settings.redis_password
    return parse_place(
        url.get_secret_value() if url else "",
        host=settings.redis_host,
        port=settings.redis_port,
        password=password.get_secret_value() if password else "",
    )


def _own_address(settings: Settings, place: RedisPlace | None) -> str:
    """The address that others reach this replica at, as far as it can be guessed."""
    if settings.server_address not in EVERY_ADDRESS:
        return settings.server_address.strip("[]")
    if settings.backend == "none" or place is None:
        return settings.pod_name
    return address_toward(place) or settings.pod_name
