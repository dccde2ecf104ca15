"""Traps: how many a second one core handles while it polls, what a storm costs, and that none is lost untold.

A sender (C, on the other core) sends v2c linkDown traps from 250 addresses of loopback at a rate, all different. The
service is on one core. What it has handled and what it says that it dropped is compared with what was sent.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from bench.parts import OTHER_CORES, Skipped, cpu_seconds, folder, get, memory_mb, promsnmp
from promsnmp.snmp import ber, oid

SENDER = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
/* sender PORT RATE SECONDS SOURCES OFFSET FIRST < one trap, whose request id is at OFFSET: FIRST, and the next ones */
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
int main(int argc, char **argv) {
    int port = atoi(argv[1]), sources = atoi(argv[4]), offset = atoi(argv[5]), first = atoi(argv[6]);
    double rate = atof(argv[2]), seconds = atof(argv[3]);
    unsigned char trap[2048];
    int size = fread(trap, 1, sizeof trap, stdin), *sockets = calloc(sources, sizeof(int));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < sources; i++) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        from.sin_addr.s_addr = htonl(0x7f400001 + i);
        sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (bind(sockets[i], (void *)&from, sizeof from) || connect(sockets[i], (void *)&to, sizeof to)) return 1;
    }
    double began = now();
    long sent = 0, failed = 0;
    while (now() - began < seconds) {
        long due = (now() - began) * rate;
        for (; sent < due; sent++) {
            unsigned int id = htonl((first + sent) & 0x7fffffff);
            memcpy(trap + offset, &id, 4);
            if (send(sockets[sent % sources], trap, size, 0) < 0) failed++;
        }
        usleep(200);
    }
    printf("%ld %ld\n", sent - failed, failed);
    return 0;
}
"""
DEVICES = 250
RATES = (2_000, 5_000, 10_000, 20_000, 50_000)
SECONDS = 5.0


def trap() -> tuple[bytes, int]:
    """A v2c linkDown trap, and where its request id (four octets) is."""
    binds = b"".join(
        ber.encode_varbind(oid.encode(name), value)
        for name, value in (
            ("1.3.6.1.2.1.1.3.0", ber.encode_integer(123456, ber.TIME_TICKS)),
            ("1.3.6.1.6.3.1.1.4.1.0", ber.tlv(ber.OBJECT_IDENTIFIER, oid.encode("1.3.6.1.6.3.1.1.5.3"))),
            ("1.3.6.1.2.1.2.2.1.1.7", ber.encode_integer(7)),
            ("1.3.6.1.2.1.2.2.1.7.7", ber.encode_integer(1)),
            ("1.3.6.1.2.1.2.2.1.8.7", ber.encode_integer(2)),
        )
    )
    request_id = 0x71727374
    pdu = ber.encode_pdu(0xA7, request_id, 0, 0, binds)
    whole = ber.tlv(ber.SEQUENCE, ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public") + pdu)
    return whole, whole.index(request_id.to_bytes(4, "big"))


def main() -> None:
    """Prints the tables."""
    with folder() as where:
        if shutil.which("gcc") is None:
            raise Skipped("gcc is missing: it builds the sender")
        sender = where / "sender"
        subprocess.run(["gcc", "-O2", "-x", "c", "-", "-o", str(sender)], input=SENDER.encode(), check=True)
        for limit in ("1000000", "2000"):
            print(f"TRAP_RATE={limit}")
            (where / limit).mkdir()
            _measure(where / limit, sender, limit)


def _measure(where: Path, sender: Path, limit: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        trap_port = probe.getsockname()[1]
    env = {
        "TRAP_PORT": str(trap_port),
        "TRAP_ADDRESS": "127.0.0.1",
        "TRAP_RATE": limit,
        "TRAP_SENDER_RATE": "1000000",
        "TRAP_POLLS": "none",
        "COLLECTION_INTERVAL": "3600000",
    }
    with promsnmp(where, env) as (pid, port):
        devices = [{"sysName": f"device-{at}", "agents": [_agent(f"127.64.0.{at + 1}")]} for at in range(DEVICES)]
        body = json.dumps({"devices": devices}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/promsnmp/inventory", body, {"Content-Type": "application/json"}, method="POST"
        )
        urllib.request.urlopen(request).read()
        time.sleep(5)  # for the polls of devices that are not there
        datagram, offset = trap()
        print(
            "  sent/s   handled/s  dropped/s   kernel/s   untold   CPU of a core   a CPU s    memory   worst loop lag"
        )
        for number, rate in enumerate(RATES):
            before, cpu, began = _counts(port), cpu_seconds(pid), time.monotonic()
            words = [str(trap_port), str(rate), str(SECONDS), str(DEVICES), str(offset), str(number * 10_000_000)]
            done = subprocess.run([*OTHER_CORES, str(sender), *words], input=datagram, capture_output=True, check=True)
            seconds = time.monotonic() - began
            sent, after = int(done.stdout.split()[0]), _settled(port)
            used = cpu_seconds(pid) - cpu
            diff = {key: after[key] - before.get(key, 0) for key in after}
            dropped = sum(value for key, value in diff.items() if key.startswith("drop "))
            kernel, handled = diff.get("drop kernel_buffer_full", 0), diff["accepted"]
            print(
                f"{sent / seconds:8,.0f} {handled / seconds:11,.0f} {(dropped - kernel) / seconds:10,.0f} "
                f"{kernel / seconds:10,.0f} {sent - handled - dropped:8,.0f} {used / seconds:14.0%} "
                f"{handled / used:12,.0f} {memory_mb(pid):9.0f} MB {_lag(before, after):>9}"
            )


def _agent(address: str) -> dict[str, object]:
    endpoint = {"address": address, "port": 161}
    return {"type": "snmp-community", "version": 1, "readCommunity": "public", "endpoint": endpoint}


def _counts(port: int) -> dict[str, float]:
    text = get(port, "/metrics").decode()
    dropped = re.findall(r'promsnmp_traps_dropped_total{reason="(\w+)"} (\S+)', text)
    found = {f"drop {reason}": float(value) for reason, value in dropped}
    found["accepted"] = sum(float(one) for one in re.findall(r"promsnmp_traps_total{[^}]*} (\S+)", text))
    found["waiting"] = float(re.findall(r"(?m)^promsnmp_traps_queued (\S+)", text)[0])
    for bound, value in re.findall(r'promsnmp_event_loop_lag_seconds_bucket{le="([^"]+)"} (\S+)', text):
        found[f"lag {bound}"] = float(value)
    return found


def _lag(before: dict[str, float], after: dict[str, float]) -> str:
    """The bound that no measurement of the event loop's lag exceeded in between."""
    number = after["lag +Inf"] - before["lag +Inf"]
    bounds = [key for key in after if key.startswith("lag ") and after[key] - before[key] == number]
    return bounds[0].replace("lag ", "<= ") + " s"


def _settled(port: int) -> dict[str, float]:
    """The counts when nothing waits any more."""
    counts = _counts(port)
    while True:
        time.sleep(0.5)
        before, counts = counts, _counts(port)
        if not counts["waiting"] and counts["accepted"] == before["accepted"]:
            return counts
