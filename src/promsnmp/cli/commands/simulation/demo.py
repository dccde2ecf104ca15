"""``promsnmp demo``: runs the service with five simulated devices, to look around.

The devices run in this process, the service runs in another one as ``promsnmp serve``: what it shows is what an
operator would get. Everything is on loopback, all files are in a folder that is removed at the end, and the service
ends with this process, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import click

from promsnmp.cli.commands.simulation.demo_service import DemoResponse, DemoService, choose_port
from promsnmp.errors import PromSnmpError
from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import DEMO, Device
from promsnmp.snmp.credentials import Community, User

FIRST_ADDRESS = 11  # 127.0.0.11, 127.0.0.12 ...
PORT = 16_161
PAGES_TIMEOUT = 60.0
"""Seconds until the first pages must be there."""
SAMPLE = ("sysUpTime", "ifHCInOctets", "ifOperStatus", "ifAlias", "interface_utilization", "promsnmp_module_up")
SAMPLE_LINES = 15
WIDTH = 150
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("demo")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="TCP port; 0 takes a free one.  [default: SERVER_PORT, else 8080]"
)
@click.pass_context
def demo(ctx: click.Context, port: int | None) -> None:
    """Start five simulated devices and PromSNMP, show what a scrape returns, and run until Ctrl-C.

    The devices: a switch with 48 ports, a router (SNMPv3), a server, a power supply and a printer (SNMPv1). Everything
    stays on loopback and nothing is kept. Settings in the environment apply (docs/reference/configuration.md), such as
    SERVER_PORT, COLLECTION_INTERVAL and LOG_LEVEL; the demo has an inventory of its own.

    \b
    Examples:
      promsnmp demo
      promsnmp demo --port 9000
    """
    chosen = choose_port(port)
    ctx.exit(asyncio.run(_run(chosen)))


async def _run(port: int) -> int:
    """Returns the exit code: 0 after a signal, 1 when the service stopped unexpectedly."""
    ended = asyncio.Event()
    for number in END_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    show = asyncio.ensure_future(_show(port, ended))
    waiting = asyncio.ensure_future(ended.wait())
    await asyncio.wait({show, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if ended.is_set():
        with contextlib.suppress(OSError):  # the terminal may be gone
            click.echo("\nStopping ...")
        show.cancel()
        with contextlib.suppress(asyncio.CancelledError, PromSnmpError):
            await show
        return 0
    waiting.cancel()
    return await show


async def _show(port: int, ended: asyncio.Event) -> int:
    with tempfile.TemporaryDirectory(prefix="promsnmp-demo-") as folder:
        click.echo("Starting five simulated devices and PromSNMP ...")
        async with _devices() as running:
            document = {"devices": [_document(device, agent) for device, agent in running]}
            async with DemoService(Path(folder), port, document) as service:
                await service.wait_for_pages([device.name for device, _ in running], PAGES_TIMEOUT, click.echo)
                await _explain(service, running)
                code = await service.wait()
    click.echo(
        f"promsnmp: the service stopped unexpectedly (exit code {code}); set LOG_LEVEL=debug to see why", err=True
    )
    return 1


# ------------------------------------------------------------------------------------------------------- the devices


@contextlib.asynccontextmanager
async def _devices() -> AsyncIterator[list[tuple[Device, SimulatedAgent]]]:
    async with contextlib.AsyncExitStack() as stack:
        running = []
        for number, make in enumerate(DEMO):
            device = make()
            agent = _agent(device)
            await _start(agent, f"127.0.0.{FIRST_ADDRESS + number}")
            running.append((device, await stack.enter_async_context(agent)))
        yield running


def _agent(device: Device) -> SimulatedAgent:
    credentials = device.credentials
    users = (credentials,) if isinstance(credentials, User) else ()
    return SimulatedAgent(device.mib, versions=(credentials.version,), users=users, uptime=device.uptime)


async def _start(agent: SimulatedAgent, address: str) -> None:
    """Listens on an address of its own, as a device does; if that is not possible, on a free port of 127.0.0.1."""
    try:
        await agent.start(address, PORT)
    except OSError:
        await agent.start("127.0.0.1", 0)


def _document(device: Device, agent: SimulatedAgent) -> dict[str, object]:
    """The device as a JSON document of the inventory."""
    credentials = device.credentials
    entry: dict[str, object] = {
        "endpoint": {"address": agent.address, "port": agent.port},
        "version": int(credentials.version),
        "timeout": 1000,
        "retries": 1,
    }
    if isinstance(credentials, Community):
        entry |= {"type": "snmp-community", "readCommunity": credentials.community}
    else:
        entry |= {
            "type": "snmp-user",
            "securityName": credentials.name,
            "securityLevel": int(credentials.level),
            "authProtocol": credentials.auth_protocol.value,
            "authPassphrase": credentials.auth_passphrase,
            "privProtocol": credentials.priv_protocol.value,
            "privPassphrase": credentials.priv_passphrase,
        }
    known = {"sysName": device.name, "sysDescr": device.descr, "sysLocation": device.location}
    return {**known, "agents": [entry], "primaryAgent": entry}


# ------------------------------------------------------------------------------------------------------------ output


async def _explain(service: DemoService, running: Sequence[tuple[Device, SimulatedAgent]]) -> None:
    name = running[0][0].name
    page = await service.get(f"/snmp?target={name}")
    click.echo(f"\nGET /snmp?target={name} returned {len(page.samples):,} samples; some of them:\n")
    for line in sample(page):
        click.echo(f"  {line if len(line) <= WIDTH else line[: WIDTH - 1] + '…'}")
    click.echo("\nThe devices:\n")
    for device, agent in running:
        version = VERSION_NAMES[device.credentials.version]
        click.echo(f"  {device.name:18} {agent.target:18} {version:4} {device.descr}")
    click.echo("\nOpen:\n")
    for path, what in await _paths(service, name):
        click.echo(f"  {service.url}{path:30} {what}")
    click.echo("\nFor Prometheus:\n")
    click.echo(_JOB.format(url=service.url, host=service.url.removeprefix("http://")))
    click.echo("Running until Ctrl-C.")
    sys.stdout.flush()


_JOB = """\
  scrape_configs:
    - job_name: snmp
      metrics_path: /snmp
      http_sd_configs:
        - url: {url}/targets
      relabel_configs:
        - {{source_labels: [__address__], target_label: __param_target}}
        - {{source_labels: [__param_target], target_label: instance}}
        - {{target_label: __address__, replacement: "{host}"}}
"""


async def _paths(service: DemoService, name: str) -> list[tuple[str, str]]:
    """The paths of this service to open, and what they show."""
    paths = {
        "/": "overview",
        "/targets": "the targets, for Prometheus to discover",
        f"/snmp?target={name}": "the metrics of one device",
        "/metrics": "PromSNMP's own metrics",
        "/actuator/health": "health",
        "/swagger-ui.html": "the API, to try",
    }
    return [(path, what) for path, what in paths.items() if (await service.get(path)).status < 400]


def sample(page: DemoResponse) -> list[str]:
    """At most SAMPLE_LINES lines of a page: some families with their HELP and TYPE, each with its first samples."""
    families: dict[str, list[str]] = {}
    for line in page.text.splitlines():
        words = line.split(" ", 3)
        name = words[2] if line.startswith("# ") and len(words) > 2 else line.split("{")[0].split(" ")[0]
        base = next((base for base in SAMPLE if name.startswith(base)), None)
        if base is not None:
            families.setdefault(base, []).append(line)
    lines: list[str] = []
    for base in SAMPLE:
        lines += [line for line in families.get(base, []) if line.startswith("#")][:2]
        lines += [line for line in families.get(base, []) if not line.startswith("#")][:2]
    return (lines or page.text.splitlines())[:SAMPLE_LINES]
