"""``promsnmp leader``: asks a running service which replica leads, or makes the leader step down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.local_client import local_client
from promsnmp.cli.options.service import service_options

PATH = "/promsnmp/leader"


@click.command("leader")
@click.option("--step-down", is_flag=True, help="Make the leader step down, so that the replicas elect another one.")
@service_options
@click.pass_context
def leader(ctx: click.Context, step_down: bool, service: ServiceClient | None) -> None:
    """Show which replica leads, and list the replicas.

    The exit code is 1 when there is no leader. Every replica can answer; without --url the command asks the one on this
    machine, which it finds by SERVER_PORT and WEB_CONFIG_FILE.

    \b
    Examples:
      promsnmp leader
      promsnmp leader --step-down --url http://promsnmp:8080
    """
    chosen = service or local_client()
    if step_down:
        answer = chosen.call("DELETE", PATH).json()
        click.echo(f"{answer.get('name')} stepped down")
        return
    answer = chosen.get(PATH).json()
    for line in _lines(answer):
        click.echo(line)
    ctx.exit(0 if answer.get("leader") else 1)


def _lines(answer: Mapping[str, Any]) -> list[str]:
    known = answer.get("leader")
    lines = ["no leader"]
    if known:
        term = f", term {known['term']}" if known["term"] else ""
        lines = [f"leader: {known['name']} ({known['address'] or 'not one of these replicas'}{term})"]
    if "sinceRenewal" in answer and answer["backend"] != "none":
        lines.append(f"last renewed: {answer['sinceRenewal']:.1f} s ago")
    lines.append(f"backend: {answer['backend']} ({answer['problem'] or 'reachable'})")
    lines.append(f"replicas: {', '.join(one['name'] for one in answer['members'])}")
    lines.append(f"answered by: {answer['name']}, {_article(answer['role'])}")
    return lines


def _article(role: str) -> str:
    return "the leader" if role == "leader" else f"a {role}"
