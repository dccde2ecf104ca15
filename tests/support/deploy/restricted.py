"""The Pod Security Standard "restricted" (kubernetes.io/docs/concepts/security/pod-security-standards).

The tests have no API server, so the rules of its admission are written out here. They include those of "baseline".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
SECCOMP = {"RuntimeDefault", "Localhost"}
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip


def violations(pod: Spec) -> Iterator[str]:
    """Violations of the level "restricted" by a pod (its metadata and spec)."""
    spec = pod["spec"]
    context = spec.get("securityContext", {})
    yield from (f"{key} is not allowed" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
    for volume in spec.get("volumes", []):
        for kind in sorted(set(volume) - {"name"} - VOLUMES):
            yield f"volume {volume['name']}: {kind} is not allowed"
    for sysctl in context.get("sysctls", []):
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']} is not allowed"
    if any(
        "apparmor" in key and value == "unconfined" for key, value in pod["metadata"].get("annotations", {}).items()
    ):
        yield "AppArmor is switched off"
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(key, []):
            yield from (f"{container['name']}: {text}" for text in _of_container(container, context))


def _of_container(container: Spec, pod: Spec) -> Iterator[str]:
    own = container.get("securityContext", {})
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield "is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation must be false"
    if "ALL" not in capabilities.get("drop", []):
        yield "must drop ALL capabilities"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "adds capabilities"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot must be true"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "runs as root"
    if own.get("seccompProfile", pod.get("seccompProfile", {})).get("type") not in SECCOMP:
        yield "seccompProfile must be RuntimeDefault or Localhost"
    if own.get("procMount", "Default") != "Default":
        yield "procMount is not allowed"
    yield from (f"host port {port['hostPort']}" for port in container.get("ports", []) if port.get("hostPort"))
    for hook in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(hook, {}).get("httpGet", {}).get("host"):
            yield f"{hook} names a host"


def hardening(pod: Spec) -> Iterator[str]:
    """Our own rules beyond the standard: only volumes are writable, limits, no token, one user for all."""
    spec = pod["spec"]
    if spec.get("automountServiceAccountToken") is not False:
        yield "a service account token is mounted"
    for container in spec["containers"]:
        if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{container['name']}: its root file system can be written"
        resources = container.get("resources", {})
        for part in ("requests", "limits"):
            if not {"cpu", "memory"} <= set(resources.get(part, {})):
                yield f"{container['name']}: no {part} of CPU and memory"
