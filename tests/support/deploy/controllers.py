"""The controllers of a cluster, without delay: they create ReplicaSets and ready pods, and bind claims."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass
class Objects:
    """Every object by kind, namespace and name."""

    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))


def _deployment(store: Objects, item: Object) -> None:
    """Makes a ReplicaSet for each template, with ready pods for the newest."""
    meta, spec = item["metadata"], item["spec"]
    template = json.dumps(spec["template"], sort_keys=True)
    replica_sets = [
        other
        for (kind, _, _), other in store.objects.items()
        if kind == "ReplicaSet" and owner_of(other) == meta["uid"]
    ]
    current = next((other for other in replica_sets if json.dumps(other["plain"], sort_keys=True) == template), None)
    revision = max((int(other["metadata"]["annotations"][REVISION]) for other in replica_sets), default=0)
    if current is None or int(current["metadata"]["annotations"][REVISION]) < revision:
        revision += 1
    if current is None:
        current = _replica_set(store, item)
    for other in replica_sets:
        other["spec"]["replicas"] = 0
        _pods(store, other, [])
    count = spec.setdefault("replicas", 1)
    current["spec"]["replicas"] = count
    current["metadata"]["annotations"] = {REVISION: str(revision)}
    meta.setdefault("annotations", {})[REVISION] = str(revision)
    item["status"] = {
        "observedGeneration": meta["generation"], "replicas": count, "updatedReplicas": count, "readyReplicas": count,
        "availableReplicas": count,
    }  # fmt: skip
    _pods(store, current, [f"{current['metadata']['name']}-{letter * 5}" for letter in "abcdefghij"[:count]])


REVISION = "deployment.kubernetes.io/revision"


def _replica_set(store: Objects, owner: Object) -> Object:
    meta, number = owner["metadata"], next(store.versions)
    name = f"{meta['name']}-{number:08x}"
    template = copy.deepcopy(owner["spec"]["template"])
    selector = copy.deepcopy(owner["spec"]["selector"])
    for labels in (template["metadata"]["labels"], selector["matchLabels"]):
        labels["pod-template-hash"] = f"{number:08x}"
    replica_set = {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "plain": copy.deepcopy(owner["spec"]["template"]),
        "metadata": {
            "name": name, "namespace": meta["namespace"], "labels": template["metadata"]["labels"],
            "uid": f"00000000-0000-4000-8000-{number:012d}", "annotations": {REVISION: "0"},
            "ownerReferences": [_reference(owner)], "creationTimestamp": meta["creationTimestamp"],
            "resourceVersion": str(number),
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    }  # fmt: skip
    store.objects[("ReplicaSet", meta["namespace"], name)] = replica_set
    return replica_set


def _reference(owner: Object) -> Object:
    meta = owner["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
    }


def owner_of(item: Object) -> str:
    """The uid of this object's owner; empty for an object without an owner."""
    return str((item["metadata"].get("ownerReferences") or [{"uid": ""}])[0]["uid"])


def _stateful_set(store: Objects, item: Object) -> None:
    meta, count = item["metadata"], item["spec"].setdefault("replicas", 1)
    revision = f"{meta['name']}-{meta['generation']}"
    item["status"] = {
        "observedGeneration": meta["generation"], "replicas": count, "readyReplicas": count, "updatedReplicas": count,
        "currentReplicas": count, "currentRevision": revision, "updateRevision": revision, "availableReplicas": count,
    }  # fmt: skip
    item["spec"].setdefault("updateStrategy", {"type": "RollingUpdate"})
    for template in item["spec"].get("volumeClaimTemplates", []):
        for number in range(count):
            name = f"{template['metadata']['name']}-{meta['name']}-{number}"
            claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": copy.deepcopy(template["spec"])}
            claim["metadata"] = {"name": name, "namespace": meta["namespace"], "uid": f"claim-{name}"}
            _claim(store, claim)
            store.objects.setdefault(("PersistentVolumeClaim", meta["namespace"], name), claim)
    _pods(store, item, [f"{meta['name']}-{number}" for number in range(count)])


def _pods(store: Objects, owner: Object, names: list[str]) -> None:
    """Makes pods of ``owner`` with these names, and removes all others."""
    meta = owner["metadata"]
    for key in [key for key, other in store.objects.items() if key[0] == "Pod" and owner_of(other) == meta["uid"]]:
        del store.objects[key]
        store.objects.pop(("PodMetrics", *key[1:]), None)
    for name in names:
        template = copy.deepcopy(owner["spec"]["template"])
        pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
        pod["metadata"] = {
            "name": name, "namespace": meta["namespace"], "labels": template["metadata"]["labels"],
            "ownerReferences": [_reference(owner)], "uid": f"pod-{name}",
            "creationTimestamp": meta["creationTimestamp"],
        }  # fmt: skip
        _pod(store, pod)
        store.objects[("Pod", meta["namespace"], name)] = pod
        store.objects[("PodMetrics", meta["namespace"], name)] = _metrics(pod)


def _metrics(pod: Object) -> Object:
    """What metrics-server would tell about a pod."""
    meta = {key: pod["metadata"][key] for key in ("name", "namespace", "labels", "ownerReferences")}
    usage = {"cpu": "250m", "memory": "200Mi"}
    containers = [{"name": container["name"], "usage": usage} for container in pod["spec"]["containers"]]
    return {
        "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "metadata": meta, "window": "30s",
        "timestamp": pod["metadata"]["creationTimestamp"], "containers": containers,
    }  # fmt: skip


def _pod(_: Objects, item: Object) -> None:
    done = item["spec"].get("restartPolicy") == "Never"
    names = [container["name"] for container in item["spec"]["containers"]]
    item["status"] = {
        "phase": "Succeeded" if done else "Running", "conditions": [{"type": "Ready", "status": str(not done)}],
        "containerStatuses": [{"name": name, "ready": not done, "restartCount": 0} for name in names],
    }  # fmt: skip


def _claim(_: Objects, item: Object) -> None:
    item["status"] = {"phase": "Bound"}


CONTROLLERS: dict[str, Callable[[Objects, Object], None]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
}
