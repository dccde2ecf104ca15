"""Several replicas: who this one is, where leaders are elected, how replicas find each other."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from promsnmp.settings.group import Group


class ReplicaSettings(Group):
    """What an operator can set for this."""

    TITLE = "Several replicas"

    pod_name: str = Field(
        default_factory=socket.gethostname,
        description="This replica's name, which no other one may have. Default: the host's name.",
    )
    pod_namespace: str = Field(
        "", description="Kubernetes namespace of the Lease. Default: that of the service account, else `default`."
    )
    pod_ip: str = Field(
        "",
        description="Address at which the other replicas reach this one. "
        "Default: `SERVER_ADDRESS`, else this machine's address on the way to Redis.",
    )
    election_backend: Literal["none", "redis", "kubernetes"] | None = Field(
        None,
        description="Where replicas elect the one that writes and searches: `redis`, `kubernetes` (a Lease) or `none` "
        "(there is one replica). Default: `redis` when `REDIS_HOST` or `REDIS_URL` is set, else `none`.",
    )
    election_lease_duration: int = Field(
        30_000, ge=1000, description="Milliseconds after which a leader that is not heard of is replaced."
    )
    election_renew_interval: int = Field(
        10_000, ge=100, description="Milliseconds between two renewals of the leader's lease; a third of it, or less."
    )
    redis_host: str = Field("", description="Host of Redis, which several replicas share.")
    redis_port: int = Field(6379, ge=1, le=65535, description="Port of Redis.")
    redis_password: SecretStr | None = Field(None, description="Password of Redis.")
    redis_url: SecretStr | None = Field(
        None,
        description="Redis as a URL, instead of host and port: `redis://[user:password@]host[:port][/db]`, `rediss://` "
        "for TLS (`?ssl_ca_certs=FILE`), `redis+sentinel://host[:port][,host...]/service[/db]` for Sentinel.",
    )
    redis_key_prefix: str = Field("", description="What the names of keys in Redis begin with, as in `site-1:leader`.")
    cluster_service: str = Field(
        "",
        description="DNS name whose addresses are those of all replicas (a headless Service), optionally with `:port`. "
        "Needed where there is no Redis, so that replicas share the work.",
    )
    cluster_member_timeout: int = Field(
        10_000, ge=500, description="Milliseconds of silence after which a replica's devices are polled by the others."
    )
    kubernetes_service_host: str = Field("", description="Address of the Kubernetes API; Kubernetes sets it in pods.")
    kubernetes_service_port: int = Field(443, ge=1, le=65535, description="Port of the Kubernetes API; likewise.")
    kubernetes_service_account: Path = Field(
        Path("/var/run/secrets/kubernetes.io/serviceaccount"),
        description="Folder with `token`, `ca.crt` and `namespace` for the Kubernetes API.",
    )

    @model_validator(mode="after")
    def _election_possible(self) -> Self:
        if self.election_renew_interval * 2 > self.election_lease_duration:
            raise ValueError("ELECTION_RENEW_INTERVAL must be at most half of ELECTION_LEASE_DURATION")
        if self.backend == "redis" and not self.has_redis:
            raise ValueError("ELECTION_BACKEND=redis needs REDIS_HOST or REDIS_URL")
        if self.backend == "kubernetes" and not self.kubernetes_service_host:
            raise ValueError("ELECTION_BACKEND=kubernetes needs KUBERNETES_SERVICE_HOST, which every pod has")
        return self

    @property
    def has_redis(self) -> bool:
        return bool(self.redis_host or self.redis_url)

    @property
    def backend(self) -> str:
        """Where leaders are elected."""
        return self.election_backend or ("redis" if self.has_redis else "none")
