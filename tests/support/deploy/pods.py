"""Runs the containers of the manifests as processes on loopback, without a cluster.

The environment comes from the ConfigMap, the Secret and the pod's own fields, as the kubelet would assemble it; the
command, the probes and the preStop hook are those of the container. Paths inside the container, names of Services and
the port differ, because all pods share this machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from tests.support.deploy.kube import Object, pick
from tests.support.tools import PROJECT, WEB, Process, require_tool


def environment(
    items: Iterable[Object], template: Object, *, name: str, address: str, container: int = 0
) -> dict[str, str]:
    """The variables of a container of ``template`` in a pod of that name and address."""
    objects = list(items)
    spec = template["spec"]["containers"][container]
    variables: dict[str, str] = {}
    for source in spec.get("envFrom", []):
        if "configMapRef" in source:
            variables |= pick(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
        else:
            variables |= pick(objects, "Secret", source["secretRef"]["name"])["stringData"]
    fields = {"metadata.name": name, "metadata.namespace": "promsnmp", "status.podIP": address}
    for entry in spec.get("env", []):
        origin = entry.get("valueFrom", {})
        if "fieldRef" in origin:
            variables[entry["name"]] = fields[origin["fieldRef"]["fieldPath"]]
        elif "secretKeyRef" in origin:
            reference = origin["secretKeyRef"]
            variables[entry["name"]] = pick(objects, "Secret", reference["name"])["stringData"][reference["key"]]
        else:
            variables[entry["name"]] = expanded(entry["value"], variables)
    return variables


def expanded(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced, as Kubernetes does it in commands and values."""
    return re.sub(r"\$\((\w+)\)", lambda match: env.get(match[1], match[0]), text)


class Pod(Process):
    """A PromSNMP with the environment of its pod, at an address and port of its own."""

    def __init__(self, items: Iterable[Object], template: Object, *, folder: Path, name: str, address: str, port: int,
                 env: Mapping[str, str]) -> None:  # fmt: skip
        self.name, self.address, self.port = name, address, port
        self.container = template["spec"]["containers"][0]
        self.grace = float(template["spec"]["terminationGracePeriodSeconds"])
        self.url = f"http://{address}:{port}"
        self.env = environment(items, template, name=name, address=address)
        self.env |= {"PYTHONPATH": f"{PROJECT}/src", "SERVER_ADDRESS": address, "SERVER_PORT": str(port), **env}
        command = [sys.executable, "-m", "promsnmp", "serve"]
        super().__init__(command, log=folder / f"{name}.log", env=self.env, preload=True)

    def probe(self, kind: str) -> bool:
        """Calls a probe as the kubelet does: GET, one second of timeout, 200 to 399 is success."""
        probe = self.container[f"{kind}Probe"]
        patience = float(probe.get("timeoutSeconds", 1))
        headers = {"User-Agent": "kube-probe/1.31", "Connection": "close"}
        try:
            response = WEB.get(self.url + probe["httpGet"]["path"], timeout=patience, headers=headers)
        except httpx.TransportError:
            return False
        return 200 <= response.status_code < 400

    def run(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command in the pod with ``text`` as its input, as ``kubectl exec`` would run it."""
        command = [sys.executable, "-m", *words] if words[0] == "promsnmp" else list(words)
        env = {**os.environ, **self.env}
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False, env=env)

    def pre_stop(self) -> subprocess.Popen[bytes]:
        """Starts the preStop hook."""
        return subprocess.Popen(self.container["lifecycle"]["preStop"]["exec"]["command"])


class Redis(Process):
    """A real redis-server with the configuration of the StatefulSet."""

    def __init__(self, items: Iterable[Object], template: Object, *, folder: Path, port: int) -> None:
        self.port = port
        spec = template["spec"]["containers"][0]
        self.env = environment(items, template, name="redis-0", address="127.0.0.1")
        data = folder / "redis"
        data.mkdir()
        require_tool("redis-server", package="redis-server")
        words = [*spec["command"], *(expanded(word, self.env).replace("/data", str(data)) for word in spec["args"])]
        words[-1] = words[-1].rstrip("\n") + f" --bind 127.0.0.1 --port {port}"
        self.probes = {kind: spec[f"{kind}Probe"]["exec"]["command"] for kind in ("readiness",)}
        super().__init__(
            words,
            log=folder / "redis.log",
            env=self.env,
            ready=lambda: self.run(*self.probes["readiness"]) == "PONG",
        )

    def run(self, *words: str) -> str:
        """A command of the pod, such as ``redis-cli GET leader``."""
        program = require_tool(words[0], package="redis-tools")
        command = [program, "-p", str(self.port), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False,
                              env={**os.environ, **self.env})  # fmt: skip
        return done.stdout.strip()
