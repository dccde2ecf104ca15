"""Runs the agents of ``promsnmp simulate``: one for each recording, or many devices in a loopback network.

They run until SIGINT, SIGTERM or SIGHUP, and then report how many requests they answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import signal
from collections.abc import Sequence
from dataclasses import dataclass

import click

from promsnmp.cli.output.text import counted
from promsnmp.errors import PromSnmpError
from promsnmp.sim.agent import LARGEST_DATAGRAM, SimulatedAgent
from promsnmp.sim.field import populate, spread_over
from promsnmp.sim.moving import animated, recorded_uptime
from promsnmp.sim.recording import Recording
from promsnmp.snmp.credentials import User

FIRST_PORT = 16_100
LAST_PORT = 65_535
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """How clients reach the agents. ``port`` None: from FIRST_PORT on, skipping ports in use."""

    address: str
    port: int | None
    community: str
    users: tuple[User, ...]
    moving: bool
    network: str | None = None
    """The network of ``devices`` variants of the recordings, each with an address of its own."""
    devices: int = 0


async def run_agents(recordings: Sequence[Recording], options: SimulationOptions) -> None:
    """Runs the agents until a signal stops them."""
    ended = asyncio.Event()
    for number in END_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    if options.network is not None:
        await _serve_network(recordings, options, options.network, ended)
        return
    async with contextlib.AsyncExitStack() as running:
        agents: list[SimulatedAgent] = []
        port = options.port
        for recording in recordings:
            agent = _agent(recording, options)
            await _start(agent, options, port, after=agents[-1].port if agents else FIRST_PORT - 1)
            agents.append(await running.enter_async_context(agent))
            port = agent.port + 1 if options.port else options.port
        _show(recordings, agents, options)
        await ended.wait()
    with contextlib.suppress(OSError):  # the terminal may be gone
        _summarise(agents)


async def _serve_network(
    recordings: Sequence[Recording], options: SimulationOptions, network: str, ended: asyncio.Event
) -> None:
    """Runs variants of the recordings on addresses of a network until a signal stops them."""
    mibs = [recording.mib for recording in recordings]
    try:
        places = spread_over(network, options.devices)
    except ValueError as error:
        raise click.UsageError(f"--network: {error}") from None
    if not all(ipaddress.ip_address(place).is_loopback for place in (places[0], places[-1])):
        raise click.UsageError(f"--network: {network} is not on loopback; choose a network in 127.0.0.0/8")
    field = populate(
        [animated(mib) if options.moving else mib for mib in mibs],
        places,
        community=options.community,
        users=options.users,
        uptimes=[recorded_uptime(mib) for mib in mibs],
    )
    try:
        await field.start(FIRST_PORT if options.port is None else options.port)
    except OSError as error:
        raise PromSnmpError(_reason(error, "0.0.0.0", options.port or FIRST_PORT)) from None  # noqa: S104  # a name only
    async with field:
        click.echo(
            f"{counted(options.devices, 'device')} from {places[0]} to {places[-1]} in {network}, port {field.port}"
        )
        _print_access(options)
        await ended.wait()
    with contextlib.suppress(OSError):
        _summarise(list(field.agents))


def _agent(recording: Recording, options: SimulationOptions) -> SimulatedAgent:
    mib, uptime = recording.mib, recorded_uptime(recording.mib)
    return SimulatedAgent(
        animated(mib) if options.moving else mib,
        community=options.community,
        users=options.users,
        max_message=LARGEST_DATAGRAM if options.address in ("127.0.0.1", "::1") else 1472,
        uptime=uptime,
    )


async def _start(agent: SimulatedAgent, options: SimulationOptions, port: int | None, *, after: int) -> None:
    """Listens on ``port``, or if that is None on the first free port after ``after``. Raises PromSnmpError."""
    candidates = range(after + 1, LAST_PORT + 1) if port is None else (port,)
    for candidate in candidates:
        try:
            await agent.start(options.address, candidate)
        except OverflowError:
            break
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port is None:
                continue
            raise PromSnmpError(_reason(error, options.address, candidate)) from None
        else:
            return
    raise PromSnmpError(f"{options.address}: no free port up to {LAST_PORT}; start lower with --port, or use --port 0")


def _reason(error: OSError, address: str, port: int) -> str:
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program; choose another port with --port"
    if error.errno == errno.EACCES:
        return f"{where} needs privileges that this user does not have; choose a port from 1024 on with --port"
    if error.errno is None or error.errno < 0 or error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is not an address of this machine; choose another with --address"
    return f"{where}: {error.strerror or error}"


def _show(recordings: Sequence[Recording], agents: Sequence[SimulatedAgent], options: SimulationOptions) -> None:
    width = max(len(str(recording.path)) for recording in recordings)
    for recording, agent in zip(recordings, agents, strict=True):
        click.echo(f"{recording.path!s:{width}} -> {agent.target}  ({len(recording.mib):,} objects)")
    _print_access(options)


def _print_access(options: SimulationOptions) -> None:
    community = "the community 'public'" if options.community == "public" else "the community given"
    names = f", v3 for the user {options.users[0].name!r}" if options.users else ""
    click.echo(f"Answering v1 and v2c for {community}{names}. Press Ctrl-C to stop.")


def _summarise(agents: Sequence[SimulatedAgent]) -> None:
    requests = sum(agent.requests for agent in agents)
    varbinds = sum(agent.varbinds for agent in agents)
    ignored = sum(agent.ignored for agent in agents)
    answered = f"{counted(requests, 'request')} with {counted(varbinds, 'varbind')}"
    click.echo(f"Answered {answered}; {counted(ignored, 'datagram')} not answered.")
