"""Puts the handlers together into one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from promsnmp.http.middleware.access import AccessMiddleware
from promsnmp.http.middleware.request_metrics import RequestMetricsMiddleware
from promsnmp.http.responses import errors
from promsnmp.http.routes import (
    actuator,
    devices,
    discovery,
    inventory,
    metrics,
    original,
    pages,
    probes,
    replicas,
    targets,
)
from promsnmp.http.schemas.openapi import VERSION, openapi_document
from promsnmp.http.schemas.openapi_security import with_security
from promsnmp.http.security.auth import AccessControl
from promsnmp.http.services import Services
from promsnmp.observe.counts import RequestCounts

OPENAPI_PATH = "/v3/api-docs"
ROUTES = (targets, metrics, probes, original, inventory, devices, discovery, replicas, actuator, pages)
"""Files with a ``router``, in the order in which the OpenAPI document shows them."""


def create_fastapi(services: Services, access: AccessControl) -> FastAPI:
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
    app.openapi = partial(openapi_document, app)  # type: ignore[method-assign]  # FastAPI's documented way
    app.state.services = services
    for routes in ROUTES:
        app.include_router(routes.router)
    app.add_api_route(OPENAPI_PATH, lambda: JSONResponse(with_security(app.openapi(), access)), include_in_schema=False)
    errors.install_error_handlers(app)
    return app


Layer = Callable[[ASGIApp], ASGIApp]
"""Makes of an application one that does something before or after it."""


def create_asgi_app(
    services: Services,
    counts: RequestCounts,
    access_middleware: AccessMiddleware,
    *,
    fast_routes: dict[str, ASGIApp],
    outside: Layer = lambda app: app,
    inside: Layer = lambda app: app,
    open_paths: Mapping[str, ASGIApp] = MappingProxyType({}),
) -> RequestMetricsMiddleware:
    """The whole application, behind ``access_middleware``; ``fast_routes`` maps exact paths to plain ASGI applications
    that answer them.

    ``outside`` is a layer before the gate, ``inside`` one between the gate and the API; ``open_paths`` are answered
    without either.
    """
    guarded = {path: outside(access_middleware.wrap(app)) for path, app in fast_routes.items()}
    fallback = outside(access_middleware.wrap(inside(create_fastapi(services, access_middleware.access))))
    return RequestMetricsMiddleware(fast_routes={**guarded, **open_paths}, fallback=fallback, counts=counts)
