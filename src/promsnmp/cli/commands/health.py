"""``promsnmp health``: the health of a device as a table, or of a running PromSNMP, for a HEALTHCHECK and for images
without curl."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.local_client import local_client
from promsnmp.cli.options.credentials import DEFAULT_CREDENTIALS, auth_option, credential_options
from promsnmp.cli.options.duration import deadline_option
from promsnmp.cli.options.modules import files_option, load_files
from promsnmp.cli.options.service import service_options
from promsnmp.snmp.credentials import Credentials

COMPONENTS = (
    *("readiness", "liveness", "all", "diskSpace", "eventLoop", "inventory", "leaderElection", "memory", "modules"),
    *("poller", "replicas", "webConfig"),
)
"""What the service answers for; anything else is a device."""


@click.command("health")
@click.argument("what", metavar="[COMPONENT|TARGET]", default="readiness")
@service_options
@credential_options
@auth_option
@files_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (of a device).")
@deadline_option
def health(
    *,
    what: str,
    service: ServiceClient | None,
    credentials: Credentials,
    auth: str | None,
    files: tuple[str, ...],
    as_json: bool,
    deadline: float,
) -> int:
    """Check the health of a running PromSNMP, or show that of a device.

    COMPONENT is readiness (the default), liveness, "all", or the name of a component. The exit code is 0 when it is UP,
    and 1 when it is not or does not answer. Without --url the command asks the service on this machine, which it finds
    by SERVER_PORT and WEB_CONFIG_FILE.

    TARGET is a device, by address or name: the command polls it once and prints its components with readings, states
    and limits, those that failed first. A device of the inventory (PROM_INV_FILE) is polled as the service polls it,
    unless credentials are given.

    \b
    Examples:
      promsnmp health
      promsnmp health inventory --url http://promsnmp:8080
      promsnmp health 192.0.2.1
      promsnmp health -u monitor -a SHA-256 -x AES switch.example
    """
    is_device = "." in what or ":" in what or auth is not None or credentials is not DEFAULT_CREDENTIALS
    if (is_device or what not in COMPONENTS) and service is None:
        _show_device(what, credentials, auth, files, deadline, as_json=as_json)
        return 0
    chosen = service or local_client()
    answer = chosen.get("/actuator/health" if what == "all" else f"/actuator/health/{what}").json()
    for name, state in sorted(answer.get("components", {}).items()):
        click.echo(_line(name, state))
    click.echo(_line(what, answer))
    return 0 if answer.get("status") == "UP" else 1


def _show_device(
    target: str, credentials: Credentials, auth: str | None, files: tuple[str, ...], deadline: float, *, as_json: bool
) -> None:
    from promsnmp.cli.commands.explain import poll_health
    from promsnmp.cli.options.poll_request import make_poll_request
    from promsnmp.cli.output.health_report import health_to_json, print_health

    catalogue = load_files(files)
    request = make_poll_request(target, (), catalogue, auth=auth, credentials=credentials)
    found = poll_health(request.target, catalogue, deadline)
    if as_json:
        click.echo(json.dumps(health_to_json(found), indent=2))
    else:
        print_health(found)


def _line(name: str, state: Mapping[str, object]) -> str:
    details = state.get("details")
    shown = [f"{key}={value}" for key, value in details.items()] if isinstance(details, dict) else []
    return " ".join((f"{name}:", str(state.get("status")), *shown))
