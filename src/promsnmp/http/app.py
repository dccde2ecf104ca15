"""Puts the handlers together into one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from promsnmp.http.middleware.access import Gate
from promsnmp.http.middleware.request_metrics import Front
from promsnmp.http.responses import errors
from promsnmp.http.routes import actuator, api, devices, discovery, pages, replicas
from promsnmp.http.schemas.openapi import VERSION, openapi_of
from promsnmp.http.schemas.openapi_security import with_access
from promsnmp.http.security.auth import Access
from promsnmp.http.services import Services
from promsnmp.observe.counts import RequestCounts

OPENAPI_PATH = "/v3/api-docs"


def create_fastapi(services: Services, access: Access) -> FastAPI:
    """The API, its description (with what ``access`` asks for) and its pages."""
    app = FastAPI(
        title="PromSNMP",
        description="Polls SNMP devices and serves what it read to Prometheus.",
        version=services.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.openapi_version = VERSION
    app.openapi = partial(openapi_of, app)  # type: ignore[method-assign]  # FastAPI's documented way
    app.state.services = services
    for router in (api.router, devices.router, discovery.router, replicas.router, actuator.router, pages.router):
        app.include_router(router)
    app.add_api_route(OPENAPI_PATH, lambda: JSONResponse(with_access(app.openapi(), access)), include_in_schema=False)
    errors.install(app)
    return app


Layer = Callable[[ASGIApp], ASGIApp]
"""Makes of an application one that does something before or after it."""


def create_front(
    services: Services,
    counts: RequestCounts,
    gate: Gate,
    *,
    hot: dict[str, ASGIApp],
    outside: Layer = lambda app: app,
    inside: Layer = lambda app: app,
    open_paths: Mapping[str, ASGIApp] = MappingProxyType({}),
) -> Front:
    """The whole application, behind ``gate``; ``hot`` maps exact paths to plain ASGI applications that answer them.

    ``outside`` is a layer before the gate, ``inside`` one between the gate and the API; ``open_paths`` are answered
    without either.
    """
    guarded = {path: outside(gate.around(app)) for path, app in hot.items()}
    rest = outside(gate.around(inside(create_fastapi(services, gate.access))))
    return Front(hot={**guarded, **open_paths}, rest=rest, counts=counts)
