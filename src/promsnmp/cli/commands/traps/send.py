"""``promsnmp traps send``: sends a test trap or inform."""

from __future__ import annotations

from pathlib import Path

import click

from promsnmp.cli.options.credentials import credential_options
from promsnmp.cli.options.duration import timeout_option
from promsnmp.snmp.credentials import Credentials, Version
from promsnmp.snmp.transport import parse_endpoint
from promsnmp.traps.names.definitions import load
from promsnmp.traps.names.samples import WrongSample, parse_sample
from promsnmp.traps.sending import SentNotification, send_inform, send_trap, sender_engine

TEST_ENGINE = "8000000005" + b"promsnmp-test".hex()
DEFAULT_PORT = 162


def _hexadecimal(_: click.Context, __: click.Parameter, value: str) -> bytes:
    try:
        octets = bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise click.BadParameter("write hexadecimal digits") from None
    if not 5 <= len(octets) <= 32:  # RFC 3411 section 5, SnmpEngineID
        raise click.BadParameter("an engine id has 5 to 32 octets")
    return octets


@click.command("send", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target")
@click.argument("sample", nargs=-1, required=True, metavar="TRAP [OBJECT[.INDEX]=VALUE]...")
@credential_options
@click.option("--inform", is_flag=True, help="Send an inform, and wait until it is acknowledged.")
@timeout_option(default="2s")
@click.option(
    "-r", "--retries", type=click.IntRange(0, 100), default=3, show_default=True, help="Retries of an inform."
)
@click.option("--uptime", type=click.IntRange(0, 2**32 - 1), default=0, help="sysUpTime in hundredths of a second.")
@click.option("--engine-id", default=TEST_ENGINE, callback=_hexadecimal, metavar="HEX",
              help="Engine id of the sender, for traps of v3.  [default: one for tests]")  # fmt: skip
@click.option("--definitions", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="File with more names, as TRAP_DEFINITIONS; repeatable.")  # fmt: skip
def send(
    *,
    target: str,
    sample: tuple[str, ...],
    credentials: Credentials,
    inform: bool,
    timeout: float,
    retries: int,
    uptime: int,
    engine_id: bytes,
    definitions: tuple[Path, ...],
) -> int:
    """Send a test trap or inform to TARGET, an address or name with a port if it is not 162.

    TRAP is a name (linkDown), MIB::name or an OID, as is OBJECT. A VALUE may begin with its type, i: INTEGER,
    u: Gauge32, c: Counter32, C: Counter64, t: TimeTicks, a: IpAddress, o: OID, s: text, x: hexadecimal digits;
    otherwise numbers and names of an enumeration are INTEGER, and all else is text.

    \b
    Examples:
      promsnmp traps send 127.0.0.1:1162 linkDown ifIndex.3=3 ifAdminStatus.3=up ifOperStatus.3=down
      promsnmp traps send -v 1 -c secret 192.0.2.9 coldStart
      promsnmp traps send --inform -u monitor -a SHA-256 -x AES 192.0.2.9 upsTrapOnBattery
    """
    version = credentials.version
    if inform and version is Version.V1:
        raise click.UsageError("SNMPv1 has no informs; use -v 2c or -v 3")
    endpoint = parse_endpoint(_with_port(target))
    try:
        oid, varbinds = parse_sample(sample, load(definitions))
    except WrongSample as error:
        raise click.UsageError(str(error)) from None
    sent = SentNotification(oid, varbinds, uptime)
    if inform:
        send_inform(endpoint, credentials, sent, timeout=timeout, retries=retries)
        click.echo("acknowledged", err=True)
        return 0
    try:
        send_trap(endpoint, credentials, sent, sender_engine(engine_id))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo("sent; traps are not acknowledged", err=True)
    return 0


def _with_port(target: str) -> str:
    """The target with port 162 where it names none."""
    has_port = target.rpartition("]")[2].count(":") == 1
    if has_port:
        return target
    host = f"[{target}]" if target.count(":") > 1 and not target.startswith("[") else target
    return f"{host}:{DEFAULT_PORT}"
