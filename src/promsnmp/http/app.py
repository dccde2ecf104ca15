"""Puts the routes together into one ASGI application.

A new endpoint is a handler with ``@access`` in a file of ``routes/``; a new file there also goes into ``ROUTERS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import chain

from fastapi import Depends, FastAPI, Request, routing
from starlette.types import ASGIApp

from promsnmp.http.middleware.stack import MiddlewareStack
from promsnmp.http.responses import errors
from promsnmp.http.route_policy import UNDECLARED, PlainRoute, RouteTable, declared_policy, policy_of
from promsnmp.http.routes import (
    credentials,
    devices,
    discovery,
    inventory,
    metrics,
    openapi,
    original,
    probes,
    replicas,
    targets,
)
from promsnmp.http.routes.actuator import configuration, endpoints
from promsnmp.http.routes.pages import account, browse, interface, manage, maps, swagger
from promsnmp.http.routes.pages import credentials as credentials_pages
from promsnmp.http.routes.pages import devices as device_forms
from promsnmp.http.routes.pages import discovery as discovery_pages
from promsnmp.http.routes.sources import api as sources
from promsnmp.http.schemas.openapi import VERSION, openapi_document
from promsnmp.http.schemas.openapi_security import with_security
from promsnmp.http.security.auth import AccessControl
from promsnmp.http.services import Services

ROUTERS = tuple(
    routes.router
    for routes in (
        targets, metrics, probes, original, inventory, devices, credentials, discovery, sources, replicas,
        endpoints, configuration,
        account, device_forms, credentials_pages, manage, interface, maps, discovery_pages, browse, swagger, openapi,
    )
)  # fmt: skip
"""In the order in which FastAPI tries them, and in which the OpenAPI document shows them."""


def create_asgi_app(services: Services, stack: MiddlewareStack, plain_routes: Sequence[PlainRoute]) -> ASGIApp:
    """The whole application; ``plain_routes`` are answered without FastAPI."""
    table = RouteTable(chain.from_iterable(router.routes for router in ROUTERS), plain_routes)
    fastapi = create_fastapi(services, table, stack.access.access)
    return stack.around(table.dispatch(fastapi), table)


def create_fastapi(services: Services, table: RouteTable, access: AccessControl) -> FastAPI:
    """The routes of FastAPI, and the OpenAPI document of all routes of ``table``."""
    app = FastAPI(
        title="PromSNMP",
        description="Polls SNMP devices and serves what it read to Prometheus.",
        version=services.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(_require_resolved_route)],
    )
    app.openapi_version = VERSION
    app.openapi = partial(openapi_document, app)  # type: ignore[method-assign]  # FastAPI's documented way
    app.state.services = services
    app.state.openapi = lambda: with_security(app.openapi(), table, access)
    for router in ROUTERS:
        app.include_router(router)
    errors.install_error_handlers(app)
    _prepare(app)
    return app


def _prepare(app: FastAPI) -> None:
    """Does now what the first request to each route would do on the event loop, 100 ms in all."""
    iterate = getattr(routing, "iter_route_contexts", None)  # older versions of FastAPI prepare routes themselves
    for _ in iterate(app.routes) if iterate is not None else ():
        pass
    with suppress(ImportError):
        import_module("anyio._backends._asyncio")  # what anyio imports when it is first used


async def _require_resolved_route(request: Request) -> None:
    """Runs a handler only if access control saw its declaration: ``RouteTable`` must have found the same route."""
    if policy_of(request.scope) is not (declared_policy(request.scope["route"].endpoint) or UNDECLARED):
        raise errors.ApiError(500, "internal error: access control has not seen this route")
