"""Turns TARGET... and the options of a search into the same request document that the API takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from promsnmp.cli.options.credentials import credential_list_options
from promsnmp.cli.options.labels import read_labels
from promsnmp.cli.options.modules import module_names
from promsnmp.cli.options.poll_overrides import OVERRIDE_OPTIONS, override_options, overrides_of
from promsnmp.inventory.document.seeds import credentials_document
from promsnmp.inventory.model import DEFAULT_PORT
from promsnmp.snmp.credentials import Credentials

Document = dict[str, Any]


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds TARGET... and the options of a search to a command, which gets ``request``, a JSON document."""

    @functools.wraps(command)
    def with_request(
        *,
        targets: tuple[str, ...],
        exclude: tuple[str, ...],
        port: int,
        labels: tuple[str, ...],
        modules: tuple[str, ...],
        neighbours: tuple[str, ...],
        force: bool,
        credentials_list: list[Credentials],
        **options: Any,
    ) -> Any:
        overrides = overrides_of(options)
        options = {name: value for name, value in options.items() if name not in OVERRIDE_OPTIONS}
        request: Document = {
            **overrides,
            "potentialTargets": list(targets),
            "port": port,
            "credentials": [credentials_document(one, mask=False) for one in credentials_list],
            "exclude": list(exclude),
            "labels": read_labels(labels),
            "modules": module_names(modules),
            "force": force,
        }
        if neighbours:
            request["neighbours"] = [one for one in neighbours if one != NO_NEIGHBOURS]
        return command(request=request, **options)

    with_request = override_options(with_request)
    for option in reversed(_OPTIONS):
        with_request = option(with_request)
    return credential_list_options(with_request)


NO_NEIGHBOURS = "none"
_OPTIONS = (
    click.argument("targets", metavar="TARGET...", nargs=-1, required=True),
    click.option(
        "--exclude", multiple=True, metavar="ADDRESS", help="Address, network or range not to search; repeatable."
    ),
    click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="UDP port."),
    click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Label for new devices; repeatable."),
    click.option("--module", "modules", multiple=True, help="Module for new devices; repeatable."),
    click.option(
        "--neighbours",
        multiple=True,
        metavar="NETWORK",
        help="Also search LLDP and CDP neighbours in this network; repeatable, 'none' turns it off.  "
        "[default: DISCOVERY_NEIGHBOUR_NETWORKS]",
    ),
    click.option("--force", is_flag=True, help="Allow networks larger than a /12."),
)
