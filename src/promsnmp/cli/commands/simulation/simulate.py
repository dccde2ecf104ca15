"""``promsnmp simulate``: answers SNMP from recordings on loopback, to try PromSNMP, modules and other tools.

The options and files are read here; ``agents.py`` runs the agents.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import click
import uvloop

from promsnmp.cli.commands.simulation.agents import FIRST_PORT, LAST_PORT, SimulationOptions, run_agents
from promsnmp.inventory.document.credentials import MIN_PASSPHRASE
from promsnmp.sim.recording import Recording, RecordingError, read_recording, summarise
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User


@click.command("simulate")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--address", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="IPv4 or IPv6 address.")
@click.option(
    "--port",
    type=click.IntRange(0, LAST_PORT),
    help=f"Port of the first file; each further file takes the next one. 0 takes free ports.  [default: the first free "
    f"from {FIRST_PORT}]",
)
@click.option(
    "--network",
    metavar="NETWORK",
    help="Simulate many devices, each on an address of its own in this IPv4 loopback network (127.1.0.0/16), all on "
    "--port.",
)
@click.option(
    "--devices",
    type=click.IntRange(1),
    metavar="COUNT",
    help="Number of devices, with --network.  [default: one per FILE]",
)
@click.option("--community", default="public", show_default=True, help="v1 and v2c community.")
@click.option("--user", "name", metavar="NAME", help="v3 user; answers v3 as well.")
@click.option(
    "--auth-protocol",
    type=click.Choice([protocol.value for protocol in AuthProtocol], case_sensitive=False),
    default=AuthProtocol.SHA256.value,
    show_default=True,
    help="Auth protocol of the user, with --auth-passphrase.",
)
@click.option("--auth-passphrase", default="", envvar="PROMSNMP_AUTH_PASSPHRASE", help="At least 8 characters.")
@click.option(
    "--priv-protocol",
    type=click.Choice([protocol.value for protocol in PrivProtocol], case_sensitive=False),
    default=PrivProtocol.AES256.value,
    show_default=True,
    help="Privacy protocol of the user, with --priv-passphrase.",
)
@click.option("--priv-passphrase", default="", envvar="PROMSNMP_PRIV_PASSPHRASE", help="At least 8 characters.")
@click.option("--moving", is_flag=True, help="Make sysUpTime tick and counters grow at their mean rate.")
@click.option("--strict", is_flag=True, help="Do not start if a line of a file cannot be used.")
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
    """Answer SNMP (v1, v2c, v3) from recordings, with one agent per FILE, until Ctrl-C.

    A recording is a .snmprec file as snmpsim writes it: lines of OID|TAG|VALUE. TAG is the number of the ASN.1 type,
    followed by x when VALUE is hex. Lines that cannot be used are reported and skipped.

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
        raise click.UsageError("--devices needs a network: add --network")
    options = SimulationOptions(address, port, community, user, moving, network, devices or len(files))
    recordings = _read(files, strict=strict)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_agents(recordings, options))


def _user(
    name: str | None, auth: AuthProtocol, auth_passphrase: str, priv: PrivProtocol, priv_passphrase: str
) -> tuple[User, ...]:
    """The user that the options describe, if any. Raises click.UsageError."""
    if not name:
        if auth_passphrase or priv_passphrase:
            raise click.UsageError("a passphrase needs a user: add --user NAME")
        return ()
    if priv_passphrase and not auth_passphrase:
        raise click.UsageError(
            "--priv-passphrase needs --auth-passphrase (RFC 3411: no privacy without authentication)"
        )
    for option, passphrase in (("--auth-passphrase", auth_passphrase), ("--priv-passphrase", priv_passphrase)):
        if passphrase and len(passphrase.encode()) < MIN_PASSPHRASE:
            raise click.UsageError(f"{option} is shorter than {MIN_PASSPHRASE} characters")
    level = SecurityLevel(1 + bool(auth_passphrase) + bool(priv_passphrase))
    return (User(name, level, auth, auth_passphrase, priv, priv_passphrase),)


def _read(files: Sequence[Path], *, strict: bool) -> list[Recording]:
    """Reads all recordings; problems go to stderr. Raises RecordingError."""
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
