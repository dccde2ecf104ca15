"""``promsnmp leader``: which replica leads, as a running service says, and the order to step down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.local_client import local_client
from promsnmp.cli.options.service import service_options

PATH = "/promsnmp/leader"


@click.command("leader")
@click.option("--step-down", is_flag=True, help="Have the leader give the lead up: another replica is elected.")
@service_options
@click.pass_context
def leader(ctx: click.Context, step_down: bool, service: ServiceClient | None) -> None:
    """Show which replica leads, and which replicas there are.

    Ends with 1 when nobody leads. Any replica may be asked; without --url it is the one on this machine, as SERVER_PORT
    and WEB_CONFIG_FILE say.

    \b
    Examples:
      promsnmp leader
      promsnmp leader --step-down --url http://promsnmp:8080
    """
    chosen = service or local_client()
    if step_down:
        answer = chosen.call("DELETE", PATH).json()
        click.echo(f"{answer.get('name')} has given the lead up")
        return
    answer = chosen.get(PATH).json()
    for line in _lines(answer):
        click.echo(line)
    ctx.exit(0 if answer.get("leader") else 1)


def _lines(answer: Mapping[str, Any]) -> list[str]:
    known = answer.get("leader")
    found = ["no leader"]
    if known:
        term = f", term {known['term']}" if known["term"] else ""
        found = [f"leader: {known['name']} ({known['address'] or 'none of these replicas'}{term})"]
    if "sinceRenewal" in answer and answer["backend"] != "none":
        found.append(f"last renewed: {answer['sinceRenewal']:.1f} s ago")
    found.append(f"backend: {answer['backend']} ({answer['problem'] or 'answers'})")
    found.append(f"replicas: {', '.join(one['name'] for one in answer['members'])}")
    found.append(f"asked: {answer['name']}, which is {_article(answer['role'])}")
    return found


def _article(role: str) -> str:
    return "the leader" if role == "leader" else f"a {role}"
