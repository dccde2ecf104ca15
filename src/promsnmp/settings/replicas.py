"""Settings of a service with several replicas: this one's name, where to elect leaders, how to find the others."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from promsnmp.settings.group import Group
from promsnmp.settings.reading.units import Milliseconds
from promsnmp.support.secret_keys import weakness


class ReplicaSettings(Group):
    """Settings of a service with several replicas."""

    TITLE = "Several replicas"
    KEY = "replicas"

    pod_name: str = Field(
        default_factory=socket.gethostname,
        description="This replica's name, unique among the replicas. Default: the host's name.",
    )
    pod_namespace: str = Field(
        "", description="Kubernetes namespace of the Lease. Default: the service account's, else `default`."
    )
    pod_ip: str = Field(
        "",
        description="Address at which the other replicas reach this one. "
        "Default: `SERVER_ADDRESS`, else the address from which this machine reaches Redis.",
    )
    election_backend: Literal["none", "redis", "kubernetes"] | None = Field(
        None,
        description="Where replicas elect the leader, which writes the inventory and runs discovery: `redis`, "
        "`kubernetes` (a Lease) or `none` (one replica). Default: `redis` when `REDIS_HOST` or `REDIS_URL` is set, "
        "else `none`.",
    )
    election_lease_duration: Milliseconds = Field(
        30_000,
        ge=1000,
        description="Milliseconds after which the replicas elect a new leader when the leader does not renew "
        "its lease.",
    )
    election_renew_interval: Milliseconds = Field(
        10_000,
        ge=100,
        description="Milliseconds between two renewals of the leader's lease; at most half of the lease.",
    )
    redis_host: str = Field("", description="Host of the Redis that the replicas share.")
    redis_port: int = Field(6379, ge=1, le=65535, description="Port of Redis.")
    redis_password: SecretStr | None = Field(None, description="Password of Redis.")
    redis_url: SecretStr | None = Field(
        None,
        description="Redis as a URL, instead of host and port: `redis://[user:password@]host[:port][/db]`, `rediss://` "
        "for TLS (`?ssl_ca_certs=FILE`), `redis+sentinel://host[:port][,host...]/service[/db]` for Sentinel.",
    )
    redis_key_prefix: str = Field("", description="Prefix of the keys in Redis, such as `site-1:` for `site-1:leader`.")
    cluster_service: str = Field(
        "",
        description="DNS name that resolves to the addresses of all replicas (a headless Service), optionally with "
        "`:port`. Without Redis, replicas need it to share the work.",
    )
    cluster_key: SecretStr | None = Field(
        None,
        description="Key by which replicas recognise each other: 128 bits or more of random text "
        "(`openssl rand -hex 32`), the same for all. Default: the key in a key file beside the inventory file, which "
        "the first replica makes with mode 0600.",
    )
    cluster_ca_file: Path | None = Field(
        None,
        description="File with the CA (PEM) of the replicas' certificates, where they serve TLS with certificates that "
        "differ or are renewed. Default: replicas trust their own certificate and the CAs in `cert_file` and "
        "`client_ca_file` of `WEB_CONFIG_FILE`.",
    )
    cluster_member_timeout: Milliseconds = Field(
        10_000,
        ge=500,
        description="Milliseconds of silence after which the other replicas take over the devices of a replica.",
    )
    kubernetes_service_host: str = Field("", description="Address of the Kubernetes API; set by Kubernetes in pods.")
    kubernetes_service_port: int = Field(
        443, ge=1, le=65535, description="Port of the Kubernetes API; set by Kubernetes in pods."
    )
    kubernetes_service_account: Path = Field(
        Path("/var/run/secrets/kubernetes.io/serviceaccount"),
        description="Folder with `token`, `ca.crt` and `namespace` for the Kubernetes API.",
    )

    @field_validator("cluster_key")
    @classmethod
    def _strong_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (problem := weakness(value.get_secret_value())):
            raise ValueError(problem)
        return value

    @model_validator(mode="after")
    def _election_possible(self) -> Self:
        if self.election_renew_interval * 2 > self.election_lease_duration:
            raise ValueError("ELECTION_RENEW_INTERVAL must be at most half of ELECTION_LEASE_DURATION")
        if self.backend == "redis" and not self.has_redis:
            raise ValueError("ELECTION_BACKEND=redis needs REDIS_HOST or REDIS_URL")
        if self.backend == "kubernetes" and not self.kubernetes_service_host:
            raise ValueError(
                "ELECTION_BACKEND=kubernetes needs KUBERNETES_SERVICE_HOST, which Kubernetes sets in every pod"
            )
        return self

    @property
    def has_redis(self) -> bool:
        return bool(self.redis_host or self.redis_url)

    @property
    def backend(self) -> str:
        """Where to elect leaders: ``none``, ``redis`` or ``kubernetes``."""
        return self.election_backend or ("redis" if self.has_redis else "none")
