"""``promsnmp traps listen``: prints traps and informs as they come, on a port of its own."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import click

from promsnmp.cli.options.credentials import credential_list_options
from promsnmp.cli.output.varbinds import json_line, text_line
from promsnmp.inventory.index import Index, Snapshot
from promsnmp.inventory.model import Inventory
from promsnmp.snmp import oid
from promsnmp.snmp.credentials import LEVEL_NAMES, Credentials, Version
from promsnmp.snmp.varbind_text import duration
from promsnmp.traps.identify import DeviceFinder
from promsnmp.traps.model import Notification
from promsnmp.traps.naming import TrapNames
from promsnmp.traps.receive.accepted import AcceptedCredentials
from promsnmp.traps.receive.counts import TrapCounts
from promsnmp.traps.receive.listener import TrapListener
from promsnmp.traps.receive.own_engine import OwnEngine
from promsnmp.traps.receive.receiver import ReceiverOptions, TrapReceiver
from promsnmp.traps.receive.usm import TrapReceiverModel

RATE = 1_000_000
_VERSIONS = {Version.V1: "v1", Version.V2C: "v2c", Version.V3: "v3"}


@click.command("listen")
@click.option("--port", type=click.IntRange(0, 65535), default=1162, show_default=True, help="UDP port; 0: a free one.")
@click.option("--address", default="", help="Address to listen on.  [default: all]")
@credential_list_options
@click.option("--count", type=click.IntRange(min=1), help="End after so many notifications.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def listen(*, port: int, address: str, credentials_list: list[Credentials], count: int | None, as_json: bool) -> int:
    """Print traps and informs as they come, until Ctrl-C; informs are acknowledged.

    Any sender is accepted that uses one of the communities or the user. What is dropped is reported on stderr, with the
    reason. Passphrases are safer in the environment (PROMSNMP_AUTH_PASSPHRASE, PROMSNMP_PRIV_PASSPHRASE).

    \b
    Examples:
      promsnmp traps listen
      promsnmp traps listen --port 162 -c secret
      promsnmp traps listen -u monitor -a SHA-256 -x AES
      promsnmp traps listen --json | jq .trap
    """
    return asyncio.run(_listen(port, address, credentials_list, count, as_json=as_json))


async def _listen(port: int, address: str, credentials: list[Credentials], count: int | None, *, as_json: bool) -> int:
    printed, names, ended = 0, TrapNames(), asyncio.Event()

    async def show(notification: Notification) -> None:
        nonlocal printed
        click.echo(_json(notification, names) if as_json else _text(notification, names))
        printed += 1
        if printed == count:
            ended.set()

    counts, model = TrapCounts(), TrapReceiverModel(OwnEngine(None))
    model.accepted = AcceptedCredentials.of(credentials)
    empty = Snapshot(Inventory(), Index())
    options = ReceiverOptions(rate=RATE, sender_rate=RATE, unknown_senders=True)
    receiver = TrapReceiver(model, DeviceFinder(lambda: empty), show, counts, options)
    listener = TrapListener(receiver.take, counts)
    listener.open(address, port)
    receiver.start()
    listener.start()
    click.echo(f"Listening on UDP port {listener.port}; Ctrl-C ends it.", err=True)
    try:
        await ended.wait()
        await asyncio.sleep(0)  # for the acknowledgement
    finally:
        listener.stop()
        await receiver.stop()
    return 0


def _name(notification: Notification, names: TrapNames) -> str:
    return names.known_name(notification.oid) or f".{oid.to_text(notification.oid)}"


def _text(notification: Notification, names: TrapNames) -> str:
    time = datetime.fromtimestamp(notification.received_at, UTC).isoformat(timespec="milliseconds")
    words = [time, notification.sender, _VERSIONS[notification.version]]
    if notification.version is Version.V3:
        words += [notification.user, LEVEL_NAMES[notification.security_level]]
    words += ["inform" if notification.is_inform else "trap", _name(notification, names)]
    if notification.uptime is not None:
        words.append(f"uptime {duration(notification.uptime)}")
    return "\n".join([" ".join(words), *(f"  {text_line(one)}" for one in notification.varbinds)])


def _json(notification: Notification, names: TrapNames) -> str:
    document = {
        "time": datetime.fromtimestamp(notification.received_at, UTC).isoformat(timespec="milliseconds"),
        "sender": notification.sender,
        "version": _VERSIONS[notification.version],
        "securityLevel": LEVEL_NAMES[notification.security_level],
        "user": notification.user,
        "inform": notification.is_inform,
        "trap": _name(notification, names),
        "oid": f".{oid.to_text(notification.oid)}",
        "uptime": notification.uptime,
        "engineId": notification.engine_id.hex(),
        "varbinds": [json.loads(json_line(one)) for one in notification.varbinds],
    }
    return json.dumps(document)
