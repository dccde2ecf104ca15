"""PromSNMP in place of snmp_exporter: the same arguments and, with its switches, the same pages and errors."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from promsnmp.snmp import ber
from tests.support.agents.behaviours import OUT_OF_ORDER, status, value
from tests.support.agents.hostile import HONEST, IF_ENTRY, Behaviour, HostileAgent, after
from tests.support.agents.threads import running
from tests.support.exporter import fetch, require_exporter
from tests.support.service.service_process import environment
from tests.support.tools import Process, free_tcp_port

MODULES = """
auths:
  public_v2: {version: 2, community: public}
modules:
  ports: &ports
    walk: [1.3.6.1.2.1.2.2.1]
    retries: 0
    timeout: 500ms
    metrics:
      - &octets
        {name: octets, oid: 1.3.6.1.2.1.2.2.1.10, type: counter, help: h, indexes: &row [{labelname: row, type: gauge}]}
      - {name: name, oid: 1.3.6.1.2.1.2.2.1.2, type: DisplayString, help: h, indexes: *row}
  no_index:
    <<: *ports
    metrics: [{name: octets, oid: 1.3.6.1.2.1.2.2.1.10, type: counter, help: h}]
  two_helps:
    <<: *ports
    metrics:
      - *octets
      - {name: octets, oid: 1.3.6.1.2.1.2.2.1.1, type: counter, help: other, indexes: *row}
  two_types:
    <<: *ports
    metrics:
      - *octets
      - {name: octets, oid: 1.3.6.1.2.1.2.2.1.1, type: gauge, help: h, indexes: *row}
  states:
    <<: *ports
    metrics:
      - {name: state, oid: 1.3.6.1.2.1.2.2.1.1, type: EnumAsInfo, help: h, indexes: *row, enum_values: {0: no, 2: two}}
  state_sets:
    <<: *ports
    metrics:
      - {name: state, oid: 1.3.6.1.2.1.2.2.1.1, type: EnumAsStateSet, help: h, indexes: *row, enum_values: {2: two}}
  fetched:
    get: [1.3.6.1.2.1.2.2.1.10.1, 1.3.6.1.2.1.2.2.1.10.9999]
    retries: 0
    timeout: 500ms
    metrics: [*octets]
"""
ARGUMENTS = [
    *("--log.level=warn", "--log.format=logfmt", "--snmp.module-concurrency=2"),
    *("--snmp.wrap-large-counters", "--config.expand-environment-variables", "--web.telemetry-path=/metrics"),
]
SWITCHES = {
    "SCRAPE_STRICT": "true",
    "PAGE_OWN_METRICS": "false",
    "SNMP_ZERO_FOR_NON_NUMBERS": "true",
    "COLLECTION_INTERVAL": "0",
}
FIGURES = re.compile(r"^(snmp_scrape_\w+\{[^}]*\}) .*")
"""Samples of durations."""

honest = Behaviour("honest", lambda request: [request.honest])
silent = Behaviour("silent", lambda request: [])
stuck = Behaviour("stuck", lambda request: [request.response(HONEST.rows(45, 50, 0.0)[0])])
text = value("text", ber.tlv(ber.OCTET_STRING, b"many"))
named = value("named", ber.tlv(ber.OCTET_STRING, b"on"), at=f"{IF_ENTRY}.1.3")
numbered = value("numbered", ber.encode_integer(0), at=f"{IF_ENTRY}.1.3")
object_id = value("object_id", ber.tlv(ber.OBJECT_IDENTIFIER, b"+"), at=f"{IF_ENTRY}.10.3")


@dataclass(frozen=True, slots=True)
class Both:
    """Both programs, and the device that they poll."""

    agent: HostileAgent
    ours: str
    theirs: str

    def scrape(self, module: str, behaviour: Behaviour) -> tuple[tuple[int, str], tuple[int, str]]:
        """Status and body from PromSNMP and from snmp_exporter."""
        found = []
        for url in (self.ours, self.theirs):
            self.agent.behaviour, self.agent.requests[:] = behaviour, []
            self.agent._honest.mib = behaviour.mib or HONEST
            query = f"/snmp?target={self.agent.target}&module={module}&auth=public_v2"
            found.append(fetch(url + query, headers={"Accept": "text/plain"}))
        return found[0], found[1]


def answers(url: str) -> Callable[[], bool]:
    return lambda: fetch(f"{url}/-/healthy")[0] == 200


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    path = require_exporter()
    folder = tmp_path_factory.mktemp("both")
    config = folder / "snmp.yml"
    config.write_text(MODULES)
    agent = HostileAgent(honest)
    places = [f"127.0.0.1:{free_tcp_port()}" for _ in range(2)]
    env = {**environment(folder), **SWITCHES}
    del env["SERVER_ADDRESS"], env["SERVER_PORT"]
    programs = [[sys.executable, "-m", "promsnmp", "serve"], [path]]
    started: list[Process] = []
    with running(agent):
        try:
            for program, place in zip(programs, places, strict=True):
                options = [f"--config.file={config}", f"--web.listen-address={place}", *ARGUMENTS]
                log = folder / f"{len(started)}.log"
                ready = answers(f"http://{place}")
                started.append(Process([*program, *options], log=log, ready=ready, deadline=60, env=env))
            yield Both(agent, *(f"http://{place}" for place in places))
        finally:
            for process in started:
                process.stop()


@pytest.mark.parametrize(
    ("module", "behaviour"),
    [
        *(("ports", one) for one in (honest, text, object_id, status(5), after(1, status(5)), after(2, status(1)))),
        *((module, one) for module in ("states", "state_sets") for one in (named, numbered)),
    ],
    ids=str,
)
def test_with_the_switches_a_page_is_that_of_snmp_exporter(both: Both, module: str, behaviour: Behaviour) -> None:
    (ours, our_page), (theirs, their_page) = both.scrape(module, behaviour)
    assert (ours, theirs) == (200, 200), (our_page, their_page)
    assert _shown(our_page) == _shown(their_page)


def test_a_missing_object_of_a_get_is_left_out_as_by_snmp_exporter(both: Both) -> None:
    (ours, our_page), (theirs, their_page) = both.scrape("fetched", honest)
    assert (ours, theirs) == (200, 200)
    assert _shown(our_page) == _shown(their_page)


@pytest.mark.parametrize(
    ("module", "behaviour"),
    [
        ("no_index", honest),
        ("two_helps", honest),
        ("two_types", honest),
        ("ports", silent),
        ("ports", after(1, silent)),
        ("ports", after(1, stuck)),
        ("ports", OUT_OF_ORDER),
        ("fetched", silent),
        ("fetched", status(5)),
    ],
    ids=str,
)
def test_a_strict_scrape_fails_where_one_of_snmp_exporter_does(both: Both, module: str, behaviour: Behaviour) -> None:
    (ours, our_page), (theirs, their_page) = both.scrape(module, behaviour)
    assert theirs == 500, their_page
    assert ours in (500, 502, 504), our_page
    assert our_page.count("\n") == 1


def _shown(page: str) -> set[str]:
    """The lines of a page, without the figures of the scrape itself."""
    return {FIGURES.sub(r"\1", line) for line in page.splitlines() if not line.startswith("# HELP snmp_scrape_")}
