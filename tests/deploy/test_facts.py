"""Names and numbers of the manifests, most of them those of the original: a change must be deliberate."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
import yaml

from tests.support.deploy.kube import CHART, EXAMPLES, documents, pick, with_operator

POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
APART = f"{POD}.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution"
FACTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "Namespace",
        "promsnmp",
        {
            "metadata.labels": {
                "app.kubernetes.io/name": "promsnmp",
                "app.kubernetes.io/component": "monitoring",
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/warn": "restricted",
            },
        },
    ),
    (
        "PersistentVolumeClaim",
        "promsnmp-inventory",
        {
            "spec.accessModes": ["ReadWriteMany"],
            "spec.storageClassName": "nfs-client",
            "spec.resources.requests.storage": "1Gi",
        },
    ),
    (
        "StatefulSet",
        "redis",
        {
            "spec.replicas": 1,
            "spec.serviceName": "redis",
            f"{CONTAINER}.image": "docker.io/valkey/valkey:8-alpine",
            f"{CONTAINER}.command": ["sh", "-c"],
            "spec.volumeClaimTemplates.0.spec.accessModes": ["ReadWriteOnce"],
            "spec.volumeClaimTemplates.0.spec.resources.requests.storage": "1Gi",
        },
    ),
    ("Service", "redis", {"spec.ports.0.port": 6379}),
    ("Service", "promsnmp", {"spec.type": "ClusterIP", "spec.ports.0.port": 8080}),
    ("Service", "promsnmp-members", {"spec.clusterIP": "None", "spec.ports.0.port": 8080}),
    ("ServiceAccount", "promsnmp", {"automountServiceAccountToken": False}),
    (
        "Role",
        "promsnmp-leader-election",
        {
            "rules": [
                {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
            ],
        },
    ),
    (
        "RoleBinding",
        "promsnmp-leader-election",
        {
            "subjects": [{"kind": "ServiceAccount", "name": "promsnmp", "namespace": "promsnmp"}],
            "roleRef.name": "promsnmp-leader-election",
        },
    ),
    (
        "Deployment",
        "promsnmp",
        {
            "spec.replicas": 3,
            "spec.strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}},
            "spec.template.metadata.annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "8080",
                "prometheus.io/path": "/actuator/prometheus",
            },
            f"{POD}.serviceAccountName": "promsnmp",
            f"{POD}.terminationGracePeriodSeconds": 60,
            f"{APART}.0.podAffinityTerm.topologyKey": "kubernetes.io/hostname",
            f"{CONTAINER}.envFrom": [
                {"configMapRef": {"name": "promsnmp-config"}},
                {"secretRef": {"name": "promsnmp-secrets"}},
            ],
            f"{CONTAINER}.env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            ],
            f"{CONTAINER}.resources": {
                "requests": {"cpu": "250m", "memory": "512Mi"},
                "limits": {"cpu": "1000m", "memory": "1Gi"},
            },
            f"{CONTAINER}.startupProbe": {
                "httpGet": {"path": "/actuator/health", "port": "http"},
                "initialDelaySeconds": 5,
                "periodSeconds": 5,
                "failureThreshold": 30,
            },
            f"{CONTAINER}.readinessProbe": {
                "httpGet": {"path": "/actuator/health/readiness", "port": "http"},
                "initialDelaySeconds": 10,
                "periodSeconds": 5,
                "failureThreshold": 3,
            },
            f"{CONTAINER}.livenessProbe": {
                "httpGet": {"path": "/actuator/health/liveness", "port": "http"},
                "initialDelaySeconds": 30,
                "periodSeconds": 10,
                "failureThreshold": 3,
            },
            f"{CONTAINER}.lifecycle.preStop.exec.command": ["sleep", "10"],
            f"{CONTAINER}.volumeMounts": [
                {"name": "inventory", "mountPath": "/app/data"},
                {"name": "tmp", "mountPath": "/tmp"},
            ],
            f"{POD}.volumes.0.persistentVolumeClaim.claimName": "promsnmp-inventory",
        },
    ),
    ("PodDisruptionBudget", "promsnmp-pdb", {"spec.minAvailable": 2}),
    (
        "HorizontalPodAutoscaler",
        "promsnmp",
        {
            "spec.minReplicas": 3,
            "spec.maxReplicas": 10,
            "spec.metrics.0.resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            "spec.metrics.1.resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}},
            "spec.behavior.scaleDown": {
                "stabilizationWindowSeconds": 300,
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
            },
            "spec.behavior.scaleUp": {
                "stabilizationWindowSeconds": 0,
                "policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}],
            },
        },
    ),
    (
        "Ingress",
        "promsnmp",
        {
            "spec.ingressClassName": "nginx",
            "spec.tls.0.secretName": "promsnmp-tls",
            "metadata.annotations": {"cert-manager.io/cluster-issuer": "letsencrypt-prod"},
        },
    ),
    (
        "ServiceMonitor",
        "promsnmp",
        {"spec.endpoints": [{"port": "http", "path": "/actuator/prometheus", "interval": "30s"}]},
    ),
    (
        "ScrapeConfig",
        "promsnmp-devices",
        {
            "spec.metricsPath": "/snmp",
            "spec.httpSDConfigs.0.url": "http://promsnmp.promsnmp.svc:8080/targets",
        },
    ),
]
EXAMPLE_FILES = {
    "backup",
    "blue-green",
    "hpa-by-work",
    "inventory-pod",
    "istio-canary",
    "storageclass-aws-efs",
    "storageclass-azure-files",
    "storageclass-nfs",
    "traps",
}
VALUES = """\
replicaCount image.repository image.tag image.pullPolicy config.siteId config.siteLabel config.tenantId
config.discoveryCron config.discoveryTimezone config.collectionInterval config.cacheExpiration config.cacheMaxEntries
secrets.encryptKey secrets.existingSecret persistence.enabled persistence.storageClass persistence.size
persistence.accessMode persistence.existingClaim redis.enabled redis.architecture redis.external election.backend
resources autoscaling.enabled autoscaling.minReplicas autoscaling.maxReplicas autoscaling.targetCPUUtilization
autoscaling.targetMemoryUtilization podDisruptionBudget serviceMonitor prometheusRule dashboards networkPolicy ingress
snmpConfig extraEnv
"""
"""Names of the chart's values, which existing values files rely on."""


def at(item: Any, path: str) -> Any:
    """The value at a path such as ``spec.ports.0.port``."""
    return reduce(lambda found, key: found[int(key) if isinstance(found, list) else key], path.split("."), item)


@pytest.mark.parametrize(("kind", "name", "facts"), FACTS, ids=lambda value: value if isinstance(value, str) else "")
def test_objects_match_those_of_the_original(kind: str, name: str, facts: dict[str, Any]) -> None:
    item = pick(with_operator(), kind, name)
    assert {path: at(item, path) for path in facts} == facts


def test_every_example_exists() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.yaml")} == EXAMPLE_FILES
    provisioners = {
        name: documents((EXAMPLES / f"storageclass-{name}.yaml").read_text())[0]["provisioner"]
        for name in ("aws-efs", "azure-files", "nfs")
    }
    assert provisioners["aws-efs"] == "efs.csi.aws.com"
    assert provisioners["azure-files"] == "file.csi.azure.com"
    assert "nfs" in provisioners["nfs"]


def test_the_chart_has_the_value_names_of_the_original() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert [path for path in VALUES.split() if at(values, path) is None] == []
