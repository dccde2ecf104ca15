"""CPU per sample of two exporters that scrape the same devices, in interleaved rounds."""

from __future__ import annotations

import gzip
import statistics
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.parts import SIMULATOR_PORT, cpu_seconds

DEVICES, ROUNDS, CONCURRENCY = 50, 7, 10
QUERY = "module=if_mib&auth=public_v2"


@dataclass(frozen=True, slots=True)
class Side:
    """A program that answers ``/snmp``."""

    name: str
    port: int
    pid: int


def compare(one: Side, other: Side) -> Iterator[str]:
    """Lines with the medians of both, in microseconds of CPU a sample, and their ratio. The first round warms up."""
    figures: dict[str, list[float]] = {one.name: [], other.name: []}
    samples = {side.name: _round(side)[1] for side in (one, other)}
    for _ in range(ROUNDS):
        for side in (one, other):
            seconds, count = _round(side)
            figures[side.name].append(seconds * 1e6 / count)
            samples[side.name] = count
    for name, values in figures.items():
        spread = f"min {min(values):.3f} max {max(values):.3f}"
        yield f"{name}: {statistics.median(values):.3f} us/sample ({spread}), {samples[name] // DEVICES} samples/device"
    ratio = statistics.median(b / a for a, b in zip(*figures.values(), strict=True))
    yield f"{other.name} / {one.name}: {ratio:.1f}"


def _round(side: Side) -> tuple[float, int]:
    """Seconds of CPU for a scrape of every device, and the samples of them all."""
    before = cpu_seconds(side.pid)
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        sizes = list(pool.map(lambda number: _scrape(side, f"127.9.0.{number}"), range(1, DEVICES + 1)))
    return cpu_seconds(side.pid) - before, sum(sizes)


def _scrape(side: Side, address: str) -> int:
    """The samples of one page, which is compressed on the way, as for Prometheus."""
    url = f"http://127.0.0.1:{side.port}/snmp?target={address}:{SIMULATOR_PORT}&{QUERY}"
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
        text = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
    return sum(not line.startswith(b"#") for line in text.splitlines())
