"""A real Prometheus that scrapes devices through all replicas: each scrape goes to any of them."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from tests.support.cluster.replica import Replica
from tests.support.tools import WEB, Process, free_tcp_port, require_tool

_YML = """
global: {{scrape_interval: {interval:g}s, scrape_timeout: {interval:g}s}}
scrape_configs:
  - job_name: snmp
    metrics_path: /snmp
    static_configs: [{{targets: [{targets}]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{port}"}}
"""
TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"


class LoadBalancer(ThreadingHTTPServer):
    """Passes each request to one of ``endpoints``, which may be changed, at random."""

    daemon_threads = True

    def __init__(self, endpoints: Sequence[Replica]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoints = list(endpoints)

    def leave_out(self, replica: Replica) -> None:
        """Sends no further requests to this replica."""
        self.endpoints = [one for one in self.endpoints if one is not replica]

    def include(self, replica: Replica) -> None:
        """Sends requests to this replica, too."""
        self.endpoints = [*self.endpoints, replica]


class _Handler(BaseHTTPRequestHandler):
    server: LoadBalancer

    def do_GET(self) -> None:
        replica = random.choice(self.server.endpoints)
        connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=30)
        try:
            connection.request("GET", self.path, headers={TIMEOUT_HEADER: self.headers.get(TIMEOUT_HEADER, "10")})
            answer = connection.getresponse()
            page = answer.read()
        finally:
            connection.close()
        self.send_response(answer.status)
        self.send_header("content-type", answer.headers["content-type"])
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def load_balancer(endpoints: Sequence[Replica]) -> Iterator[LoadBalancer]:
    """One in front of ``endpoints``."""
    server = LoadBalancer(endpoints)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class Prometheus(Process):
    """Scrapes ``targets`` at ``balancer`` every ``interval`` seconds."""

    def __init__(self, folder: Path, balancer: LoadBalancer, targets: Sequence[str], *, interval: float) -> None:
        port = free_tcp_port()
        configuration = folder / "prometheus.yml"
        listed = ", ".join(targets)
        configuration.write_text(_YML.format(interval=interval, targets=listed, port=balancer.server_address[1]))
        self.url = f"http://127.0.0.1:{port}"
        command = [
            require_tool("prometheus", package="prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        super().__init__(command, log=folder / "prometheus.log", ready=self._is_ready, deadline=60)

    def _is_ready(self) -> bool:
        try:
            return WEB.get(f"{self.url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def query(self, expression: str) -> list[float]:
        """The values of all series of an instant query."""
        answer = WEB.get(f"{self.url}/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        return [float(one["value"][1]) for one in answer["data"]["result"]]
