"""``promsnmp simulate``: recorded devices on loopback, to try PromSNMP, modules and other tools on.

One agent for each recording, each on a port of its own, until Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import uvloop

from promsnmp.errors import PromSnmpError
from promsnmp.sim.agent import LARGEST_DATAGRAM, SimulatedAgent
from promsnmp.sim.field import populate, spread_over
from promsnmp.sim.moving import animated, recorded_uptime
from promsnmp.sim.recording import Recording, RecordingError, read_recording, summarise
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User

FIRST_PORT = 16_100
LAST_PORT = 65_535
SHORTEST_PASSPHRASE = 8  # RFC 3414 section 11.2
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """How the agents are to be reached. ``port`` None: from FIRST_PORT on, passing over ports that are taken."""

    address: str
    port: int | None
    community: str
    users: tuple[User, ...]
    moving: bool
    network: str | None = None
    """Where ``devices`` siblings of the recordings are, each with an address of its own."""
    devices: int = 0


@click.command("simulate")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--address", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="IPv4 or IPv6 address.")
@click.option(
    "--port",
    type=click.IntRange(0, LAST_PORT),
    help=f"Port of the first file; the others count up. 0: free ones.  [default: the first free from {FIRST_PORT}]",
)
@click.option(
    "--network",
    metavar="NETWORK",
    help="Answer on many addresses of this IPv4 network of loopback (127.1.0.0/16), all on --port, each as a device of "
    "its own.",
)
@click.option(
    "--devices", type=click.IntRange(1), metavar="COUNT", help="How many, with --network.  [default: one a FILE]"
)
@click.option("--community", default="public", show_default=True, help="Community of v1 and v2c.")
@click.option("--user", "name", metavar="NAME", help="Answer v3 too, for this user.")
@click.option(
    "--auth-protocol",
    type=click.Choice([protocol.value for protocol in AuthProtocol], case_sensitive=False),
    default=AuthProtocol.SHA256.value,
    show_default=True,
    help="Of the user, used with --auth-passphrase.",
)
@click.option("--auth-passphrase", default="", envvar="PROMSNMP_AUTH_PASSPHRASE", help="At least 8 characters.")
@click.option(
    "--priv-protocol",
    type=click.Choice([protocol.value for protocol in PrivProtocol], case_sensitive=False),
    default=PrivProtocol.AES256.value,
    show_default=True,
    help="Of the user, used with --priv-passphrase.",
)
@click.option("--priv-passphrase", default="", envvar="PROMSNMP_PRIV_PASSPHRASE", help="At least 8 characters.")
@click.option("--moving", is_flag=True, help="sysUpTime ticks, and counters go on at their mean rate.")
@click.option("--strict", is_flag=True, help="Do not start when any line of a file cannot be used.")
def simulate(
    files: Sequence[Path],
    address: str,
    port: int | None,
    network: str | None,
    devices: int | None,
    community: str,
    name: str | None,
    auth_protocol: str,
    auth_passphrase: str,
    priv_protocol: str,
    priv_passphrase: str,
    moving: bool,
    strict: bool,
) -> None:
    """Answer SNMP (v1, v2c, v3) from recordings: one agent for each FILE, until Ctrl-C.

    A recording is what snmpsim calls .snmprec: lines of OID|TAG|VALUE, TAG the number of the ASN.1 type, with x after
    it when VALUE is hex. Lines that cannot be used are reported and left out.

    \b
    Examples:
      promsnmp simulate switch.snmprec
      snmpwalk -v2c -c public 127.0.0.1:16100 1.3.6.1.2.1.1
      promsnmp simulate --port 0 --moving recordings/*.snmprec
      promsnmp simulate --network 127.1.0.0/16 --devices 1000 switch.snmprec
      promsnmp simulate --user monitor --auth-passphrase authenticate --priv-passphrase keep-private ups.snmprec
    """
    user = _user(
        name,
        AuthProtocol(auth_protocol.upper()),
        auth_passphrase,
        PrivProtocol(priv_protocol.upper()),
        priv_passphrase,
    )
    if devices is not None and network is None:
        raise click.UsageError("--devices is how many there are in a network: add --network")
    options = SimulationOptions(address, port, community, user, moving, network, devices or len(files))
    recordings = _read(files, strict=strict)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(recordings, options))


def _user(
    name: str | None, auth: AuthProtocol, auth_passphrase: str, priv: PrivProtocol, priv_passphrase: str
) -> tuple[User, ...]:
    """The user of the options, if there is one. Raises click.UsageError."""
    if not name:
        if auth_passphrase or priv_passphrase:
            raise click.UsageError("a passphrase belongs to a user: add --user NAME")
        return ()
    if priv_passphrase and not auth_passphrase:
        raise click.UsageError("--priv-passphrase needs --auth-passphrase too (RFC 3411 has no privacy without it)")
    for option, passphrase in (("--auth-passphrase", auth_passphrase), ("--priv-passphrase", priv_passphrase)):
        if passphrase and len(passphrase.encode()) < SHORTEST_PASSPHRASE:
            raise click.UsageError(f"{option} is shorter than {SHORTEST_PASSPHRASE} characters")
    level = SecurityLevel(1 + bool(auth_passphrase) + bool(priv_passphrase))
    return (User(name, level, auth, auth_passphrase, priv, priv_passphrase),)


def _read(files: Sequence[Path], *, strict: bool) -> list[Recording]:
    """All recordings; problems go to stderr. Raises RecordingError."""
    recordings: list[Recording] = []
    reported_at = time.monotonic()
    for path in files:
        recording = read_recording(path)
        recordings.append(recording)
        if strict and recording.problems:
            raise RecordingError(str(recording.problems[0]))
        for line in summarise(recording.problems):
            click.echo(line, err=True)
        if time.monotonic() - reported_at > 1:
            reported_at = time.monotonic()
            click.echo(f"read {len(recordings)} of {len(files)} recordings", err=True)
    return recordings


async def _serve(recordings: Sequence[Recording], options: SimulationOptions) -> None:
    """Runs the agents until a signal ends it."""
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
    """Runs siblings of the recordings on addresses of a network until a signal ends it."""
    mibs = [recording.mib for recording in recordings]
    try:
        places = spread_over(network, options.devices)
    except ValueError as error:
        raise click.UsageError(f"--network: {error}") from None
    if not all(ipaddress.ip_address(place).is_loopback for place in (places[0], places[-1])):
        raise click.UsageError(f"--network: {network} is not on loopback; choose one in 127.0.0.0/8")
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
        click.echo(f"{options.devices:,} devices from {places[0]} to {places[-1]} in {network}, port {field.port}")
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
    """Listens on ``port``, or when it is None on the first free one after ``after``. Raises PromSnmpError."""
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
    raise PromSnmpError(
        f"{options.address}: no port is left up to {LAST_PORT}; start lower with --port, or use --port 0"
    )


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
    community = "the community 'public'" if options.community == "public" else "the given community"
    names = f", v3 for the user {options.users[0].name!r}" if options.users else ""
    click.echo(f"They answer v1 and v2c for {community}{names}. Ctrl-C ends it.")


def _summarise(agents: Sequence[SimulatedAgent]) -> None:
    requests = sum(agent.requests for agent in agents)
    varbinds = sum(agent.varbinds for agent in agents)
    ignored = sum(agent.ignored for agent in agents)
    click.echo(f"Answered {requests:,} requests with {varbinds:,} varbinds; {ignored:,} datagrams were not answered.")
