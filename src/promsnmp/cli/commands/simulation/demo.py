"""``promsnmp demo``: runs the service with simulated devices, to look around.

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

from promsnmp.cli.commands.simulation.demo_service import DemoService, choose_port
from promsnmp.errors import PromSnmpError
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import DEMO, SILENT, Device
from promsnmp.snmp.credentials import Community, User

FIRST_ADDRESS = 11  # 127.0.0.11, 127.0.0.12 ...
PORT = 16_161
PAGES_TIMEOUT = 60.0
"""Seconds until the first pages must be there."""
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("demo")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="TCP port; 0 takes a free one.  [default: SERVER_PORT, else 8080]"
)
@click.pass_context
def demo(ctx: click.Context, port: int | None) -> None:
    """Start simulated devices and PromSNMP, print the link to its pages, and run until Ctrl-C.

    The devices: a switch with 48 ports and a failed fan, a router (SNMPv3), a core switch, a server, a power supply, a
    printer (SNMPv1), and one that does not answer; they see each other by LLDP. Everything stays on loopback and
    nothing is kept. Settings in the environment apply (docs/reference/configuration.md), such as
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
        click.echo("Starting simulated devices and PromSNMP ...")
        async with _devices() as running:
            document = {"devices": [*(_document(device, agent) for device, agent in running), _silent()]}
            async with DemoService(Path(folder), port, document) as service:
                await service.wait_for_pages([device.name for device, _ in running], PAGES_TIMEOUT, click.echo)
                _explain(service, running)
                code = await service.wait()
                last_lines = service.last_lines()
    click.echo(last_lines, err=True, nl=bool(last_lines))
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


def _silent() -> dict[str, object]:
    """A device at whose address nothing listens."""
    entry: dict[str, object] = {
        "endpoint": {"address": f"127.0.0.{FIRST_ADDRESS + len(DEMO)}", "port": PORT},
        "version": 1,
        "timeout": 500,
        "retries": 1,
        "type": "snmp-community",
        "readCommunity": "public",
    }
    descr = "Example Networks EN-9000 core switch"
    return {"sysName": SILENT, "sysDescr": descr, "agents": [entry], "primaryAgent": entry}


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


def _explain(service: DemoService, running: Sequence[tuple[Device, SimulatedAgent]]) -> None:
    click.echo(f"{len(running)} devices answer, one is down, and a fan has failed. Open:\n\n  {service.url}/\n")
    click.echo("Running until Ctrl-C.")
    sys.stdout.flush()
