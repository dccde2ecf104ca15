"""The Secret of the chart: keys are made once, and kept over upgrades and an uninstall."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.deploy.kube import (
    CHART,
    Object,
    documents,
    helm,
    pick,
    render,
)

APPS = {"groupVersion": "apps/v1", "version": "v1"}


class Cluster:
    """The part of an API server that Helm's ``lookup`` needs: one Secret, or none."""

    def __init__(self, data: dict[str, str] | None) -> None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in (data or {}).items()}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "promsnmp-secrets", "namespace": "promsnmp"},
            "data": encoded,
        }
        resource = {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["get"]}
        deployments = {**resource, "name": "deployments", "singularName": "deployment", "kind": "Deployment"}
        answers: dict[str, Object] = {
            "/version": {"major": "1", "minor": "31", "gitVersion": "v1.31.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [{"name": "apps", "versions": [APPS], "preferredVersion": APPS}],
            },
            "/apis/apps/v1": {"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [deployments]},
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [resource]},
        }
        if data is not None:
            answers["/api/v1/namespaces/promsnmp/secrets/promsnmp-secrets"] = secret
            answers["/apis/apps/v1/namespaces/promsnmp/deployments/promsnmp"] = {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "promsnmp", "namespace": "promsnmp"},
                "spec": {"replicas": 7},
            }
        missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the library's name
                answer = answers.get(self.path.partition("?")[0], missing)
                body = json.dumps(answer).encode()
                self.send_response(200 if answer is not missing else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def render(self, *words: str) -> dict[str, str]:
        """The Secret that an upgrade in this cluster would write."""
        data: dict[str, str] = pick(self.objects(*words), "Secret", "promsnmp-secrets")["stringData"]
        return data

    def objects(self, *words: str) -> list[Object]:
        """What an upgrade in this cluster would write."""
        server = f"http://127.0.0.1:{self.server.server_address[1]}"
        asked = ("--dry-run=server", "--is-upgrade", "--kube-apiserver", server)
        done = helm("template", "promsnmp", CHART, "--namespace", "promsnmp", *asked, *words)
        assert done.returncode == 0, done.stderr
        return documents(done.stdout)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_the_first_install_generates_a_new_key_of_16_bytes() -> None:
    cluster = Cluster(None)
    one, other = cluster.render(), cluster.render()
    cluster.stop()
    assert len(one["PROM_ENCRYPT_KEY"].encode()) == 16
    assert one["PROM_ENCRYPT_KEY"] != other["PROM_ENCRYPT_KEY"]
    assert len(one["REDIS_PASSWORD"]) == 32


def test_an_upgrade_keeps_the_key_and_password_in_the_cluster() -> None:
    cluster = Cluster({"PROM_ENCRYPT_KEY": "kept-16-bytes-ab", "REDIS_PASSWORD": "kept"})
    upgraded, given = cluster.render(), cluster.render("--set", "secrets.encryptKey=0123456789abcdef")
    cluster.stop()
    assert (upgraded["PROM_ENCRYPT_KEY"], upgraded["REDIS_PASSWORD"]) == ("kept-16-bytes-ab", "kept")
    assert given["PROM_ENCRYPT_KEY"] == "0123456789abcdef"


def test_an_upgrade_keeps_the_replicas_that_the_autoscaler_chose() -> None:
    new, old = Cluster(None), Cluster({})
    found = [pick(one.objects(), "Deployment")["spec"]["replicas"] for one in (new, old)]
    new.stop()
    old.stop()
    assert found == [3, 7]


def test_pods_restart_for_a_changed_secret_but_not_for_each_rendering() -> None:
    def sums(*values: str) -> dict[str, str]:
        done = helm("template", "promsnmp", CHART, *(word for value in values for word in ("--set", value)))
        pod = pick(documents(done.stdout), "Deployment")["spec"]["template"]
        return {key: text for key, text in pod["metadata"]["annotations"].items() if key.startswith("checksum/")}

    assert sums() == sums()
    assert "checksum/secrets" not in sums()
    one, other = sums("secrets.apiToken=one"), sums("secrets.apiToken=other")
    assert one == sums("secrets.apiToken=one") != other
    assert "checksum/secrets" not in sums("secrets.apiToken=one", "secrets.existingSecret=mine")


def test_key_and_inventory_outlive_the_release() -> None:
    for kind in ("Secret", "PersistentVolumeClaim"):
        assert pick(render(), kind)["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
