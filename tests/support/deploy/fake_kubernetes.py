"""A Kubernetes API server in memory for the real kubectl and Helm: it stores what they apply, and returns it.

It refuses what a real server refuses: objects that do not match the strict schema of their kind, objects in missing
namespaces, and pods that the Pod Security level of a namespace forbids. Its controllers do immediately what takes a
cluster minutes: a Deployment has its ReplicaSet and ready pods at once, and a test pod has succeeded. Without nodes it
cannot do logs, exec and port-forward.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.deploy import crds, kube
from tests.support.deploy.controllers import CONTROLLERS, Object, Objects, owner_of
from tests.support.deploy.patches import json_patch, merge, strategic
from tests.support.deploy.restricted import violations
from tests.support.deploy.wire import is_protobuf, object_of

VERSION = "1.31"
OPENAPI = "/openapi/v2"
PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/[a-z]))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>scale|status))?"
)
KINDS = """\
v1 Namespace namespaces cluster ns
v1 Node nodes cluster no
v1 ConfigMap configmaps namespaced cm
v1 Secret secrets namespaced
v1 Service services namespaced svc
v1 Endpoints endpoints namespaced ep
v1 Event events namespaced ev
v1 Pod pods namespaced po
v1 PersistentVolumeClaim persistentvolumeclaims namespaced pvc
v1 ServiceAccount serviceaccounts namespaced sa
apps/v1 Deployment deployments namespaced deploy
apps/v1 ReplicaSet replicasets namespaced rs
apps/v1 StatefulSet statefulsets namespaced sts
batch/v1 CronJob cronjobs namespaced cj
policy/v1 PodDisruptionBudget poddisruptionbudgets namespaced pdb
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers namespaced hpa
networking.k8s.io/v1 NetworkPolicy networkpolicies namespaced netpol
networking.k8s.io/v1 Ingress ingresses namespaced ing
rbac.authorization.k8s.io/v1 Role roles namespaced
rbac.authorization.k8s.io/v1 RoleBinding rolebindings namespaced
coordination.k8s.io/v1 Lease leases namespaced
storage.k8s.io/v1 StorageClass storageclasses cluster sc
monitoring.coreos.com/v1 ServiceMonitor servicemonitors namespaced
monitoring.coreos.com/v1 PrometheusRule prometheusrules namespaced
monitoring.coreos.com/v1alpha1 ScrapeConfig scrapeconfigs namespaced
networking.istio.io/v1 VirtualService virtualservices namespaced vs
networking.istio.io/v1 DestinationRule destinationrules namespaced dr
metrics.k8s.io/v1beta1 PodMetrics pods namespaced
"""
ALL = ("Pod", "Service", "Deployment", "ReplicaSet", "StatefulSet", "CronJob", "HorizontalPodAutoscaler")
"""What `kubectl get all` lists."""


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of object, as the API describes it."""

    api: str
    kind: str
    plural: str
    namespaced: bool
    short: tuple[str, ...]

    def resources(self) -> Iterator[Object]:
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        resource = {
            "name": self.plural,
            "singularName": self.kind.lower(),
            "namespaced": self.namespaced,
            "kind": self.kind,
        }
        categories = ["all"] if self.kind in ALL else []
        yield {**resource, "verbs": verbs, "shortNames": list(self.short), "categories": categories}
        if self.api == "apps/v1":
            scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
            yield {**resource, **scale, "name": f"{self.plural}/scale", "verbs": ["get", "patch", "update"]}


def _kinds() -> list[ResourceKind]:
    rows = (line.split() for line in KINDS.splitlines())
    return [ResourceKind(row[0], row[1], row[2], row[3] == "namespaced", tuple(row[4:])) for row in rows]


@dataclass
class Refusal(Exception):
    """A response other than 2xx."""

    status: int
    reason: str
    message: str


@dataclass
class ObjectStore(Objects):
    """The objects that were applied and admitted, and those that the controllers made."""

    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, kind: ResourceKind, item: Object, *, old: Object | None = None) -> Object:
        """Admits and stores an object, and runs the controllers."""
        meta = item["metadata"]
        space = meta.get("namespace", "") if kind.namespaced else ""
        if kind.namespaced and ("Namespace", "", space) not in self.objects:
            raise Refusal(404, "NotFound", f'namespaces "{space}" not found')
        self.admit(kind, item)
        number = next(self.versions)
        meta |= {"resourceVersion": str(number), "uid": meta.get("uid") or f"00000000-0000-4000-8000-{number:012d}"}
        meta.setdefault("creationTimestamp", dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if old is None or old.get("spec") != item.get("spec"):
            meta["generation"] = (old or {"metadata": {}})["metadata"].get("generation", 0) + 1
        for key, value in item.pop("stringData", {}).items():
            item.setdefault("data", {})[key] = kube.encoded(value)
        self.objects[(kind.kind, space, meta["name"])] = item
        if control := CONTROLLERS.get(kind.kind):
            control(self, item)
        return item

    def admit(self, kind: ResourceKind, item: Object) -> None:
        sent = {key: value for key, value in item.items() if key != "status"}
        custom = kind.api.startswith(kube.CUSTOM)
        problems = list(crds.problems(sent) if custom else kube.problems([sent], VERSION))
        if problems:
            raise Refusal(422, "Invalid", "; ".join(problems))
        space = self.objects.get(("Namespace", "", item["metadata"].get("namespace", "")), {"metadata": {}})
        level = space["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce")
        if level == "restricted":
            for name, pod in kube.pods([item]):
                if problems := list(violations(pod)):
                    raise Refusal(403, "Forbidden", f'{name} violates PodSecurity "restricted": {"; ".join(problems)}')

    def listed(self, kind: ResourceKind, space: str | None, query: dict[str, list[str]]) -> list[Object]:
        labels = _selected(query, "labelSelector")
        fields = _selected(query, "fieldSelector")
        matching = []
        for (name, where, _), item in sorted(self.objects.items()):
            meta = item["metadata"]
            matches = name == kind.kind and space in (None, where) and labels.items() <= meta.get("labels", {}).items()
            if matches and fields.get("metadata.name") in (None, meta["name"]):
                matching.append(item)
        return matching


def _selected(query: dict[str, list[str]], key: str) -> dict[str, str]:
    parts = [part for text in query.get(key, []) for part in text.split(",") if "=" in part]
    return {name.rstrip("!="): value for name, _, value in (part.partition("=") for part in parts)}


# ------------------------------------------------------------------------------------------------------- requests


MADE = ("ReplicaSet", "Pod", "PodMetrics")
"""Kinds of objects that controllers make."""


class FakeKubernetes:
    """The server, while a test runs; ``without`` names groups of custom resources that it does not know."""

    def __init__(self, *, without: tuple[str, ...] = ()) -> None:
        self.kinds = [kind for kind in _kinds() if not kind.api.startswith(without)]
        self.store = ObjectStore()
        for name in ("default", "kube-system", "monitoring"):
            space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.store.put(self.kinds[0], space)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def names(self, *, without: tuple[str, ...] = MADE) -> set[str]:
        """Kind and name of every applied object."""
        spaces = {"default", "kube-system", "monitoring"}
        return {f"{kind}/{name}" for kind, _, name in self.store.objects if kind not in without and name not in spaces}

    def get(self, kind: str, name: str, space: str = "promsnmp") -> Object:
        return self.store.objects[(kind, space, name)]

    def _handler(cluster) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                try:
                    with cluster.store.lock:
                        status, document = cluster.handle(
                            self.command, self.path, self.headers.get("content-type", ""), body
                        )
                except Refusal as refusal:
                    status = refusal.status
                    document = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": refusal.reason,
                                "message": refusal.message, "code": status}  # fmt: skip
                empty = "watch=" in self.path or self.path.startswith(OPENAPI)
                text = b"" if empty else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # the library's names

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def handle(self, method: str, target: str, media: str, body: bytes) -> tuple[int, Object]:
        """Status and document of one request. Raises Refusal."""
        parts = urlsplit(target)
        if (document := self._discovery(parts.path)) is not None:
            return 200, document
        match = PATH.fullmatch(parts.path)
        if match is None:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        api = f"{match['group']}/{match['version']}" if match["group"] else match["version"]
        kind = next((kind for kind in self.kinds if (kind.api, kind.plural) == (api, match["plural"])), None)
        if kind is None:
            raise Refusal(404, "NotFound", f"no {match['plural']} in {api}")
        name, space = match["name"], match["namespace"]
        if name is None and method == "GET":
            items = self.store.listed(kind, space, parse_qs(parts.query))
            return 200, {"kind": f"{kind.kind}List", "apiVersion": kind.api, "metadata": {"resourceVersion": "1"},
                         "items": items}  # fmt: skip
        sent = {} if method in ("GET", "DELETE") else _sent(body)
        if name is None:
            return 201, self._create(kind, space, sent)
        if media.startswith(APPLY) and (kind.kind, space or "", name) not in self.store.objects:
            return 201, self._create(kind, space, sent)
        return 200, self._handle_object(method, kind, space or "", name, match["sub"], media, sent)

    def _create(self, kind: ResourceKind, space: str | None, item: Object) -> Object:
        if kind.namespaced:
            item["metadata"].setdefault("namespace", space)
        if (kind.kind, space or "", item["metadata"]["name"]) in self.store.objects:
            raise Refusal(409, "AlreadyExists", f'{kind.plural} "{item["metadata"]["name"]}" already exists')
        return self.store.put(kind, item)

    def _handle_object(
        self, method: str, kind: ResourceKind, space: str, name: str, sub: str | None, media: str, sent: Any
    ) -> Object:
        key = (kind.kind, space, name)
        if key not in self.store.objects:
            raise Refusal(404, "NotFound", f'{kind.plural} "{name}" not found')
        old = self.store.objects[key]
        if method == "DELETE":
            for owned in [key for key, item in self.store.objects.items() if owner_of(item) == old["metadata"]["uid"]]:
                self.store.objects.pop(owned)
            self.store.objects.pop(key)
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        if sub == "scale":
            return self._scale(method, kind, old, media, sent)
        if method == "GET":
            return old
        new = sent if method == "PUT" else _patched(old, sent, media)
        if kind.namespaced:
            new["metadata"].setdefault("namespace", space)
        return self.store.put(kind, new, old=old)

    def _scale(self, method: str, kind: ResourceKind, old: Object, media: str, sent: Any) -> Object:
        meta = {key: old["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
        scale: Object = {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta,
                         "spec": {"replicas": old["spec"]["replicas"]}, "status": {"replicas": 1}}  # fmt: skip
        if method != "GET":
            scale = sent if method == "PUT" else _patched(scale, sent, media)
            new = copy.deepcopy(old)
            new["spec"]["replicas"] = scale["spec"].get("replicas", 0)
            self.store.put(kind, new, old=old)
        return scale

    def _discovery(self, path: str) -> Object | None:
        apis = list(dict.fromkeys(kind.api for kind in self.kinds))
        if path == OPENAPI:
            return {}  # an empty document, in protobuf: clients then leave the checks to the server
        if path == "/version":
            return {"major": "1", "minor": VERSION.partition(".")[2], "gitVersion": f"v{VERSION}.0"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups: dict[str, list[Object]] = {}
            for api in apis:
                group, slash, version = api.partition("/")
                if slash:
                    groups.setdefault(group, []).append({"groupVersion": api, "version": version})
            documents = [
                {"name": name, "versions": versions, "preferredVersion": versions[0]}
                for name, versions in groups.items()
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": documents}
        api = path.removeprefix("/apis/").removeprefix("/api/")
        if api in apis:
            resources = [resource for kind in self.kinds if kind.api == api for resource in kind.resources()]
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": resources}
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()


APPLY = "application/apply-patch"
"""Server-side apply, which creates what is not there (kubernetes.io/docs/reference/using-api/server-side-apply)."""


def _sent(body: bytes) -> Any:
    """The object in a request: protobuf, JSON, or YAML, of which JSON is a part."""
    if is_protobuf(body):
        return object_of(body)
    return json.loads(body) if body[:1] in b"[{" else kube.documents(body.decode())[0]


def _patched(old: Object, sent: Any, media: str) -> Object:
    if media.startswith("application/json-patch"):
        return json_patch(old, sent)
    changed = strategic if media.startswith("application/strategic-merge-patch") else merge
    new: Object = changed(old, sent)
    return new
