"""``promsnmp walk``: walks a subtree of one device and prints the varbinds as they arrive."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from promsnmp.cli.options.credentials import credential_options
from promsnmp.cli.options.duration import timeout_option
from promsnmp.cli.output.text import counted
from promsnmp.cli.output.varbinds import json_line, text_line
from promsnmp.errors import BadTarget, PromSnmpError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Credentials, User
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.walk import MAX_REPETITIONS, Subtree
from promsnmp.snmp.security import CommunityModel, SecurityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint, parse_endpoint
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel


@dataclass(frozen=True, slots=True)
class WalkRequest:
    """What to walk, and how."""

    endpoint: SnmpEndpoint
    credentials: Credentials
    subtree: Subtree
    timeout: float
    retries: int


@click.command("walk")
@click.argument("target")
@click.argument("root", metavar="[OID]", default="1.3.6.1.2.1")
@credential_options
@timeout_option(default="2s")
@click.option("-r", "--retries", type=click.IntRange(0, 100), default=3, show_default=True, help="Retries per packet.")
@click.option(
    "--max-repetitions",
    type=click.IntRange(1, MAX_REPETITIONS),
    default=25,
    show_default=True,
    help="Max-repetitions of GETBULK.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def walk(
    *,
    target: str,
    root: str,
    credentials: Credentials,
    timeout: float,
    retries: int,
    max_repetitions: int,
    as_json: bool,
) -> int:
    """Walk a subtree of one device and print its varbinds as they arrive.

    TARGET is an address or a name, with a port if it is not 161: 192.0.2.1, switch.example:1161, [2001:db8::1]:161. OID
    is dotted numbers; 1 walks everything.  [default: 1.3.6.1.2.1]

    Passphrases given as options show up in the list of processes; those in the environment
    (PROMSNMP_AUTH_PASSPHRASE, PROMSNMP_PRIV_PASSPHRASE) do not. The command prompts for missing ones.

    \b
    Examples:
      promsnmp walk 192.0.2.1
      promsnmp walk -v 1 -c secret 192.0.2.1:1161 1.3.6.1.2.1.1
      promsnmp walk -u monitor -a SHA-256 -x AES switch.example 1.3.6.1.2.1.2.2
      promsnmp walk --json 192.0.2.1 1.3.6.1.2.1.31.1.1.1.6 | jq -r .value
    """
    try:
        endpoint = parse_endpoint(target)
        subtree = Subtree(oid.encode(root), max_repetitions)
    except (BadTarget, ValueError) as error:
        raise click.UsageError(str(error)) from None
    return asyncio.run(_walk(WalkRequest(endpoint, credentials, subtree, timeout, retries), _Printer(as_json=as_json)))


def _security(credentials: Credentials) -> SecurityModel:
    if isinstance(credentials, User):
        return UsmModel(credentials, engine=EngineState(), keys=KeyCache())
    return CommunityModel(credentials)


async def _walk(request: WalkRequest, printer: _Printer) -> int:
    """Walks and prints; returns the exit code. Raises SnmpError when the walk did not reach its end."""
    session = Session(
        request.endpoint, _security(request.credentials), timeout=request.timeout, retries=request.retries
    )
    browse = BrowseOperation(request.subtree, printer.take, version=request.credentials.version, limits=session.limits)
    began = time.perf_counter()
    async with session:
        walking = asyncio.ensure_future(session.run(browse))
        printer.stop = walking.cancel
        try:
            await walking
        except asyncio.CancelledError:
            if printer.problem is None:
                raise
            raise printer.problem from None
        finally:
            printer.finish(time.perf_counter() - began, session.traffic.sent, session.traffic.retried)
    if browse.failure is not None:
        raise browse.failure
    if not printer.count:
        click.echo(f"The device has nothing at or below .{oid.to_text(request.subtree.root)}.", err=True)
    return 0


class _Printer:
    """Writes varbinds to stdout, and to stderr the progress (on a terminal) and a summary.

    The event loop calls it, where nothing would catch an exception: a ``problem`` with stdout is kept, and ``stop``
    is called.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.count = 0
        self.problem: Exception | None = None
        self.stop: Callable[[], object] = lambda: None
        self._line = json_line if as_json else text_line
        self._shows_progress = sys.stderr.isatty() and not sys.stdout.isatty()
        self._shown = 0.0

    def take(self, varbinds: list[ber.VarBind]) -> None:
        self.count += len(varbinds)
        try:
            sys.stdout.write("".join(f"{self._line(one)}\n" for one in varbinds))
            sys.stdout.flush()
        except BrokenPipeError as error:
            self._fail(error)
        except OSError as error:
            self._fail(PromSnmpError(f"cannot write the output: {error.strerror or error}"))
        now = time.perf_counter()
        if self._shows_progress and now - self._shown > 0.2:
            self._shown = now
            click.echo(f"\r{self.count:,} varbinds ", err=True, nl=False)

    def _fail(self, problem: Exception) -> None:
        self.problem = self.problem or problem
        self.stop()

    def finish(self, seconds: float, sent: int, retried: int) -> None:
        """Prints the summary line."""
        if isinstance(self.problem, BrokenPipeError):
            return
        again = f", {retried:,} retransmitted" if retried else ""
        start = "\r" if self._shown else ""
        summary = f"{counted(self.count, 'varbind')} in {seconds:.2f} s, {counted(sent, 'packet')} sent{again}"
        click.echo(start + summary, err=True)
