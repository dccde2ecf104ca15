"""A shell for the commands of the pages: the real kubectl, Helm and curl, connected to a fake cluster."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.programs import kubectl
from scripts.programs.fetched import Unavailable
from tests.support.deploy.fake_kubernetes import FakeKubernetes
from tests.support.deploy.kube import DEPLOY, HELM, Object, encoded, pick
from tests.support.deploy.pods import Pod, Redis
from tests.support.tools import PROJECT, WEB, free_tcp_port, require_tool, unavailable, wait_until


def require_kubectl() -> str:
    """Path of kubectl; without it the test is skipped, and fails where ``CI=true``."""
    try:
        return kubectl.find()
    except Unavailable as reason:
        unavailable(str(reason))


class Shell:
    """A shell whose kubectl connects to ``cluster``, in a folder with a copy of deploy/; ``pod`` is for shim.py."""

    def __init__(self, folder: Path, cluster: FakeKubernetes, pod: Object) -> None:
        self.folder, self.cluster = folder, cluster
        folder.mkdir(exist_ok=True)
        shutil.copytree(DEPLOY, folder / "deploy", symlinks=True)
        shutil.copytree(PROJECT / "src" / "promsnmp" / "modules" / "builtin", folder / "modules")
        programs = folder / "bin"
        programs.mkdir()
        for name in ("kubectl", "curl"):
            script = programs / name
            script.write_text(
                f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("shim.py")}" {name} "$@"\n'
            )
            script.chmod(0o755)
        (programs / "helm").symlink_to(HELM)
        own = programs / "promsnmp"
        own.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m promsnmp "$@"\n')
        own.chmod(0o755)
        self._programs = {"kubectl": require_kubectl(), "curl": require_tool("curl", package="curl")}
        self.configure_shim(pod)
        self.config = folder / "kubeconfig"
        server = {"name": "here", "cluster": {"server": cluster.url}}
        context = {"name": "here", "context": {"cluster": "here", "user": ""}}
        config = {"apiVersion": "v1", "kind": "Config", "clusters": [server], "contexts": [context]}
        self.config.write_text(json.dumps({**config, "current-context": "here"}))

    def configure_shim(self, pod: Object) -> None:
        """Writes the file that shim.py reads: its programs, and ``pod``, where the pod is."""
        (self.folder / "shim.json").write_text(json.dumps({**self._programs, **pod}))

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.config),
            "HOME": str(self.folder),
            "SHIM": str(self.folder / "shim.json"),
            "PYTHONPATH": f"{PROJECT / 'src'}",
        }
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=300, check=False
        )

    def __call__(self, script: str) -> str:
        done = self.run(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout


class Pages(Shell):
    """A shell with a cluster in which one pod really runs, beside a Redis; the cluster has the pod's Secret."""

    def __init__(self, folder: Path, cluster: FakeKubernetes, redis: Redis, items: list[Object]) -> None:
        self.redis, self.items, self.data = redis, items, folder / "data"
        self.data.mkdir()
        self.logs = folder
        self.pod = self.start()
        super().__init__(folder / "work", cluster, self.pod_for_shim())

    def start(self) -> Pod:
        settings = {
            "PROM_INV_FILE": str(self.data / "promsnmp-inventory.json"),
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.redis.port),
        }
        template = pick(self.items, "Deployment")["spec"]["template"]
        place = {"folder": self.logs, "name": "promsnmp-0", "address": "127.0.0.1", "port": free_tcp_port()}
        pod = Pod(self.items, template, env=settings, **place)  # type: ignore[arg-type]
        wait_until(lambda: pod.probe("startup") or not pod.running, deadline=150, what="the pod to start")
        return pod

    def pod_for_shim(self) -> Object:
        """Where shim.py finds the pod and Redis."""
        redis_cli = require_tool("redis-cli", package="redis-tools")
        return {
            "url": self.pod.url, "log": str(self.pod.log), "data": str(self.data), "env": self.pod.env,
            "redis-cli": redis_cli, "redis-port": self.redis.port,
            "redis-env": {"REDISCLI_AUTH": self.redis.env["REDISCLI_AUTH"]},
        }  # fmt: skip

    def restart(self) -> None:
        """Restarts the pod as a rollout would, with the current Secret of the cluster."""
        self.pod.stop(60)
        secret = self.cluster.get("Secret", "promsnmp-secrets")["data"]
        key = base64.b64decode(secret["PROM_ENCRYPT_KEY"]).decode()
        pick(self.items, "Secret")["stringData"]["PROM_ENCRYPT_KEY"] = key
        self.pod = self.start()
        self.configure_shim(self.pod_for_shim())

    def await_leader(self) -> None:
        """Waits until the pod leads by Redis and by its own metrics: it notices a ``DEL leader`` after some seconds."""

        def leads() -> bool:
            if not self.redis.run("redis-cli", "GET", "leader"):
                return False
            page = WEB.get(f"{self.pod.url}/actuator/prometheus", timeout=30).text
            return "promsnmp_leader_election_is_leader 1.0" in page

        wait_until(leads, deadline=90, what="a leader")

    def pod_name(self, name: str) -> str:
        """The name of a pod with this ``app.kubernetes.io/name``; "none" when no pod has that label."""
        names = [
            item["metadata"]["name"]
            for (kind, space, _), item in self.cluster.store.objects.items()
            if (kind, space) == ("Pod", "promsnmp") and item["metadata"]["labels"]["app.kubernetes.io/name"] == name
        ]
        return names[0] if names else "none"

    def share_secret(self) -> None:
        """Copies the values that the pod runs with into the cluster's Secret."""
        secret = self.cluster.store.objects.get(("Secret", "promsnmp", "promsnmp-secrets"))
        if secret is not None:
            secret["data"] |= {key: encoded(text) for key, text in pick(self.items, "Secret")["stringData"].items()}
