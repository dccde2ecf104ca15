"""``promsnmp health``: checks the health of a running PromSNMP, for a HEALTHCHECK and for images without curl."""

from __future__ import annotations

from collections.abc import Mapping

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.local_client import local_client
from promsnmp.cli.options.service import service_options


@click.command("health")
@click.argument("component", default="readiness")
@service_options
@click.pass_context
def health(ctx: click.Context, component: str, service: ServiceClient | None) -> None:
    """Check the health of a running PromSNMP. COMPONENT is readiness (the default), liveness, "all", or the name of a
    component.

    The exit code is 0 when it is UP, and 1 when it is not or does not answer. Without --url the command asks the
    service on this machine, which it finds by SERVER_PORT and WEB_CONFIG_FILE.

    \b
    Examples:
      promsnmp health
      promsnmp health all
      promsnmp health inventory --url http://promsnmp:8080
    """
    chosen = service or local_client()
    answer = chosen.get("/actuator/health" if component == "all" else f"/actuator/health/{component}").json()
    for name, state in sorted(answer.get("components", {}).items()):
        click.echo(_line(name, state))
    click.echo(_line(component, answer))
    ctx.exit(0 if answer.get("status") == "UP" else 1)


def _line(name: str, state: Mapping[str, object]) -> str:
    details = state.get("details")
    shown = [f"{key}={value}" for key, value in details.items()] if isinstance(details, dict) else []
    return " ".join((f"{name}:", str(state.get("status")), *shown))
