"""Loads the manifests of deploy/, renders the chart with Helm, and checks both against Kubernetes' schemas."""

from __future__ import annotations

import base64
import functools
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from kubernetes_validate import utils as schemas

from tests.support.tools import PROJECT

Object = dict[str, Any]

DEPLOY = PROJECT / "deploy"
MANIFESTS = DEPLOY / "kubernetes"
EXAMPLES = MANIFESTS / "examples"
OPERATOR_OVERLAY = MANIFESTS / "overlays" / "prometheus-operator"
SINGLE = MANIFESTS / "overlays" / "single"
LEASE = MANIFESTS / "overlays" / "lease"
CHART = DEPLOY / "helm" / "promsnmp"
VALUES = Path(__file__).parent / "values"
CI_FILES = sorted((CHART / "ci").glob("*-values.yaml"))
SINGLE_VALUES = CHART / "values-single.yaml"
VALUE_FILES = [*sorted(VALUES.glob("*.yaml")), SINGLE_VALUES, *CI_FILES]
HELM = str(Path(sys.executable).parent / "helm")
OPERATOR = ("--api-versions", "monitoring.coreos.com/v1")
"""Options of Helm for a cluster with prometheus-operator."""
OLDEST = "1.29"
CUSTOM = ("monitoring.coreos.com/", "networking.istio.io/", "cert-manager.io/", "gateway.networking.k8s.io/")
"""Groups of custom resources, which Kubernetes has no schemas for."""

# The definitions of one release are 2 MB of JSON, which would be read again for each object.
schemas.schema_contents = functools.lru_cache(maxsize=None)(schemas.schema_contents)


LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's if PyYAML was built with it: ten times as fast."""


def documents(text: str) -> list[Object]:
    """Every object of a YAML text, in its order."""
    return [document for document in yaml.load_all(text, LOADER) if document]  # both are the safe one


def manifests(folder: Path = MANIFESTS) -> list[Object]:
    """The objects of deploy/kubernetes (or of its examples or an overlay), each once."""
    files = [file for file in sorted(folder.glob("*.yaml")) if not file.is_symlink() and file.stem != "kustomization"]
    return [item for file in files for item in documents(file.read_text(encoding="utf-8"))]


def with_operator() -> list[Object]:
    """The objects of deploy/kubernetes and those for prometheus-operator."""
    return [*manifests(), *manifests(OPERATOR_OVERLAY)]


def helm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs Helm, which may fail."""
    command = [HELM, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@functools.lru_cache(maxsize=32)
def template(*words: str | Path, release: str = "promsnmp", namespace: str = "promsnmp") -> str:
    """The output of ``helm template``, cached for each set of arguments, so that generated secrets stay the same."""
    done = helm("template", release, CHART, "--namespace", namespace, "--skip-tests", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(*words: str | Path, release: str = "promsnmp", namespace: str = "promsnmp") -> list[Object]:
    """The chart's objects without its tests; ``words`` are more arguments of ``helm template``."""
    return documents(template(*words, release=release, namespace=namespace))


def render_values(values: Path, *words: str) -> list[Object]:
    """The chart's objects with a file of VALUES, on a cluster with prometheus-operator."""
    return render("--values", values, *OPERATOR, *words)


def versions() -> list[str]:
    """Releases of Kubernetes from 1.29 to the newest with schemas."""
    every = {schemas.major_minor(version) for version in schemas.all_versions()}
    return sorted((item for item in every if _number(item) >= _number(OLDEST)), key=_number)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def problems(items: Iterable[Object], version: str) -> Iterator[str]:
    """The problems of ``items`` by the strict schemas of one release; an unknown kind is a problem, too."""
    seen: set[str] = set()
    for item in items:
        text = json.dumps(item, sort_keys=True)
        if item["apiVersion"].startswith(CUSTOM) or text in seen:
            continue
        seen.add(text)
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name_of(item)} ({version}): {'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{name_of(item)} ({version}): {error.message}"


def encoded(text: str) -> str:
    """A value as it stands in a Secret's ``data``."""
    return base64.b64encode(text.encode()).decode()


def name_of(item: Object) -> str:
    return f"{item['kind']}/{item['metadata']['name']}"


def pick(items: Iterable[Object], kind: str, name: str | None = None) -> Object:
    """The object of a kind (and name); there must be exactly one."""
    matching = [item for item in items if item["kind"] == kind and name in (None, item["metadata"]["name"])]
    assert len(matching) == 1, f"{len(matching)} objects {kind} {name or ''}"
    return matching[0]


def pods(items: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Every pod that would run: its owner's name, its metadata and its spec."""
    for item in items:
        if item["kind"] == "Pod":
            yield name_of(item), item
        elif item["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
            yield name_of(item), item["spec"]["template"]
        elif item["kind"] == "CronJob":
            yield name_of(item), item["spec"]["jobTemplate"]["spec"]["template"]
